// From a run to a bundle to scores: those of the run, to the bit.
#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serval/core/csv.h"
#include "serval/core/files.h"
#include "serval/core/json.h"
#include "serval/core/log.h"
#include "serval/core/sha256.h"
#include "serval/deploy/predictor.h"
#include "serval/experiment/export_run.h"
#include "serval/experiment/resolve.h"
#include "serval/experiment/run.h"

#include "tests/support/tone_corpus.h"

namespace serval::experiment {
namespace {

namespace fs = std::filesystem;
using corpus::message_of;
using corpus::TempFolder;
using testing::AllOf;
using testing::HasSubstr;
using testing_support::make_tone_corpus;

// Whole recordings by an LSTM, segments of two lengths, images of segments and of fitted recordings, vectors, several
// inputs, several outputs, another loss: each way from a recording to scores.
std::string experiment_of(const std::string& corpus, const std::string& stores) {
  return R"({
  "name": "tones",
  "corpora": [{"use": "ravdess", "path": ")" +
         corpus + R"("}],
  "audio": {"sample_rate_hz": 8000, "trim_db": 40},
  "features": {"logmel": {"type": "log_mel", "n_mels": 20, "n_fft": 256, "hop_ms": 16},
               "fine": {"type": "mfcc", "n_mels": 20, "n_mfcc": 10, "n_fft": 256, "hop_ms": 8},
               "means": {"type": "mfcc", "n_mels": 20, "n_mfcc": 8, "n_fft": 256, "hop_ms": 16, "statistics": ["mean", "std"]}},
  "folds": {"count": 3, "validation_actors": 1},
  "models": {
    "whole": {"input": {"features": "logmel"}, "network": {"layers": [
      {"type": "lstm", "hidden": 8}, {"type": "mean_pool"}, {"type": "dropout", "rate": 0.2}, {"type": "dense"}]}},
    "parts": {"input": {"features": "logmel", "segment_frames": [6, 9], "shift_frames": [3, 4]}, "network": {"layers": [
      {"type": "gru", "hidden": 6}, {"type": "mean_pool"}, {"type": "dense"}]}},
    "pictures": {"input": {"features": "logmel", "segment_frames": [8], "image": {"channels": 1}, "normalise": false},
      "network": {"inputs": {"mel": {"kind": "image", "shape": [1, 20, 8]}}, "layers": [
        {"type": "conv2d", "channels": 4, "kernel": 3, "activation": "relu"}, {"type": "batch_norm"},
        {"type": "global_average_pool"}, {"type": "dense"}]}},
    "vector": {"input": {"features": "means"}, "network": {"inputs": {"v": {"kind": "vector"}}, "layers": [
      {"type": "dense", "units": 8, "activation": "tanh"}, {"type": "dense"}]}},
    "both": {"inputs": {"a": {"features": "logmel", "segment_frames": [8]}, "b": {"features": "fine"}},
      "network": {"inputs": {"a": {"kind": "sequence"}, "b": {"kind": "sequence"}}, "layers": [
        {"type": "lstm", "name": "la", "input": "a", "hidden": 5}, {"type": "mean_pool", "name": "pa"},
        {"type": "gru", "name": "lb", "input": "b", "hidden": 5}, {"type": "mean_pool", "name": "pb"},
        {"type": "concat", "input": ["pa", "pb"]}, {"type": "dense"}]}},
    "head": {"input": {"features": "logmel"},
      "heads": {"voice": {"target": "gender"}, "said": {"target": "classes", "loss": {"type": "mean_square"}}},
      "network": {"layers": [
        {"type": "lstm", "hidden": 6}, {"type": "mean_pool", "name": "heard"},
        {"type": "dense", "name": "voice", "input": "heard", "units": 2},
        {"type": "dense", "name": "said", "input": "heard"}]}}},
  "targets": {"gender": {"type": "attribute", "attribute": "gender"}},
  "train": {"optimizer": {"learning_rate": 0.03}, "batch_size": 8, "epochs": 2},
  "seeds": [1, 2],
  "store": ")" +
         stores + R"("
})";
}

