// Layers made of others, in the words of files: what a composite does, a user can write out.
#pragma once

#include <string>
#include <vector>

#include "serval/nn/initialiser.h"
#include "serval/nn/pointwise.h"

#include "../network_plan.h"

namespace serval::nn {

// Layers one behind the other, added to a composite.
class Written {
 public:
  Written(NodePlan& node, int value) : node_(&node), value_(value) {}
  // Goes on from another value.
  Written& from(int value) {
    value_ = value;
    return *this;
  }

  // One called `what`, of a type with settings as they stand in a file: add("conv", "conv2d", R"("channels": 64)").
  Written& add(const std::string& what, const char* type, const std::string& settings = "");
  // One that reads the last and another.
  Written& join(const std::string& what, const char* type, int other);

  int value() const { return value_; }
  const Shape& item() const { return node_->type_of(value_).item; }

 private:
  void add(const std::string& what, const char* type, const std::string& settings,
           const std::vector<int>& inputs);

  NodePlan* node_;
  int value_;
};

// The settings of a conv2d.
std::string conv_settings(std::int64_t channels, std::int64_t kernel, std::int64_t stride, InitKind init,
                          const std::string& more = "");
const char* name_of(Activation activation);
const char* name_of(InitKind kind);

}  // namespace serval::nn
