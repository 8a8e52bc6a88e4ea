// An activation as a layer of its own, for layers that cannot have it inside.
#pragma once

#include "serval/nn/pointwise.h"

#include "../network_plan.h"

namespace serval::nn {

// Adds one behind `value`; gives its value.
int add_activation(NodePlan& node, int value, Activation activation);

}  // namespace serval::nn