class ExportTest : public testing::Test {
 protected:
  void SetUp() override {
    set_quiet(true);
    make_tone_corpus(folder_ / "corpus");
    folder_.write("x.json", experiment_of(folder_ / "corpus", folder_ / "stores"));
  }
  // The models of that name alone, and what `more` lays over the experiment.
  void run(const std::vector<std::string>& models = {}, const std::string& more = "{}") {
    std::string patch;
    for (const char* name : {"whole", "parts", "pictures", "vector", "both", "head"}) {
      if (!models.empty() && std::find(models.begin(), models.end(), name) == models.end())
        patch += (patch.empty() ? "\"" : ", \"") + std::string(name) + "\": null";
    }
    folder_.write("fewer.json", R"({"extends": "x.json", "models": {)" + patch + "}}");
    folder_.write("more.json", more);
    folder_.write("y.json", R"({"extends": ["fewer.json", "more.json"]})");
    const std::string out = "run";
    run_experiment(load_experiment(folder_ / "y.json", {}), {Device{}, 2, folder_ / out});
    recordings_.clear();
    for (const CsvRow& row : read(out + "/manifest.csv").rows) {
      const CsvTable manifest = read(out + "/manifest.csv");
      recordings_[row.fields[static_cast<std::size_t>(manifest.column("id"))]] =
          row.fields[static_cast<std::size_t>(manifest.column("path"))];
    }
  }
  CsvTable read(const std::string& name) const { return parse_csv(read_text(folder_ / name), name); }
  ExportOptions options(const std::string& model, int fold, std::optional<std::int64_t> seed) const {
    ExportOptions out;
    out.run = folder_ / "run";
    out.model = model;
    out.fold = fold;
    out.seed = seed;
    return out;
  }

  // The scores of a bundle of `model`, `fold` and `seed` are those of predictions.csv; gives how many were compared.
  int compare(const std::string& model, int fold, std::optional<std::int64_t> seed, int batch = 16) {
    const std::string bundle = folder_ / cat("bundle", ++bundles_);
    export_run(options(model, fold, seed), bundle);
    const deploy::Predictor predictor(bundle, {.batch = batch});
    const CsvTable table = read("run/predictions.csv");
    const auto field = [&](const CsvRow& row, const std::string& name) {
      return row.fields[static_cast<std::size_t>(table.column(name))];
    };
    int compared = 0;
    for (const CsvRow& row : table.rows) {
      if (field(row, "model") != model || field(row, "fold") != cat(fold) ||
          field(row, "seed") != cat(seed.value_or(0)))
        continue;
      const deploy::Prediction said = predictor.predict_file(recordings_.at(field(row, "recording")));
      EXPECT_EQ(predictor.classes()[said.best], field(row, "predicted"));
      for (std::size_t c = 0; c < predictor.classes().size(); ++c)
        EXPECT_EQ(json_number(static_cast<double>(said.probabilities[c])),
                  field(row, "p_" + predictor.classes()[c]))
            << model << " " << field(row, "recording");
      ++compared;
    }
    return compared;
  }

  TempFolder folder_;
  std::map<std::string, std::string> recordings_;  // path by id
  int bundles_ = 0;
};

TEST_F(ExportTest, PredictsTestRecordingsAsTheRunDidToTheBit) {
  run();
  for (const char* model : {"whole", "parts", "pictures", "vector", "both", "head"}) {
    EXPECT_EQ(compare(model, 2, 1), 16) << model;
    EXPECT_EQ(compare(model, 3, 2, 3), 16) << model;  // other batches, the same bits
  }
}

