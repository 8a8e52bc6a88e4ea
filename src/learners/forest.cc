// Random forest, as many threads as like at once.
#include "serval/core/error.h"

#include "models.h"

namespace serval::learners {

namespace {

// Values up to the threshold go left. A leaf has no column and votes for its label.
struct TreeNode {
  int column = -1;
  float threshold = 0;
  int left = -1, right = -1;
  int label = 0;
};

class Forest : public Learner {
 public:
  Forest(std::vector<int> roots, std::vector<TreeNode> nodes, int columns, int classes)
      : roots_(std::move(roots)), nodes_(std::move(nodes)), columns_(columns), classes_(classes) {}

  std::int64_t columns() const override { return columns_; }
  std::int64_t classes() const override { return classes_; }
  std::vector<std::vector<float>> scores(const Rows& x) const override {
    std::vector<std::vector<float>> out;
    for (std::int64_t r = 0; r < x.count; ++r) {
      const std::span<const float> row = x.row(r);
      std::vector<int> votes(static_cast<std::size_t>(classes_), 0);
      for (const int root : roots_) ++votes[static_cast<std::size_t>(leaf(root, row).label)];
      std::vector<float>& shares = out.emplace_back();
      for (const int count : votes)
        shares.push_back(static_cast<float>(count) / static_cast<float>(roots_.size()));
    }
    return out;
  }

 private:
  const TreeNode& leaf(int root, std::span<const float> row) const {
    const TreeNode* node = &nodes_[static_cast<std::size_t>(root)];
    while (node->column >= 0) {
      const bool left = row[static_cast<std::size_t>(node->column)] <= node->threshold;
      node = &nodes_[static_cast<std::size_t>(left ? node->left : node->right)];
    }
    return *node;
  }

  std::vector<int> roots_;
  std::vector<TreeNode> nodes_;
  int columns_, classes_;
};

}  // namespace

std::unique_ptr<Learner> restore_forest(const LearnerState& state) {
  const StateArray<float>& thresholds = state.get_floats("thresholds");
  const auto count = static_cast<std::int64_t>(thresholds.values.size());
  const std::int64_t columns = state.get("columns");
  const std::int64_t classes = state.get("classes");
  // Numbers from `least` up to `end`.
  const auto numbers = [&](const char* name, const Shape& shape, std::int64_t least, std::int64_t end) {
    std::vector<int> out;
    for (const std::int64_t value : of_shape(state.get_integers(name), shape, name)) {
      if (value < least || value >= end)
        throw DataError(cat("the fitted model's ", name, " has a ", value, " among ", end));
      out.push_back(static_cast<int>(value));
    }
    return out;
  };
  of_shape(thresholds, {count}, "thresholds");
  if (state.get_integers("roots").values.empty()) throw DataError("the fitted model has no tree");
  const std::vector<int> node_columns = numbers("node_columns", {count}, -1, columns);
  const std::vector<int> left = numbers("left", {count}, -1, count);
  const std::vector<int> right = numbers("right", {count}, -1, count);
  const std::vector<int> labels = numbers("labels", {count}, 0, classes);
  std::vector<TreeNode> nodes;
  for (std::size_t i = 0; i < node_columns.size(); ++i) {
    const auto own = static_cast<int>(i);  // children come later
    if (node_columns[i] >= 0 && (left[i] <= own || right[i] <= own))
      throw DataError(cat("the fitted model's node ", i, " leads to ", left[i], " and ", right[i]));
    nodes.push_back({node_columns[i], thresholds.values[i], left[i], right[i], labels[i]});
  }
  return std::make_unique<Forest>(numbers("roots", state.get_integers("roots").shape, 0, count),
                                  std::move(nodes), static_cast<int>(columns), static_cast<int>(classes));
}

}  // namespace serval::learners
