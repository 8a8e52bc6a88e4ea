// SVM with a radial basis function, all pairs of classes, by LIBSVM without its probability estimates: those draw
// from a random number generator that all threads share.
#include <memory>
#include <mutex>

#include <libsvm/svm.h>

#include "serval/core/error.h"

#include "fitters.h"

namespace serval::fitting {

namespace {

struct FreeModel {
  void operator()(svm_model* m) const { svm_free_and_destroy_model(&m); }
};

void silent(const char*) {}

std::vector<svm_node> nodes_of(std::span<const float> row) {
  std::vector<svm_node> nodes;
  for (std::size_t i = 0; i < row.size(); ++i)
    nodes.push_back({static_cast<int>(i) + 1, static_cast<double>(row[i])});
  nodes.push_back({-1, 0});
  return nodes;
}

LearnerState state_of(const svm_model& fitted, std::int64_t classes, std::int64_t columns) {
  const std::int64_t count = fitted.l;
  std::vector<float> vectors;
  std::vector<double> coefficients;
  for (std::int64_t v = 0; v < count; ++v) {
    // Numbers of the rows that were fitted, all of them there and float before.
    for (const svm_node* node = fitted.SV[v]; node->index >= 0; ++node)
      vectors.push_back(static_cast<float>(node->value));
  }
  for (std::int64_t c = 0; c + 1 < classes; ++c)
    coefficients.insert(coefficients.end(), fitted.sv_coef[c], fitted.sv_coef[c] + count);
  const std::int64_t pairs = classes * (classes - 1) / 2;
  LearnerState out;
  out.floats["vectors"] = {{count, columns}, std::move(vectors)};
  out.doubles["coefficients"] = {{classes - 1, count}, std::move(coefficients)};
  out.doubles["offsets"] = {{pairs}, {fitted.rho, fitted.rho + pairs}};
  out.doubles["gamma"] = {{1}, {fitted.param.gamma}};
  out.integers["labels"] = {{classes}, {fitted.label, fitted.label + classes}};
  out.integers["vectors_of_class"] = {{classes}, {fitted.nSV, fitted.nSV + classes}};
  return out;
}

// 1 / (columns * variance of all values)
double scale_gamma(const Rows& x) {
  const auto count = static_cast<double>(x.count * x.columns);
  double mean = 0, variance = 0;
  for (std::int64_t i = 0; i < x.count * x.columns; ++i) mean += static_cast<double>(x.values[i]) / count;
  for (std::int64_t i = 0; i < x.count * x.columns; ++i) {
    const double distance = static_cast<double>(x.values[i]) - mean;
    variance += distance * distance / count;
  }
  return variance > 0 ? 1 / (static_cast<double>(x.columns) * variance) : 1;
}

}  // namespace

LearnerState fit_rbf_svm(const LearnerSettings& settings, const Rows& x, Labels labels, int classes) {
  static std::once_flag once;  // the library keeps one for all threads
  std::call_once(once, [] { svm_set_print_string_function(silent); });
  std::vector<std::vector<svm_node>> vectors;
  std::vector<svm_node*> rows;
  for (std::int64_t r = 0; r < x.count; ++r) vectors.push_back(nodes_of(x.row(r)));
  for (std::vector<svm_node>& vector : vectors) rows.push_back(vector.data());
  std::vector<double> y(labels.begin(), labels.end());
  const svm_problem data{static_cast<int>(x.count), y.data(), rows.data()};
  std::vector<double> weights = class_weights(settings.balanced, labels, classes);
  std::vector<int> weighted;
  for (int c = 0; c < classes; ++c) weighted.push_back(c);
  svm_parameter how{};
  how.svm_type = C_SVC;
  how.kernel_type = RBF;
  how.gamma = settings.gamma ? *settings.gamma : scale_gamma(x);
  how.cache_size = 200;
  how.eps = 1e-3;
  how.C = settings.c;
  how.nr_weight = classes;
  how.weight_label = weighted.data();
  how.weight = weights.data();
  how.shrinking = 1;
  const char* problem_text = svm_check_parameter(&data, &how);
  SERVAL_CHECK(problem_text == nullptr, problem_text);
  return state_of(*std::unique_ptr<svm_model, FreeModel>(svm_train(&data, &how)), classes, x.columns);
}

}  // namespace serval::fitting