TEST_F(ExportTest, FusionsAreThoseOfTheRunToTheBit) {
  for (const char* fusion : {R"({"rule": "weighted", "models": ["whole", "parts"]})",
                             R"({"rule": "best", "models": ["whole", "parts"]})",
                             R"({"rule": "vote", "models": ["whole", "parts", "vector"]})",
                             R"({"rule": "logit_average", "models": ["whole", "vector"]})",
                             R"({"rule": "product", "models": ["whole", "vector"]})",
                             R"({"rule": "maximum", "models": ["whole", "vector"]})",
                             R"({"rule": "stacking", "models": ["whole", "vector"]})",
                             R"({"rule": "stacking", "models": ["whole", "parts"], "seeds": "together"})",
                             R"({"rule": "mean", "models": ["whole", "vector"], "seeds": "together"})"}) {
    fs::remove_all(folder_ / "run");
    run({"whole", "parts", "vector"}, std::string(R"({"fusion": )") + fusion + "}");
    const bool together = std::string(fusion).find("together") != std::string::npos;
    EXPECT_EQ(compare("fusion", 1, together ? std::nullopt : std::optional<std::int64_t>(2)), 16) << fusion;
  }
}

TEST_F(ExportTest, ClassicalModelsPredictAsTheRunDidToTheBitAloneAndFused) {
  run({"whole"}, R"({
    "models": {
      "svm": {"input": {"features": "means"}, "learner": {"type": "linear_svm"}},
      "logistic": {"input": {"features": "means"}, "learner": {"type": "logistic", "steps": [{"type": "pca", "components": 5, "whiten": true}]}},
      "rbf": {"input": {"features": "means", "normalise": false}, "learner": {"type": "rbf_svm"}},
      "forest": {"input": {"features": "means"}, "learner": {"type": "random_forest", "trees": 7}},
      "near": {"input": {"features": "means"}, "learner": {"type": "nearest_neighbours", "neighbours": 3, "steps": [{"type": "k_means", "clusters": 4}]}}},
    "fusion": {"rule": "logit_average", "models": ["whole", "svm", "logistic"], "seeds": "together"}})");
  for (const char* model : {"svm", "logistic", "rbf", "forest", "near"})
    EXPECT_EQ(compare(model, 2, 1), 16) << model;
  EXPECT_EQ(compare("fusion", 1, std::nullopt), 16);
}

TEST_F(ExportTest, ALearnerOfAnotherShapeIsRefused) {
  run({"whole"},
      R"({"models": {"svm": {"input": {"features": "means"}, "learner": {"type": "linear_svm"}}}})");
  deploy::Bundle bundle = bundle_of_run(options("svm", 1, 1));
  const auto refusal = [&](const std::function<void(learners::LearnerState&)>& change) {
    deploy::Bundle changed = bundle;
    change(changed.members.front().state);
    const std::string folder = folder_ / cat("changed", ++bundles_);
    deploy::write_bundle(folder, changed, {});
    return message_of<DataError>([&] { deploy::Predictor predictor(folder); });
  };
  EXPECT_THAT(refusal([](learners::LearnerState& s) { s.doubles.clear(); }),
              AllOf(HasSubstr("svm-fold-1-seed-1.safetensors"), HasSubstr("has no planes")));
  EXPECT_THAT(refusal([](learners::LearnerState& s) { s.integers.at("model/labels").values[0] = 1 << 30; }),
              HasSubstr("labels have no class"));
  EXPECT_THAT(refusal([](learners::LearnerState& s) {
                auto& planes = s.doubles.at("model/planes");
                planes.values.resize(planes.values.size() - static_cast<std::size_t>(planes.shape[1]));
                planes.shape = {planes.shape[0] - 1, planes.shape[1]};
              }),
              HasSubstr("reads 15 columns"));
}

