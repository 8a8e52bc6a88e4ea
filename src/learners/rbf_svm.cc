// SVM with a radial basis function, all pairs of classes, by LIBSVM without its probability estimates: those draw
// from a random number generator that all threads share.
#include <cmath>
#include <mutex>
#include <numeric>

#include <libsvm/svm.h>

#include "serval/core/error.h"

#include "c_memory.h"
#include "models.h"

namespace serval::learners {

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

class RbfSvm : public Learner {
 public:
  // LIBSVM's model points into the training vectors.
  RbfSvm(std::vector<std::vector<svm_node>> vectors, std::unique_ptr<svm_model, FreeModel> fitted,
         int classes)
      : vectors_(std::move(vectors)), model_(std::move(fitted)), classes_(classes) {}

  std::vector<std::vector<float>> scores(const Rows& x) const override {
    const auto classes = static_cast<std::size_t>(classes_);
    std::vector<std::vector<float>> out;
    std::vector<double> pairs(classes * (classes - 1) / 2);
    for (std::int64_t r = 0; r < x.count; ++r) {
      const std::vector<svm_node> nodes = nodes_of(x.row(r));
      svm_predict_values(model_.get(), nodes.data(), pairs.data());
      std::vector<double> votes(classes, 0.0), margins(classes, 0.0);
      std::size_t pair = 0;
      for (std::size_t a = 0; a < classes; ++a) {
        for (std::size_t b = a + 1; b < classes; ++b, ++pair) {
          votes[pairs[pair] > 0 ? a : b] += 1;
          margins[a] += pairs[pair];
          margins[b] -= pairs[pair];
        }
      }
      for (std::size_t c = 0; c < classes; ++c) votes[c] += margins[c] / (3 * (std::abs(margins[c]) + 1));
      softmax(votes);
      std::vector<float>& row = out.emplace_back(classes);
      for (std::size_t c = 0; c < classes; ++c)
        row[static_cast<std::size_t>(model_->label[c])] = static_cast<float>(votes[c]);
    }
    return out;
  }
  LearnerState state() const override {
    LearnerState out;
    const std::int64_t count = model_->l;
    std::vector<float> vectors;
    std::vector<double> coefficients;
    for (std::int64_t v = 0; v < count; ++v) {
      // Numbers of the rows that were fitted, all of them there and float before.
      for (const svm_node* node = model_->SV[v]; node->index >= 0; ++node)
        vectors.push_back(static_cast<float>(node->value));
    }
    for (int c = 0; c + 1 < classes_; ++c)
      coefficients.insert(coefficients.end(), model_->sv_coef[c], model_->sv_coef[c] + count);
    const std::int64_t columns = static_cast<std::int64_t>(vectors.size()) / count;
    out.floats["vectors"] = {{count, columns}, std::move(vectors)};
    out.doubles["coefficients"] = {{classes_ - 1, count}, std::move(coefficients)};
    const std::int64_t pairs = classes_ * (classes_ - 1) / 2;
    out.doubles["offsets"] = {{pairs}, {model_->rho, model_->rho + pairs}};
    out.doubles["gamma"] = {{1}, {model_->param.gamma}};
    out.integers["labels"] = {{classes_}, {model_->label, model_->label + classes_}};
    out.integers["vectors_of_class"] = {{classes_}, {model_->nSV, model_->nSV + classes_}};
    return out;
  }

 private:
  std::vector<std::vector<svm_node>> vectors_;
  std::unique_ptr<svm_model, FreeModel> model_;
  int classes_;
};

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

std::unique_ptr<Learner> restore_rbf_svm(const LearnerState& state) {
  const StateArray<float>& vectors = state.get_floats("vectors");
  const StateArray<std::int64_t>& labels = state.get_integers("labels");
  const auto classes = static_cast<std::int64_t>(labels.values.size());
  const std::int64_t count = vectors.shape[0];
  const std::int64_t columns = vectors.shape[1];
  of_shape(vectors, {count, columns}, "vectors");
  of_shape(labels, {classes}, "labels");
  const auto& counts = of_shape(state.get_integers("vectors_of_class"), {classes}, "vectors_of_class");
  const auto& coefficients =
      of_shape(state.get_doubles("coefficients"), {classes - 1, count}, "coefficients");
  const auto& offsets = of_shape(state.get_doubles("offsets"), {classes * (classes - 1) / 2}, "offsets");
  if (std::accumulate(counts.begin(), counts.end(), std::int64_t{0}) != count)
    throw DataError("the fitted model's vectors_of_class do not add up to its vectors");

  const Rows rows{vectors.values.data(), count, columns};
  std::vector<std::vector<svm_node>> nodes;
  for (std::int64_t v = 0; v < count; ++v) nodes.push_back(nodes_of(rows.row(v)));
  std::unique_ptr<svm_model, FreeModel> fitted(c_array<svm_model>(1));
  fitted->param.svm_type = C_SVC;
  fitted->param.kernel_type = RBF;
  fitted->param.gamma = of_shape(state.get_doubles("gamma"), {1}, "gamma").front();
  fitted->nr_class = static_cast<int>(classes);
  fitted->l = static_cast<int>(count);
  fitted->SV = c_array<svm_node*>(nodes.size());
  for (std::size_t v = 0; v < nodes.size(); ++v) fitted->SV[v] = nodes[v].data();
  fitted->sv_coef = c_array<double*>(static_cast<std::size_t>(classes - 1));
  for (std::int64_t c = 0; c + 1 < classes; ++c) {
    const auto first = coefficients.begin() + c * count;
    fitted->sv_coef[c] = c_copy<double>(first, first + count);
  }
  fitted->rho = c_copy<double>(offsets.begin(), offsets.end());
  fitted->label = c_copy<int>(labels.values.begin(), labels.values.end());
  fitted->nSV = c_copy<int>(counts.begin(), counts.end());
  return std::make_unique<RbfSvm>(std::move(nodes), std::move(fitted), static_cast<int>(classes));
}

std::unique_ptr<Learner> fit_rbf_svm(const LearnerSettings& settings, const Rows& x, Labels labels,
                                     int classes) {
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
  std::unique_ptr<svm_model, FreeModel> fitted(svm_train(&data, &how));
  return std::make_unique<RbfSvm>(std::move(vectors), std::move(fitted), classes);
}

}  // namespace serval::learners
