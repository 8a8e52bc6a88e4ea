// Feature sets made elsewhere, in an experiment on a corpus of tones: they train, and wrong ones stop the run.
#include <cmath>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serval/core/files.h"
#include "serval/core/json.h"
#include "serval/core/log.h"
#include "serval/experiment/dataset.h"
#include "serval/experiment/resolve.h"
#include "serval/experiment/run.h"
#include "serval/store/hdf5.h"

#include "tests/support/tone_corpus.h"

namespace serval::experiment {
namespace {

namespace fs = std::filesystem;
using corpus::message_of;
using corpus::TempFolder;
using testing::AllOf;
using testing::Each;
using testing::HasSubstr;
using testing_support::make_tone_corpus;
using testing_support::tone_experiment;
using testing_support::tone_name;

class ExternalFeaturesTest : public testing::Test {
 protected:
  void SetUp() override {
    set_quiet(true);
    make_tone_corpus(folder_ / "corpus");
    folder_.write("x.json", tone_experiment(folder_ / "corpus", folder_ / "stores"));
    write_vectors("vectors.h5");
  }

  // Four values a recording that tell its emotion, as an actor of his own would have them.
  void write_vectors(const std::string& name, int emotions = 4, float shift = 0) const {
    std::vector<float> data;
    std::vector<std::string> ids;
    std::vector<std::int64_t> offsets = {0};
    for (int actor = 6; actor >= 1; --actor) {  // another order than the manifest's
      for (int emotion = 1; emotion <= emotions; ++emotion) {
        for (int repetition = 0; repetition < 2; ++repetition) {
          for (int column = 0; column < 4; ++column)
            data.push_back((column + 1 == emotion ? 1.0f : 0.0f) + 0.05f * static_cast<float>(actor) + shift);
          ids.push_back(tone_name(emotion, repetition, actor) + ".wav");
          offsets.push_back(offsets.back() + 1);
        }
      }
    }
    store::Hdf5File file = store::Hdf5File::create(folder_ / name);
    file.write("data", std::span<const float>(data), {offsets.back(), 4});
    file.write("offsets", std::span<const std::int64_t>(offsets), {offsets.back() + 1});
    file.write_texts("ids", ids);
    file.write_attribute("model", std::string("made by a test"));
    file.close();
  }