TEST_F(ExportTest, EnsemblesAverageWhatTheirPartsSay) {
  run({"whole", "parts"});
  std::vector<std::vector<float>> parts;
  const std::string path = recordings_.begin()->second;
  for (int fold = 1; fold <= 3; ++fold) {
    for (const int seed : {1, 2}) {
      export_run(options("parts", fold, seed), folder_ / cat("one-", fold, "-", seed));
      parts.push_back(
          deploy::Predictor(folder_ / cat("one-", fold, "-", seed)).predict_file(path).probabilities);
    }
  }
  ExportOptions all = options("parts", 1, 1);
  all.fold.reset();
  all.seed.reset();
  all.all_folds = all.all_seeds = true;
  export_run(all, folder_ / "all");
  const deploy::Predictor predictor(folder_ / "all", {.timeline = true});
  const deploy::Prediction said = predictor.predict_file(path);
  for (std::size_t c = 0; c < said.probabilities.size(); ++c) {
    double mean = 0;
    for (const std::vector<float>& part : parts) mean += static_cast<double>(part[c]) / 6;
    EXPECT_NEAR(static_cast<double>(said.probabilities[c]), mean, 1e-6);
  }
  // Segments of both lengths, in order, each with scores that sum to 1.
  ASSERT_GT(said.timeline.size(), 3u);
  for (const deploy::Stretch& stretch : said.timeline) {
    EXPECT_EQ(stretch.model, "parts");
    EXPECT_LT(stretch.begin_s, stretch.end_s);
    double sum = 0;
    for (const float p : stretch.probabilities) sum += static_cast<double>(p);
    EXPECT_NEAR(sum, 1, 1e-5);
  }
  const std::string card = read_text(folder_ / "all/README.md");
  EXPECT_THAT(card, AllOf(HasSubstr("| ravdess | 48 | 6 | people |"), HasSubstr("heard every actor"),
                          HasSubstr("leak audit: passed"), HasSubstr("| actor | ravdess/01 |")));
}

TEST_F(ExportTest, ARefitHasHeardEveryActorForAsLongAsTheFoldsSay) {
  run({"whole", "vector"}, R"({
    "models": {"svm": {"input": {"features": "means"}, "learner": {"type": "linear_svm"}}},
    "fusion": {"rule": "weighted", "models": ["whole", "svm"]}})");
  ExportOptions wanted = options("fusion", 1, 2);
  wanted.refit = true;
  EXPECT_THAT(message_of<ConfigError>([&] { bundle_of_run(wanted); }), HasSubstr("leave out --fold"));
  wanted.fold.reset();
  export_run(wanted, folder_ / "refit");
  const deploy::Bundle bundle = deploy::read_bundle(folder_ / "refit");
  EXPECT_EQ(bundle.provenance.find("trained_on_actors")->items.size(), 6u);
  EXPECT_EQ(bundle.provenance.find("chosen_by_actors")->items.size(), 0u);
  const JsonValue& epochs = *bundle.provenance.find("refit_epochs");
  ASSERT_EQ(epochs.members.size(), 1u);  // of the network; the SVM has none
  // Six trainings of two epochs at most; of an even number the middle is the later one.
  std::vector<std::int64_t> selected;
  for (int fold = 1; fold <= 3; ++fold) {
    for (const int seed : {1, 2}) {
      const std::string path = folder_ / cat("run/models/whole/fold-0", fold, "_seed-", seed, "/result.json");
      selected.push_back(parse_json(read_text(path), path).find("selected_epoch")->integer);
    }
  }
  std::sort(selected.begin(), selected.end());
  EXPECT_EQ(epochs.find("whole")->integer, selected[3]);
  ASSERT_EQ(bundle.groups.size(), 1u);
  EXPECT_NEAR(bundle.groups[0].weights.at(0) + bundle.groups[0].weights.at(1), 1, 1e-12);
  EXPECT_EQ(bundle.members[0].seed, 2u);
  const deploy::Predictor predictor(folder_ / "refit");
  EXPECT_EQ(predictor.predict_file(recordings_.begin()->second).probabilities.size(),
            predictor.classes().size());
  EXPECT_THAT(read_text(folder_ / "refit/README.md"),
              AllOf(HasSubstr("trained once more, on every actor"), HasSubstr("Nobody is left")));

  // What is trained stays: the same bundle again. The run itself is as it was.
  const auto written = fs::last_write_time(folder_ / "run/refit/models/whole/fold-04_seed-2/result.json");
  export_run(wanted, folder_ / "again");
  EXPECT_EQ(fs::last_write_time(folder_ / "run/refit/models/whole/fold-04_seed-2/result.json"), written);
  EXPECT_EQ(read_text(folder_ / "again/SHA256SUMS"), read_text(folder_ / "refit/SHA256SUMS"));
  EXPECT_EQ(compare("whole", 2, 1), 16);

  const std::string path = recordings_.begin()->second;
  std::string bytes = read_text(path);
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  write_atomically(path, bytes);
  EXPECT_THAT(message_of<DataError>([&] { bundle_of_run(wanted); }),
              AllOf(HasSubstr(path), HasSubstr("no longer the file that the run heard")));
}

