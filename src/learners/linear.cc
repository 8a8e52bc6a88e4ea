// Linear SVM with squared hinge loss, and logistic regression, one class against the rest, by LIBLINEAR's primal
// solvers: those draw no random numbers.
#include <cmath>
#include <mutex>

#include <linear.h>

#include "serval/core/error.h"

#include "c_memory.h"
#include "models.h"

namespace serval::learners {

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
  const feature_node* row(std::int64_t r) const { return rows_[static_cast<std::size_t>(r)]; }

 private:
  std::vector<feature_node> nodes_;
  std::vector<feature_node*> rows_;
};

class Linear : public Learner {
 public:
  Linear(std::unique_ptr<model, FreeModel> fitted, int classes, bool logistic)
      : model_(std::move(fitted)), classes_(classes), logistic_(logistic) {}

  std::vector<std::vector<float>> scores(const Rows& x) const override {
    const Nodes nodes(x);
    std::vector<std::vector<float>> out;
    for (std::int64_t r = 0; r < x.count; ++r) {
      std::vector<double> values(static_cast<std::size_t>(classes_), 0.0);
      predict_values(model_.get(), nodes.row(r), values.data());
      if (classes_ == 2) values[1] = -values[0];
      if (logistic_) {
        double sum = 0;
        for (double& value : values) sum += value = 1 / (1 + std::exp(-value));
        for (double& value : values) value /= sum;
      } else {
        softmax(values);
      }
      std::vector<float>& row = out.emplace_back(values.size());
      for (std::size_t c = 0; c < values.size(); ++c)
        row[static_cast<std::size_t>(model_->label[c])] = static_cast<float>(values[c]);
    }
    return out;
  }
  LearnerState state() const override {
    LearnerState out;
    const std::int64_t planes = planes_of(classes_);
    const std::int64_t inputs = model_->nr_feature + 1;
    out.doubles["planes"] = {{inputs, planes}, {model_->w, model_->w + inputs * planes}};
    out.integers["labels"] = {{classes_}, {model_->label, model_->label + classes_}};
    return out;
  }
  // Of two classes LIBLINEAR keeps one plane.
  static int planes_of(int classes) { return classes == 2 ? 1 : classes; }

 private:
  std::unique_ptr<model, FreeModel> model_;
  int classes_;
  bool logistic_;
};

int solver(const LearnerSettings& settings) {
  return settings.type == LearnerType::kLogistic ? L2R_LR : L2R_L2LOSS_SVC;
}

}  // namespace

std::unique_ptr<Learner> restore_linear(const LearnerSettings& settings, const LearnerState& state) {
  const StateArray<double>& planes = state.get_doubles("planes");
  const StateArray<std::int64_t>& labels = state.get_integers("labels");
  const auto classes = static_cast<int>(labels.values.size());
  of_shape(labels, {classes}, "labels");
  of_shape(planes, {planes.shape[0], Linear::planes_of(classes)}, "planes");
  std::unique_ptr<model, FreeModel> fitted(c_array<model>(1));
  fitted->param.solver_type = solver(settings);
  fitted->nr_class = classes;
  fitted->nr_feature = static_cast<int>(planes.shape[0]) - 1;
  fitted->bias = kBias;
  fitted->w = c_copy<double>(planes.values.begin(), planes.values.end());
  fitted->label = c_copy<int>(labels.values.begin(), labels.values.end());
  return std::make_unique<Linear>(std::move(fitted), classes, settings.type == LearnerType::kLogistic);
}

std::unique_ptr<Learner> fit_linear(const LearnerSettings& settings, const Rows& x, Labels labels,
                                    int classes) {
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
  how.solver_type = solver(settings);
  how.eps = 1e-4;
  how.C = settings.c;
  how.nr_weight = classes;
  how.weight_label = weighted.data();
  how.weight = weights.data();
  how.p = 0.1;
  const char* problem_text = check_parameter(&data, &how);
  SERVAL_CHECK(problem_text == nullptr, problem_text);
  return std::make_unique<Linear>(std::unique_ptr<model, FreeModel>(train(&data, &how)), classes,
                                  settings.type == LearnerType::kLogistic);
}

}  // namespace serval::learners
