// Layers of a network computed one recording at a time, in double and in the plainest way: what the ops are
// tested against. Gradients come from differences of these (numeric_gradient), not from formulas.
#pragma once

#include <cmath>
#include <cstddef>
#include <functional>
#include <vector>

#include "serval/core/error.h"
#include "serval/core/settings_io.h"
#include "serval/nn/network.h"
#include "serval/nn/pointwise.h"

namespace serval::testing_support {

// Layers of the networks that the reference below can compute.
enum class LayerType { kLstm, kMeanPool, kLastPool, kAttentionPool, kDense, kDropout };
struct SimpleLayer {
  LayerType type = LayerType::kDense;
  std::int64_t hidden = 128;
  std::int64_t layers = 1;
  bool bidirectional = false;
  double dropout = 0;
  std::int64_t units = 0;
  nn::Activation activation = nn::Activation::kNone;
  double rate = 0.5;
};
using SimpleNetwork = std::vector<SimpleLayer>;

// The network of a description in JSON.
inline nn::NetworkSettings network_of(const std::string& json) {
  std::vector<std::string> errors;
  nn::NetworkSettings settings = read_settings<nn::NetworkSettings>(parse_json(json, "network.json"), errors);
  if (!errors.empty()) throw ConfigError(join(errors, "\n"));
  return settings;
}

inline nn::NetworkSettings network_of(const SimpleNetwork& layers) {
  std::vector<std::string> texts;
  for (const SimpleLayer& layer : layers) {
    switch (layer.type) {
      case LayerType::kLstm:
        texts.push_back(cat(R"({"type": "lstm", "hidden": )", layer.hidden, R"(, "layers": )", layer.layers,
                            R"(, "bidirectional": )", layer.bidirectional ? "true" : "false",
                            R"(, "dropout": )", layer.dropout, "}"));
        break;
      case LayerType::kMeanPool:
        texts.emplace_back(R"({"type": "mean_pool"})");
        break;
      case LayerType::kLastPool:
        texts.emplace_back(R"({"type": "last_pool"})");
        break;
      case LayerType::kAttentionPool:
        texts.push_back(cat(R"({"type": "attention_pool", "units": )", layer.units, "}"));
        break;
      case LayerType::kDense: {
        const char* activation = layer.activation == nn::Activation::kRelu   ? "relu"
                                 : layer.activation == nn::Activation::kTanh ? "tanh"
                                 : layer.activation == nn::Activation::kNone ? "none"
                                                                             : "sigmoid";
        texts.push_back(
            cat(R"({"type": "dense", "units": )", layer.units, R"(, "activation": ")", activation, "\"}"));
        break;
      }
      case LayerType::kDropout:
        texts.push_back(cat(R"({"type": "dropout", "rate": )", layer.rate, "}"));
        break;
    }
  }
  return network_of("{\"layers\": [" + join(texts, ", ") + "]}");
}

}  // namespace serval::testing_support