TEST_F(ExportTest, TrainingGoesOnFromABundleAndTheAuditKnowsWhomItHasHeard) {
  run({"whole"});
  export_run(options("whole", 2, 1), folder_ / "first");
  const auto go_on = [&](const std::string& fold) {
    folder_.write(
        "on.json",
        R"({"extends": "y.json", "name": "on", "seeds": [1], "folds": {"count": null, "groups": [)" + fold +
            R"(]}, "models": {"whole": {"initial_weights": {"file": ")" +
            (folder_ / "first/weights/whole-fold-2-seed-1.safetensors") + R"("}}}})");
    fs::remove_all(folder_ / "on");
    run_experiment(load_experiment(folder_ / "on.json", {}), {Device{}, 2, folder_ / "on"});
  };
  // The test actors of fold 2 are 03 and 04: the bundle has not heard them, and has trained on others.
  go_on(R"({"test": ["ravdess/03", "ravdess/04"], "validation": ["ravdess/05"]})");
  EXPECT_THAT(read_text(folder_ / "on/audit.json"),
              AllOf(HasSubstr("initial_weights_heard_no_test_actor"), testing::Not(HasSubstr("\"failed\""))));
  EXPECT_THAT(message_of<AuditError>(
                  [&] { go_on(R"({"test": ["ravdess/01", "ravdess/04"], "validation": ["ravdess/05"]})"); }),
              AllOf(HasSubstr("initial_weights_heard_no_test_actor"), HasSubstr("ravdess/01")));
}

TEST_F(ExportTest, TheCardOfALeakingRunClaimsNothingOfNewSpeakers) {
  run({"whole"}, R"({"protocol": {"leaks": ["test_selection"]}})");
  export_run(options("whole", 2, 1), folder_ / "leaking");
  EXPECT_THAT(read_text(folder_ / "leaking/README.md"),
              AllOf(HasSubstr("say nothing about new speakers"), testing::Not(HasSubstr("have not heard"))));
}

