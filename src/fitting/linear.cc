// Linear SVM with squared hinge loss, and logistic regression, one class against the rest, by LIBLINEAR's primal
// solvers: those draw no random numbers.
#include <memory>
#include <mutex>

#include <linear.h>

#include "serval/core/error.h"

#include "fitters.h"

namespace serval::fitting {

namespace {

constexpr double kBias = 1;

struct FreeModel {
  void operator()(model* m) const { free_and_destroy_model(&m); }
};

void silent(const char*) {}

// LIBLINEAR's form of a matrix: every row ends with the bias and a node of index -1.
class Nodes {
 public:
  explicit Nodes(const Rows& x) : nodes_(static_cast<std::size_t>(x.count * (x.columns + 2))) {
    for (std::int64_t r = 0; r < x.count; ++r) {
      feature_node* row = nodes_.data() + r * (x.columns + 2);
      rows_.push_back(row);
      for (const float value : x.row(r)) {
        row->index = static_cast<int>(row - rows_.back()) + 1;
        row->value = static_cast<double>(value);
        ++row;
      }
      row[0] = {static_cast<int>(x.columns) + 1, kBias};
      row[1] = {-1, 0};
    }
  }
  feature_node** rows() { return rows_.data(); }

 private:
  std::vector<feature_node> nodes_;
  std::vector<feature_node*> rows_;
};

}  // namespace

LearnerState fit_linear(const LearnerSettings& settings, const Rows& x, Labels labels, int classes) {
  static std::once_flag once;  // the library keeps one for all threads
  std::call_once(once, [] { set_print_string_function(silent); });
  Nodes nodes(x);
  std::vector<double> y(labels.begin(), labels.end());
  const problem data{static_cast<int>(x.count), static_cast<int>(x.columns) + 1, y.data(), nodes.rows(),
                     kBias};
  std::vector<double> weights = class_weights(settings.balanced, labels, classes);
  std::vector<int> weighted;
  for (int c = 0; c < classes; ++c) weighted.push_back(c);
  parameter how{};
  how.solver_type = settings.type == learners::LearnerType::kLogistic ? L2R_LR : L2R_L2LOSS_SVC;
  how.eps = 1e-4;
  how.C = settings.c;
  how.nr_weight = classes;
  how.weight_label = weighted.data();
  how.weight = weights.data();
  how.p = 0.1;
  const char* problem_text = check_parameter(&data, &how);
  SERVAL_CHECK(problem_text == nullptr, problem_text);
  const std::unique_ptr<model, FreeModel> fitted(train(&data, &how));
  LearnerState out;
  const std::int64_t planes = classes == 2 ? 1 : classes;  // of two classes LIBLINEAR keeps one
  const std::int64_t inputs = fitted->nr_feature + 1;
  out.doubles["planes"] = {{inputs, planes}, {fitted->w, fitted->w + inputs * planes}};
  out.integers["labels"] = {{classes}, {fitted->label, fitted->label + classes}};
  return out;
}

}  // namespace serval::fitting
