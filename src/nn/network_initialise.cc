// The first values of the parameters, computed on the host in double so that every device starts equal.
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

// Glorot and Bengio: uniform within sqrt(6 / (fan in + fan out)) of the whole matrix [out, in].
void fill_glorot(const RandomStream& random, const Shape& shape, std::span<float> values) {
  const double limit = std::sqrt(6.0 / static_cast<double>(shape[0] + shape[1]));
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<float>(limit * (2 * static_cast<double>(random.uniform(i)) - 1));
  }
}

double dot(std::span<const double> a, std::span<const double> b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

// Rows of normal numbers made orthonormal by Gram-Schmidt, each row cleaned twice: a matrix drawn evenly from
// all orthogonal ones.
void fill_orthogonal(const RandomStream& random, std::size_t size, std::uint64_t first,
                     std::span<float> values) {
  std::vector<double> rows(size * size);
  const auto row = [&](std::size_t r) { return std::span(rows).subspan(r * size, size); };
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = normal(random, first + i);
  for (std::size_t r = 0; r < size; ++r) {
    for (int pass = 0; pass < 2; ++pass) {
      for (std::size_t other = 0; other < r; ++other) {
        const double share = dot(row(r), row(other));
        for (std::size_t c = 0; c < size; ++c) row(r)[c] -= share * row(other)[c];
      }
    }
    const double scale = 1 / std::sqrt(dot(row(r), row(r)));
    for (double& value : row(r)) value *= scale;
  }
  for (std::size_t i = 0; i < rows.size(); ++i) values[i] = static_cast<float>(rows[i]);
}

void fill_block(const ParameterBlock& block, const RandomStream& random, std::span<float> values) {
  switch (block.init) {
    case ParameterBlock::Init::kZero:
      break;
    case ParameterBlock::Init::kGlorotUniform:
      fill_glorot(random, block.shape, values);
      break;
    case ParameterBlock::Init::kOrthogonal: {  // [gates * H, H]
      const auto hidden = static_cast<std::size_t>(block.shape[1]);
      for (std::size_t first = 0; first < values.size(); first += hidden * hidden) {
        fill_orthogonal(random, hidden, first, values.subspan(first, hidden * hidden));
      }
      break;
    }
    case ParameterBlock::Init::kForgetBias: {  // i, f, g, o
      const std::size_t hidden = values.size() / 4;
      for (std::size_t i = hidden; i < 2 * hidden; ++i) values[i] = 1;
      break;
    }
  }
}

}  // namespace

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
