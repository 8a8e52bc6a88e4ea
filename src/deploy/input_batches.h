// One input of a network, batch by batch: gathered from a recording's features, normalised as a member was trained.
#pragma once

#include <vector>

#include "serval/core/context.h"
#include "serval/deploy/bundle.h"
#include "serval/features/feature_matrix.h"

namespace serval::deploy {

// A network without declared inputs reads one sequence.
nn::InputKind input_kind(const nn::NetworkSettings& network, const std::string& input);

// A model's network with the outputs that its scores are made of.
nn::NetworkSettings scored_network(const BundleModel& model);

class InputBatches {
 public:
  // Of a feature set with `dimension` columns. Throws ConfigError where the image does not fit them.
  InputBatches(const Context& context, const features::InputSettings& input, nn::InputKind kind,
               std::int64_t dimension);

  const Shape& item() const { return item_; }  // as the network reads it
  nn::InputKind kind() const { return kind_; }

  // For batches of up to `batch` items with up to `time` frames.
  void make_room(std::int64_t batch, std::int64_t time);
  void set_statistics(const std::vector<float>& mean, const std::vector<float>& scale);
  void set_features(const features::FeatureMatrix& matrix);

  // The segments in this order. Valid until the next.
  nn::InputBatch gather(const Context& context, const std::vector<features::Segment>& segments);

 private:
  Device device_;
  features::SegmentImage image_;  // of images
  nn::InputKind kind_;
  std::int64_t dimension_ = 0, batch_ = 0, time_ = 0;
  Shape item_;
  Tensor values_, mean_, scale_, x_;
  Array<std::int64_t> starts_;
  Array<std::int32_t> frames_, padded_;
  std::vector<std::int32_t> host_frames_;
};

}  // namespace serval::deploy
