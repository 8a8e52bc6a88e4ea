// Layers that transformers hold.
#pragma once

#include <memory>

#include "../layer_body.h"

namespace serval::nn {

std::unique_ptr<LayerBody> make_class_tokens(std::int64_t count);
std::unique_ptr<LayerBody> make_token_mean(std::int64_t count);

}  // namespace serval::nn