namespace serval::testing_support::reference {

using Row = std::vector<double>;
using Sequence = std::vector<Row>;  // [step][feature]

inline double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

// w is [w.size() / x.size(), x.size()], row-major; b may be null.
inline Row affine(const double* w, const double* b, const Row& x, std::size_t rows) {
  Row y(rows);
  for (std::size_t r = 0; r < rows; ++r) {
    y[r] = b == nullptr ? 0 : b[r];
    for (std::size_t c = 0; c < x.size(); ++c) y[r] += w[r * x.size() + c] * x[c];
  }
  return y;
}

// weights: W_x [4H, I], W_h [4H, H], b [4H]; gates i, f, g, o.
inline Sequence lstm(const double* weights, const Sequence& x, std::size_t hidden, bool reversed) {
  const std::size_t input = x.front().size();
  const double* w_h = weights + 4 * hidden * input;
  const double* bias = w_h + 4 * hidden * hidden;
  Row h(hidden, 0.0);
  Row c(hidden, 0.0);
  Sequence y(x.size());
  for (std::size_t s = 0; s < x.size(); ++s) {
    const std::size_t t = reversed ? x.size() - 1 - s : s;
    const Row from_x = affine(weights, bias, x[t], 4 * hidden);
    const Row from_h = affine(w_h, nullptr, h, 4 * hidden);
    for (std::size_t j = 0; j < hidden; ++j) {
      const auto gate = [&](std::size_t k) { return from_x[k * hidden + j] + from_h[k * hidden + j]; };
      c[j] = sigmoid(gate(1)) * c[j] + sigmoid(gate(0)) * std::tanh(gate(2));
      h[j] = sigmoid(gate(3)) * std::tanh(c[j]);
    }
    y[t] = h;
  }
  return y;
}

inline Row mean_pool(const Sequence& x) {
  Row y(x.front().size(), 0.0);
  for (const Row& row : x) {
    for (std::size_t f = 0; f < y.size(); ++f) y[f] += row[f] / static_cast<double>(x.size());
  }
  return y;
}

inline Row last_pool(const Sequence& x, std::size_t reversed_from) {
  Row y = x.back();
  for (std::size_t f = reversed_from; f < y.size(); ++f) y[f] = x.front()[f];
  return y;
}

inline Row weighted_pool(const Sequence& x, const Row& scores) {
  double sum = 0;
  for (const double score : scores) sum += std::exp(score);
  Row y(x.front().size(), 0.0);
  for (std::size_t t = 0; t < x.size(); ++t) {
    for (std::size_t f = 0; f < y.size(); ++f) y[f] += std::exp(scores[t]) / sum * x[t][f];
  }
  return y;
}

// w [units, F], b [units], v [units]
inline Row attention_pool(const double* parameters, const Sequence& x, std::size_t units) {
  const double* b = parameters + units * x.front().size();
  const double* v = b + units;
  Row scores;
  for (const Row& row : x) {
    Row hidden = affine(parameters, b, row, units);
    for (double& value : hidden) value = std::tanh(value);
    scores.push_back(affine(v, nullptr, hidden, 1)[0]);
  }
  return weighted_pool(x, scores);
}

inline double activate(nn::Activation activation, double x) {
  switch (activation) {
    case nn::Activation::kNone:
      return x;
    case nn::Activation::kRelu:
      return x > 0 ? x : 0;
    case nn::Activation::kTanh:
      return std::tanh(x);
    case nn::Activation::kSigmoid:
      return sigmoid(x);
    default:
      break;  // tests of layers have their own
  }
  return x;
}

// The whole network without dropout; parameters lie one layer after the other, as network.h orders them.
inline Row logits(const SimpleNetwork& layers, std::size_t classes, const std::vector<double>& parameters,
                  Sequence x) {
  const double* next = parameters.data();
  Row pooled;
  std::size_t reversed_from = x.front().size();
  for (const SimpleLayer& layer : layers) {
    const auto hidden = static_cast<std::size_t>(layer.hidden);
    const auto units = layer.units == 0 ? classes : static_cast<std::size_t>(layer.units);
    switch (layer.type) {
      case LayerType::kLstm:
        for (std::int64_t k = 0; k < layer.layers; ++k) {
          Sequence y(x.size());
          for (const bool reversed : {false, true}) {
            if (reversed && !layer.bidirectional) continue;
            const Sequence half = lstm(next, x, hidden, reversed);
            next += 4 * hidden * (x.front().size() + hidden + 1);
            for (std::size_t t = 0; t < x.size(); ++t)
              y[t].insert(y[t].end(), half[t].begin(), half[t].end());
          }
          x = y;
          reversed_from = hidden;
        }
        break;
      case LayerType::kMeanPool:
        pooled = mean_pool(x);
        break;
      case LayerType::kLastPool:
        pooled = last_pool(x, reversed_from);
        break;
      case LayerType::kAttentionPool:
        pooled = attention_pool(next, x, units);
        next += units * (x.front().size() + 2);
        break;
      case LayerType::kDense: {
        const auto dense = [&](const Row& row) {
          Row y = affine(next, next + units * row.size(), row, units);
          for (double& value : y) value = activate(layer.activation, value);
          return y;
        };
        const std::size_t width = pooled.empty() ? x.front().size() : pooled.size();
        if (pooled.empty()) {
          for (Row& row : x) row = dense(row);
          reversed_from = units;
        } else {
          pooled = dense(pooled);
        }
        next += units * (width + 1);
        break;
      }
      case LayerType::kDropout:
        break;
    }
  }
  return pooled;
}

// Weighted mean of -log softmax, as PyTorch's CrossEntropyLoss; weights may be empty.
inline double cross_entropy(const std::vector<Row>& rows, const std::vector<int>& labels,
                            const Row& weights) {
  double loss = 0;
  double total = 0;
  for (std::size_t b = 0; b < rows.size(); ++b) {
    const auto label = static_cast<std::size_t>(labels[b]);
    const double weight = weights.empty() ? 1 : weights[label];
    double sum = 0;
    for (const double logit : rows[b]) sum += std::exp(logit);
    loss += weight * (std::log(sum) - rows[b][label]);
    total += weight;
  }
  return loss / total;
}

// d value / d at[i], by central differences, for every `every`-th i; the others stay 0.
inline std::vector<double> numeric_gradient(const std::function<double(const std::vector<double>&)>& value,
                                            std::vector<double> at, std::size_t every = 1) {
  constexpr double kStep = 1e-5;
  std::vector<double> gradient(at.size(), 0.0);
  for (std::size_t i = 0; i < at.size(); i += every) {
    const double saved = at[i];
    at[i] = saved + kStep;
    const double above = value(at);
    at[i] = saved - kStep;
    const double below = value(at);
    at[i] = saved;
    gradient[i] = (above - below) / (2 * kStep);
  }
  return gradient;
}

// Every `every`-th value; what numeric_gradient() is compared with.
template <class T>
std::vector<T> thinned(const std::vector<T>& values, std::size_t every) {
  std::vector<T> out;
  for (std::size_t i = 0; i < values.size(); i += every) out.push_back(values[i]);
  return out;
}

}  // namespace serval::testing_support::reference