TEST_F(ExportTest, RoundedWeightsTellWhatTheyCost) {
  run({"whole", "pictures"});
  std::uintmax_t last = 0;
  for (const char* model : {"whole", "pictures"}) {
    ExportOptions wanted = options(model, 2, 1);
    const std::string file = cat("/weights/", model, "-fold-2-seed-1.safetensors");
    export_run(wanted, folder_ / cat(model, "32"));
    last = fs::file_size(folder_ / (cat(model, "32") + file));
    const deploy::Predictor exact(folder_ / cat(model, "32"));
    for (const auto& [form, most] :
         {std::pair{deploy::WeightForm::kFloat16, 1e-3}, {deploy::WeightForm::kInt8, 0.05}}) {
      wanted.weights = form;
      const std::string out = folder_ / cat(model, "-rounded-", most);
      export_run(wanted, out);
      // So few filters as the pictures' have scales that are longer than they.
      if (model == std::string("whole")) EXPECT_LT(fs::file_size(out + file), last);
      last = fs::file_size(out + file);
      const deploy::Bundle bundle = deploy::read_bundle(out);
      const JsonValue& loss = *bundle.provenance.find("rounded_weights");
      EXPECT_EQ(loss.find("recordings")->integer, 16);
      const double difference = loss.find("largest_difference")->real;
      EXPECT_GT(difference, 0);
      EXPECT_LT(difference, most);
      // The largest of those that anyone can measure.
      const deploy::Predictor rounded(out);
      double largest = 0;
      const CsvTable table = read("run/predictions.csv");
      for (const CsvRow& row : table.rows) {
        if (row.fields[static_cast<std::size_t>(table.column("fold"))] != "2") continue;
        const std::string path =
            recordings_.at(row.fields[static_cast<std::size_t>(table.column("recording"))]);
        const auto a = exact.predict_file(path).probabilities, b = rounded.predict_file(path).probabilities;
        for (std::size_t c = 0; c < a.size(); ++c)
          largest = std::max(largest, std::abs(static_cast<double>(a[c]) - static_cast<double>(b[c])));
      }
      EXPECT_EQ(largest, difference);
      EXPECT_THAT(read_text(out + "/README.md"), HasSubstr("over 16 recordings"));
    }
  }
}

TEST_F(ExportTest, OneFileSaysWhatTheFolderSays) {
  run({"whole"});
  export_run(options("whole", 2, 1), folder_ / "a.bundle");
  export_run(options("whole", 2, 1), folder_ / "a.serval");
  EXPECT_TRUE(fs::is_regular_file(std::string(folder_ / "a.serval")));
  const std::string path = recordings_.begin()->second;
  EXPECT_EQ(deploy::Predictor(folder_ / "a.serval").predict_file(path).probabilities,
            deploy::Predictor(folder_ / "a.bundle").predict_file(path).probabilities);
}

TEST_F(ExportTest, ThreadsShareAPredictor) {
  run({"whole", "parts"});
  export_run(options("parts", 1, 1), folder_ / "one");
  const deploy::Predictor predictor(folder_ / "one");
  std::vector<std::string> paths;
  std::vector<std::vector<float>> alone;
  for (const auto& [id, path] : recordings_) {
    paths.push_back(path);
    alone.push_back(predictor.predict_file(path).probabilities);
  }
  std::vector<std::vector<float>> together(paths.size());
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (std::size_t i = t; i < paths.size(); i += 4)
        together[i] = predictor.predict_file(paths[i]).probabilities;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(together, alone);
}

TEST_F(ExportTest, WhatARunHasSeveralOfMustBeChosen) {
  run({"whole", "parts", "vector"});
  const auto refusal = [&](const std::function<void(ExportOptions&)>& change) {
    ExportOptions wanted = options("whole", 1, 1);
    change(wanted);
    return message_of<ConfigError>([&] { bundle_of_run(wanted); });
  };
  EXPECT_THAT(refusal([](ExportOptions& o) { o.model = ""; }),
              HasSubstr("has the models whole, parts, vector; name one with --model"));
  EXPECT_THAT(refusal([](ExportOptions& o) { o.model = "lstm"; }), HasSubstr("there is no model \"lstm\""));
  EXPECT_THAT(
      refusal([](ExportOptions& o) { o.fold.reset(); }),
      HasSubstr("has the folds 1, 2, 3; take one with --fold, or the mean of all with --ensemble folds"));
  EXPECT_THAT(refusal([](ExportOptions& o) { o.fold = 4; }), HasSubstr("has no fold 4; it has 1, 2, 3"));
  EXPECT_THAT(refusal([](ExportOptions& o) { o.seed.reset(); }), HasSubstr("has the seeds 1, 2"));
  EXPECT_THAT(refusal([](ExportOptions& o) { o.all_folds = true; }), HasSubstr("choose one of the two"));
}