  static std::vector<std::string> with_vectors(const std::string& layers,
                                               const std::string& file = "vectors.h5") {
    return {
        "features={\"vec\": {\"type\": \"external\", \"path\": \"" + file + "\"}}",
        "models={\"m\": {\"input\": {\"features\": \"vec\"}, \"network\": {\"layers\": [" + layers + "]}}}",
        "train.epochs=20"};
  }
  RunOutcome run(const std::string& out, std::vector<std::string> overrides) const {
    // A path in an override starts where the program runs.
    for (std::string& text : overrides) {
      const std::size_t at = text.find("\"path\": \"");
      if (at != std::string::npos) text.insert(at + 9, folder_.str() + "/");
    }
    return run_experiment(load_experiment(folder_ / "x.json", overrides), {Device{}, 2, folder_ / out});
  }
  static double uar(const RunOutcome& outcome) {
    return parse_json(outcome.results_json, "results").find("summary")->find("uar")->find("mean")->real;
  }
  TempFolder folder_;
};

constexpr const char* kLstm = R"({"type": "lstm", "hidden": 8}, {"type": "mean_pool"}, {"type": "dense"})";
constexpr const char* kDense = R"({"type": "mean_pool"}, {"type": "dense"})";

TEST_F(ExternalFeaturesTest, VectorsTrainAnLstmOverOneFrameAndDenseLayersAlone) {
  EXPECT_GT(uar(run("lstm", with_vectors(kLstm))), 0.9);
  EXPECT_GT(uar(run("dense", with_vectors(kDense))), 0.9);
  EXPECT_THAT(read_text(folder_ / "lstm/log.txt"),
              HasSubstr("features vec: 48 frames of 4 values copied from"));
  EXPECT_THAT(read_text(folder_ / "dense/results.txt"), HasSubstr("features were made elsewhere"));
  EXPECT_THAT(read_text(folder_ / "dense/log.txt"),
              AllOf(HasSubstr("vectors.h5 read from"), HasSubstr("stores/features-")));
}

TEST_F(ExternalFeaturesTest, TheSameVectorsInAnyLayoutGiveTheSameBits) {
  run("ragged", with_vectors(kDense));
  // The store's own rows, written as CSV.
  const Dataset dataset = make_dataset(
      load_experiment(
          folder_ / "x.json",
          {"features={\"vec\": {\"type\": \"external\", \"path\": \"" + (folder_ / "vectors.h5") + "\"}}",
           "models={\"m\": {\"input\": {\"features\": \"vec\"}, \"network\": {\"layers\": "
           "[{\"type\": \"mean_pool\"}, {\"type\": \"dense\"}]}}}"}),
      {Device{}, 2, true});
  std::string csv = "id,a,b,c,d\n";
  for (std::size_t r = 0; r < dataset.manifest.recordings.size(); ++r) {
    csv += dataset.manifest.recordings[r].id;
    for (std::size_t column = 0; column < 4; ++column)
      csv += "," + json_number(static_cast<double>(dataset.features[0].values[4 * r + column]));
    csv += "\n";
  }
  folder_.write("vectors.csv", csv);
  run("table", with_vectors(kDense, "vectors.csv"));
  EXPECT_EQ(read_text(folder_ / "table/predictions.csv"), read_text(folder_ / "ragged/predictions.csv"));
}

TEST_F(ExternalFeaturesTest, AChangedFileIsAnotherFeatureSet) {
  const auto key = [&] {
    const std::string override_text =
        "features={\"logmel\": {\"type\": \"external\", \"path\": \"" + (folder_ / "vectors.h5") + "\"}}";
    return make_dataset(load_experiment(folder_ / "x.json", {override_text}), {Device{}, 2, false})
        .features[0]
        .key;
  };
  const std::string before = key();
  EXPECT_EQ(key(), before);
  write_vectors("vectors.h5", 4, 0.25f);
  EXPECT_NE(key(), before);
}

TEST_F(ExternalFeaturesTest, BesideComputedFeaturesAndInTheResolvedFile) {
  run("both", {"features.vec={\"type\": \"external\", \"path\": \"vectors.h5\"}"});
  const JsonValue resolved = parse_json_file(folder_ / "both/experiment.json");
  const JsonValue& set = *resolved.find("features")->find("vec");
  EXPECT_EQ(set.members.size(), 4u);  // type, path, layout, group: no window, no mel
  EXPECT_EQ(set.find("layout")->text, "auto");
  EXPECT_EQ(set.find("path")->text, folder_ / "vectors.h5");
}

TEST_F(ExternalFeaturesTest, MissingRecordingsAndFilesStopTheRun) {
  write_vectors("short.h5", 3);
  EXPECT_THAT(
      message_of<DataError>([&] { run("a", with_vectors(kDense, "short.h5")); }),
      AllOf(HasSubstr("features.vec: "), HasSubstr("short.h5: has features of only 36 of the 48 recordings"),
            HasSubstr("ravdess/03-01-04-01-01-01-01\n")));
  EXPECT_THAT(message_of<ConfigError>([&] { run("b", with_vectors(kDense, "none.h5")); }),
              AllOf(HasSubstr("features.vec.path: "), HasSubstr("none.h5: there is no such file or folder")));
  EXPECT_THAT(message_of<ConfigError>([&] {
                load_experiment(folder_ / "x.json",
                                {"features.logmel={\"type\": \"external\", \"n_mels\": 3}"});
              }),
              AllOf(HasSubstr("features.logmel.path: "), HasSubstr("n_mels: unknown key")));
}

}  // namespace
}  // namespace serval::experiment
