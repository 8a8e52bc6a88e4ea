// The first values of the parameters, computed on the host in double so that every device starts equal.
#include "serval/nn/initialiser.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <span>

#include "network_plan.h"

namespace serval::nn {

namespace {

// Two normal numbers out of two uniform ones (Box and Muller).
double normal(const RandomStream& random, std::uint64_t index) {
  const double u = 1.0 - static_cast<double>(random.uniform(2 * index));  // in (0, 1]
  const double v = static_cast<double>(random.uniform(2 * index + 1));
  return std::sqrt(-2 * std::log(u)) * std::cos(2 * std::numbers::pi * v);
}

void fill_uniform(const RandomStream& random, double limit, std::span<float> values) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<float>(limit * (2 * static_cast<double>(random.uniform(i)) - 1));
  }
}

// Numbers beyond two deviations are drawn again, from as many further places of the stream as it takes.
void fill_truncated(const RandomStream& random, double deviation, std::span<float> values) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    double value = normal(random, i);
    for (std::uint64_t turn = 1; std::abs(value) > 2; ++turn)
      value = normal(random, i + turn * values.size());
    values[i] = static_cast<float>(deviation * value);
  }
}

double dot(std::span<const double> a, std::span<const double> b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

// Rows of normal numbers made orthonormal by Gram-Schmidt, each row cleaned twice: a matrix drawn evenly from
// all orthogonal ones. With more rows than columns it is the columns that become orthonormal.
void fill_orthogonal(const RandomStream& random, std::size_t height, std::size_t width, std::uint64_t first,
                     std::span<float> values) {
  const bool tall = height > width;
  const std::size_t count = tall ? width : height;
  const std::size_t size = tall ? height : width;
  std::vector<double> rows(count * size);
  const auto row = [&](std::size_t r) { return std::span(rows).subspan(r * size, size); };
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = normal(random, first + i);
  for (std::size_t r = 0; r < count; ++r) {
    for (int pass = 0; pass < 2; ++pass) {
      for (std::size_t other = 0; other < r; ++other) {
        const double share = dot(row(r), row(other));
        for (std::size_t c = 0; c < size; ++c) row(r)[c] -= share * row(other)[c];
      }
    }
    const double scale = 1 / std::sqrt(dot(row(r), row(r)));
    for (double& value : row(r)) value *= scale;
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    values[tall ? (i % size) * width + i / size : i] = static_cast<float>(rows[i]);
  }
}

void fill_block(const ParameterBlock& block, const RandomStream& random, std::span<float> values) {
  const Initialiser& init = block.init;
  constexpr double kCut = 0.87962566103423978;  // deviation of a normal number cut at 2
  const double both = init.fan_in + init.fan_out;
  switch (init.kind) {
    case InitKind::kZeros:
      return;
    case InitKind::kOnes:
      std::fill(values.begin(), values.end(), 1.0f);
      return;
    case InitKind::kConstant:
      std::fill(values.begin(), values.end(), static_cast<float>(init.scale));
      return;
    case InitKind::kGlorotUniform:
      return fill_uniform(random, std::sqrt(6 / both), values);
    case InitKind::kHeUniform:
      return fill_uniform(random, std::sqrt(6 / init.fan_in), values);
    case InitKind::kLecunUniform:
      return fill_uniform(random, std::sqrt(3 / init.fan_in), values);
    case InitKind::kTorchUniform:
      return fill_uniform(random, 1 / std::sqrt(init.fan_in), values);
    case InitKind::kGlorotNormal:
      return fill_truncated(random, std::sqrt(2 / both) / kCut, values);
    case InitKind::kHeNormal:
      return fill_truncated(random, std::sqrt(2 / init.fan_in) / kCut, values);
    case InitKind::kLecunNormal:
      return fill_truncated(random, std::sqrt(1 / init.fan_in) / kCut, values);
    case InitKind::kTruncatedNormal:
      return fill_truncated(random, init.scale, values);
    case InitKind::kNormal:
      for (std::size_t i = 0; i < values.size(); ++i)
        values[i] = static_cast<float>(init.scale * normal(random, i));
      return;
    case InitKind::kOrthogonal: {  // [gates * height, width]
      const auto gates = static_cast<std::size_t>(init.gates);
      const std::size_t height = static_cast<std::size_t>(block.shape[0]) / gates;
      const std::size_t size = values.size() / gates;
      for (std::size_t g = 0; g < gates; ++g) {
        fill_orthogonal(random, height, size / height, g * size, values.subspan(g * size, size));
      }
      return;
    }
    case InitKind::kForgetBias: {  // i, f, g, o
      const std::size_t hidden = values.size() / 4;
      if (init.fan_in > 0) fill_uniform(random, 1 / std::sqrt(init.fan_in), values);
      for (std::size_t i = hidden; i < 2 * hidden; ++i) values[i] += static_cast<float>(init.scale);
      return;
    }
  }
}

}  // namespace

const Options<InitKind>& initialiser_names() {
  static const Options<InitKind> names{
      {"glorot_uniform", InitKind::kGlorotUniform},
      {"glorot_normal", InitKind::kGlorotNormal},
      {"he_uniform", InitKind::kHeUniform},
      {"he_normal", InitKind::kHeNormal},
      {"lecun_uniform", InitKind::kLecunUniform},
      {"lecun_normal", InitKind::kLecunNormal},
      {"torch_uniform", InitKind::kTorchUniform},
      {"orthogonal", InitKind::kOrthogonal},
      {"normal", InitKind::kNormal},
      {"truncated_normal", InitKind::kTruncatedNormal},
      {"zeros", InitKind::kZeros},
      {"ones", InitKind::kOnes},
  };
  return names;
}

std::vector<float> initial_parameters(const NetworkPlan& plan, std::uint64_t seed, std::uint32_t fold) {
  std::vector<float> values(static_cast<std::size_t>(plan.parameter_count));
  for (std::size_t i = 0; i < plan.blocks.size(); ++i) {
    const ParameterBlock& block = plan.blocks[i];
    const RandomStream random{
        .seed = seed, .fold = fold, .purpose = RandomPurpose::kInit, .step = static_cast<std::uint32_t>(i)};
    fill_block(block, random,
               std::span(values).subspan(static_cast<std::size_t>(block.offset),
                                         static_cast<std::size_t>(block.shape.size())));
  }
  return values;
}

}  // namespace serval::nn
