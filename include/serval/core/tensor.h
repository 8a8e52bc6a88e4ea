// Memory on a device, owned or viewed, with a shape.
// Shapes are written outermost first, as in [time, batch, feature]; the last index is the fastest.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "serval/core/error.h"
#include "serval/core/hd.h"

namespace serval {

enum class DeviceKind { kCpu, kCuda };
const char* to_string(DeviceKind kind);

struct Device {
  DeviceKind kind = DeviceKind::kCpu;
  int index = 0;
  friend bool operator==(const Device&, const Device&) = default;
};
std::string to_string(const Device& device);  // "cpu" or "cuda:0"

class Shape {
 public:
  static constexpr int kMaxRank = 6;
  Shape() = default;
  Shape(std::initializer_list<std::int64_t> dims) {
    SERVAL_CHECK(dims.size() <= kMaxRank, "rank ", dims.size());
    for (const std::int64_t dim : dims) dims_[rank_++] = dim;
  }
  SERVAL_HD int rank() const { return rank_; }
  Shape& append(std::int64_t dim) {
    SERVAL_CHECK(rank_ < kMaxRank, "rank ", rank_ + 1);
    dims_[rank_++] = dim;
    return *this;
  }
  Shape& append(const Shape& inner) {
    for (int axis = 0; axis < inner.rank_; ++axis) append(inner[axis]);
    return *this;
  }
  SERVAL_HD std::int64_t operator[](int axis) const { return dims_[axis]; }
  SERVAL_HD std::int64_t size() const {
    std::int64_t product = 1;
    for (int axis = 0; axis < rank_; ++axis) product *= (*this)[axis];
    return product;
  }
  friend bool operator==(const Shape&, const Shape&) = default;

 private:
  std::int64_t dims_[kMaxRank] = {};
  int rank_ = 0;
};
std::string to_string(const Shape& shape);  // "[150, 64, 120]"

// Does not own. `data` points into the memory of `device`.
template <class T>
struct View {
  T* data = nullptr;
  Shape shape;
  DeviceKind device = DeviceKind::kCpu;

  SERVAL_HD std::int64_t size() const { return data == nullptr ? 0 : shape.size(); }
  SERVAL_HD bool empty() const { return data == nullptr; }
  View reshaped(Shape other) const {
    SERVAL_CHECK(other.size() == shape.size(), to_string(shape), " as ", to_string(other));
    return View{data, other, device};
  }
  operator View<const T>() const  // NOLINT(google-explicit-constructor): a view may always become read-only
      requires(!std::is_const_v<T>) {
    return View<const T>{data, shape, device};
  }
};
using TensorView = View<float>;
using ConstTensorView = View<const float>;

// Raw memory on a device. Move-only; freed when it goes.
class Buffer {
 public:
  Buffer() = default;
  Buffer(Device device, std::size_t bytes);  // zero-filled; throws DeviceError when the device is full
  Buffer(Buffer&& other) noexcept { swap(other); }
  Buffer& operator=(Buffer&& other) noexcept {
    Buffer(static_cast<Buffer&&>(other)).swap(*this);
    return *this;
  }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer();

  void* data() const { return data_; }
  std::size_t bytes() const { return bytes_; }
  Device device() const { return device_; }
  void swap(Buffer& other) noexcept;

 private:
  Device device_;
  void* data_ = nullptr;
  std::size_t bytes_ = 0;
};

// Bytes that Buffers made by the calling thread have taken and not given back, on any device. A Buffer counts for the
// thread that makes it until the thread that ends it.
std::int64_t thread_buffer_bytes();

// Blocking copies between any two places; a device pointer carries its device.
void copy_bytes(void* to, Device to_device, const void* from, Device from_device, std::size_t bytes);

// An owned array with a shape. Move-only: `clone()` and `to(device)` say when bytes travel.
template <class T>
class Array {
 public:
  Array() = default;
  Array(Device device, Shape shape)
      : buffer_(device, static_cast<std::size_t>(shape.size()) * sizeof(T)), shape_(shape) {}
  static Array from_host(Device device, const std::vector<T>& values, Shape shape) {
    SERVAL_CHECK(shape.size() == static_cast<std::int64_t>(values.size()), to_string(shape), " for ",
                 values.size(), " values");
    Array out(device, shape);
    copy_bytes(out.data(), device, values.data(), Device{}, values.size() * sizeof(T));
    return out;
  }
  static Array from_host(Device device, const std::vector<T>& values) {
    return from_host(device, values, Shape{static_cast<std::int64_t>(values.size())});
  }

  T* data() { return static_cast<T*>(buffer_.data()); }
  const T* data() const { return static_cast<const T*>(buffer_.data()); }
  const Shape& shape() const { return shape_; }
  std::int64_t size() const { return buffer_.data() == nullptr ? 0 : shape_.size(); }
  Device device() const { return buffer_.device(); }
  View<T> view() { return {data(), shape_, device().kind}; }
  View<const T> view() const { return {data(), shape_, device().kind}; }
  // A window of `shape` that starts `offset` values in.
  View<T> view(std::int64_t offset, Shape shape) {
    SERVAL_CHECK(offset >= 0 && offset + shape.size() <= size(), offset, " + ", to_string(shape), " of ",
                 size());
    return {data() + offset, shape, device().kind};
  }

  std::vector<T> to_host() const {
    std::vector<T> out(static_cast<std::size_t>(size()));
    copy_bytes(out.data(), Device{}, data(), device(), out.size() * sizeof(T));
    return out;
  }
  void assign(const std::vector<T>& values) {
    SERVAL_CHECK(static_cast<std::int64_t>(values.size()) == size(), values.size(), " values into ",
                 to_string(shape_));
    copy_bytes(data(), device(), values.data(), Device{}, values.size() * sizeof(T));
  }
  Array to(Device device) const {
    Array out(device, shape_);
    copy_bytes(out.data(), device, data(), buffer_.device(), buffer_.bytes());
    return out;
  }
  Array clone() const { return to(device()); }

 private:
  Buffer buffer_;
  Shape shape_;
};
using Tensor = Array<float>;

// What a device must offer for Buffer and copy_bytes. The CUDA build installs its own (core/context.h).
struct MemoryBackend {
  void* (*allocate)(Device device, std::size_t bytes);  // zero-filled
  void (*release)(Device device, void* data) noexcept;
  void (*copy)(void* to, Device to_device, const void* from, Device from_device, std::size_t bytes);
};
void install_memory_backend(DeviceKind kind, const MemoryBackend& backend);

}  // namespace serval
