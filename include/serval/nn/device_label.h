// Names what decides the bits of a computation: the device's type and, on it, the libraries or instructions.
#pragma once

#include <string>

#include "serval/core/tensor.h"

namespace serval::nn {

// "cpu (AMD EPYC, avx512)", "cuda (NVIDIA H200, CUDA 13.0, cuDNN 9.19.0)"
std::string device_label(const Device& device);

}  // namespace serval::nn
