#include "weight_loss.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>

#include "serval/core/files.h"
#include "serval/deploy/predictor.h"
#include "serval/evaluate/scores.h"

namespace serval::experiment {
namespace fs = std::filesystem;

namespace {

constexpr std::size_t kMostRecordings = 400;

// Removed with all that is in it.
class TemporaryFolder {
 public:
  TemporaryFolder() : file_(fs::temp_directory_path() / "serval-weights") {}
  ~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(file_.path(), ignored);
  }
  std::string path() const { return file_.path().string(); }

 private:
  TemporaryFile file_;
};

std::vector<deploy::Prediction> predictions_of(const deploy::Bundle& bundle,
                                               const std::vector<std::string>& paths) {
  const TemporaryFolder folder;
  deploy::write_bundle(folder.path(), bundle, {});
  const deploy::Predictor predictor(folder.path());
  std::vector<deploy::Prediction> out;
  for (const std::string& path : paths) out.push_back(predictor.predict_file(path));
  return out;
}

double uar_of(const std::vector<int>& labels, const std::vector<deploy::Prediction>& said,
              std::size_t classes) {
  std::vector<int> best;
  for (const deploy::Prediction& one : said) best.push_back(static_cast<int>(one.best));
  return evaluate::score(labels, best, static_cast<int>(classes)).uar;
}

}  // namespace

JsonValue to_json(const WeightLoss& loss) {
  JsonValue out = JsonValue::object();
  out.set("recordings", JsonValue::of(loss.recordings));
  out.set("labels_changed", JsonValue::of(loss.labels_changed));
  out.set("largest_difference", JsonValue::of(loss.largest_difference));
  if (loss.uar) {
    out.set("uar_float32", JsonValue::of(*loss.uar_float32));
    out.set("uar", JsonValue::of(*loss.uar));
  }
  return out;
}

WeightLoss measure_loss(const deploy::Bundle& bundle, const FinishedRun& run,
                        const report::ModelReport& model, std::optional<int> fold) {
  std::map<std::string, int> labels;  // by recording
  for (const report::Prediction& p : model.predictions) {
    if (!fold || p.fold == *fold) labels[p.recording] = p.label;
  }
  std::vector<std::string> paths;
  std::vector<int> truth;
  const std::size_t step = (labels.size() + kMostRecordings - 1) / kMostRecordings;
  std::size_t number = 0;
  for (const corpus::Recording& recording : run.recordings) {
    const auto label = labels.find(recording.id);
    if (label == labels.end() || number++ % step != 0) continue;
    paths.push_back(recording.path);
    truth.push_back(label->second);
  }
  deploy::Bundle as_trained = bundle;
  as_trained.weights = deploy::WeightForm::kFloat32;
  const std::vector<deploy::Prediction> before = predictions_of(as_trained, paths);
  const std::vector<deploy::Prediction> after = predictions_of(bundle, paths);
  WeightLoss out;
  out.recordings = static_cast<std::int64_t>(paths.size());
  for (std::size_t i = 0; i < paths.size(); ++i) {
    out.labels_changed += before[i].best != after[i].best ? 1 : 0;
    for (std::size_t c = 0; c < bundle.classes.size(); ++c) {
      const double difference =
          static_cast<double>(before[i].probabilities[c]) - static_cast<double>(after[i].probabilities[c]);
      out.largest_difference = std::max(out.largest_difference, std::abs(difference));
    }
  }
  if (fold && !paths.empty()) {
    out.uar_float32 = uar_of(truth, before, bundle.classes.size());
    out.uar = uar_of(truth, after, bundle.classes.size());
  }
  return out;
}

}  // namespace serval::experiment
