// What cuDNN must be told about an LSTM of one shape, worked out once: descriptors, sizes, weight layout.
//
// cuDNN takes sequence lengths from the host, its faster algorithms want equal ones, and a captured graph
// would freeze them. So it is told that every sequence has T steps; lstm_steps.cuh makes that come out right.
#pragma once

#include <vector>

#include <cudnn.h>

#include "serval/nn/lstm.h"

#include "cuda/core/check.cuh"
#include "cuda/core/state.cuh"
#include "cuda/nn/lstm_memory.cuh"

namespace serval::nn {

// Owns one cuDNN descriptor. Destroying one cannot fail in a way that anybody could answer.
template <class Handle, cudnnStatus_t (*create)(Handle*), cudnnStatus_t (*destroy)(Handle)>
class CudnnDescriptor {
 public:
  CudnnDescriptor() { SERVAL_CUDNN_CHECK(create(&handle_)); }
  ~CudnnDescriptor() { destroy(handle_); }
  CudnnDescriptor(const CudnnDescriptor&) = delete;
  CudnnDescriptor& operator=(const CudnnDescriptor&) = delete;
  Handle get() const { return handle_; }

 private:
  Handle handle_ = nullptr;
};
using RnnDescriptor =
    CudnnDescriptor<cudnnRNNDescriptor_t, cudnnCreateRNNDescriptor, cudnnDestroyRNNDescriptor>;
using RnnDataDescriptor =
    CudnnDescriptor<cudnnRNNDataDescriptor_t, cudnnCreateRNNDataDescriptor, cudnnDestroyRNNDataDescriptor>;
using TensorDescriptor =
    CudnnDescriptor<cudnnTensorDescriptor_t, cudnnCreateTensorDescriptor, cudnnDestroyTensorDescriptor>;
using DropoutDescriptor =
    CudnnDescriptor<cudnnDropoutDescriptor_t, cudnnCreateDropoutDescriptor, cudnnDestroyDropoutDescriptor>;

// The layer itself: all that does not depend on the batch.
class LstmLayerPlan {
 public:
  LstmLayerPlan(cuda::CudaState& state, std::int64_t input, std::int64_t hidden);

  // A run of floats that lies in one piece both in the canonical block and in cuDNN's weight space.
  struct Segment {
    std::int64_t canonical = 0, packed = 0, count = 0;  // floats
  };
  cudnnRNNDescriptor_t rnn() const { return rnn_.get(); }
  std::size_t weight_bytes() const { return weight_bytes_; }
  const std::vector<Segment>& segments() const { return segments_; }

 private:
  void read_layout(cuda::CudaState& state, std::int64_t input, std::int64_t hidden);
  void add_segment(std::int64_t canonical, const void* base, const void* address,
                   cudnnTensorDescriptor_t descriptor, std::int64_t count);

  DropoutDescriptor dropout_;  // rnn_ refers to it
  RnnDescriptor rnn_;
  std::size_t weight_bytes_ = 0;
  std::vector<Segment> segments_;
};

// One batch shape of a layer.
class LstmPlan {
 public:
  LstmPlan(cudnnHandle_t handle, const LstmLayerPlan& layer, const LstmShape& shape);

  const LstmLayerPlan& layer() const { return layer_; }
  const LstmSpaces& spaces() const { return spaces_; }
  cudnnRNNDataDescriptor_t x() const { return x_.get(); }         // [T, B, I]
  cudnnRNNDataDescriptor_t y() const { return y_.get(); }         // [T, B, H]
  cudnnTensorDescriptor_t state() const { return state_.get(); }  // [1, B, H]: h and c

 private:
  const LstmLayerPlan& layer_;
  RnnDataDescriptor x_, y_;
  TensorDescriptor state_;
  LstmSpaces spaces_;
};

// The calling thread's plan for that shape, made on first use. Plans hold host memory alone and outlive any
// context; a direction is no part of them.
const LstmPlan& lstm_plan(cuda::CudaState& state, const Device& device, const LstmShape& shape);

// The largest of each space over this shape and all with less time or batch: cuDNN's documentation says that
// the sizes are not monotonic, so all of them are asked for, once.
LstmSpaces lstm_largest_spaces(cuda::CudaState& state, const Device& device, const LstmShape& shape);

}  // namespace serval::nn