TEST_F(ExportTest, ModelsThatNeedMoreThanSoundAreRefusedByName) {
  run({"parts", "vector"}, R"({
    "features": {"sex": {"type": "gender"}},
    "models": {
      "told": {"inputs": {"a": {"features": "means"}, "b": {"features": "sex"}},
        "network": {"inputs": {"a": {"kind": "vector"}, "b": {"kind": "vector"}}, "layers": [
          {"type": "concat", "input": ["a", "b"]}, {"type": "dense"}]}}},
    "fusion": {"rule": "stacking", "models": ["parts", "vector"]}})");
  ExportOptions refit = options("fusion", 1, 1);
  refit.fold.reset();
  refit.refit = true;
  EXPECT_THAT(message_of<ConfigError>([&] { bundle_of_run(refit); }),
              HasSubstr("nobody to fit fusion.rule stacking on"));
  const auto refusal = [&](const std::string& model) {
    return message_of<ConfigError>([&] { bundle_of_run(options(model, 1, 1)); });
  };
  EXPECT_THAT(refusal("told"), HasSubstr("models.told, input b: features.sex are not computed from sound"));
}

TEST_F(ExportTest, DamagedBundlesAreNotBelieved) {
  run({"whole", "parts"});
  export_run(options("whole", 1, 1), folder_ / "good");
  EXPECT_THAT(message_of<ConfigError>([&] { export_run(options("whole", 1, 1), folder_ / "good"); }),
              HasSubstr("is there already"));
  const auto refusal = [&](const std::function<void(const std::string&)>& damage) {
    fs::remove_all(folder_ / "bad");
    fs::copy(folder_ / "good", folder_ / "bad", fs::copy_options::recursive);
    damage(folder_ / "bad");
    return message_of<DataError>([&] { deploy::read_bundle(folder_ / "bad"); });
  };
  const std::string weights = "/weights/whole-fold-1-seed-1.safetensors";
  EXPECT_THAT(refusal([](const std::string& b) { fs::remove(b + "/SHA256SUMS"); }),
              HasSubstr("holds no SHA256SUMS"));
  EXPECT_THAT(refusal([&](const std::string& b) { fs::remove(b + weights); }), HasSubstr("is missing"));
  EXPECT_THAT(
      refusal([&](const std::string& b) { fs::resize_file(b + weights, fs::file_size(b + weights) - 4); }),
      AllOf(HasSubstr("seed-1.safetensors"), HasSubstr("is damaged, or was changed")));
  EXPECT_THAT(refusal([](const std::string& b) { write_atomically(b + "/README.md", "better"); }),
              HasSubstr("README.md: its SHA-256 is not the one"));
  EXPECT_THAT(refusal([](const std::string& b) {
                write_atomically(b + "/SHA256SUMS", std::string(64, '0') + "  ../good/bundle.json\n");
              }),
              HasSubstr("names no file"));
  EXPECT_THAT(message_of<DataError>([&] { deploy::read_bundle(folder_ / "none"); }),
              HasSubstr("no such folder"));
  // Whole by its sums, and yet not to be used.
  const auto changed = [&](const std::string& from, const std::string& to) {
    return refusal([&](const std::string& b) {
      std::string text = read_text(b + "/bundle.json");
      const std::string before = sha256(text);
      ASSERT_NE(text.find(from), std::string::npos) << from;
      text.replace(text.find(from), from.size(), to);
      std::string sums = read_text(b + "/SHA256SUMS");
      sums.replace(sums.find(before), before.size(), sha256(text));
      write_atomically(b + "/bundle.json", text);
      write_atomically(b + "/SHA256SUMS", sums);
    });
  };
  EXPECT_THAT(changed("\"version\": 1", "\"version\": 99"), HasSubstr("so a newer one is needed"));
  EXPECT_THAT(changed(weights.substr(1), "../../x"), HasSubstr("is not in SHA256SUMS"));
  EXPECT_THAT(changed("serval-bundle", "other"), HasSubstr("this is no bundle"));
}

}  // namespace
}  // namespace serval::experiment
