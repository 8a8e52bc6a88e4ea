// Rules of fusion and means over ensembles, as evaluate/fusion.h has them.
#pragma once

#include "serval/deploy/bundle.h"

#include "arithmetic.h"

namespace serval::deploy::onnx {

// Of the members' scores, [batch, class] each, by Bundle::members.
Name write_fusion(Graph& graph, const Bundle& bundle, const std::vector<Name>& members);

}  // namespace serval::deploy::onnx
