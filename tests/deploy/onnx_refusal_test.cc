// What ONNX cannot say is refused by name, all of it at once; the check that fails, or cannot run, leaves no model.
#include <filesystem>

#include <gmock/gmock.h>

#include "onnx_support.h"

namespace serval::deploy {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing_support::make_bundle;

std::string refusal(const Bundle& bundle, OnnxForm form) {
  try {
    onnx_models(bundle, form);
  } catch (const UnsupportedError& error) {
    return error.what();
  }
  return "";
}

TEST(OnnxRefusals, NameEverythingAtOnce) {
  const Bundle bundle = make_bundle(
      {.features = R"({"type": "hnr"})",
       .network =
           R"({"layers": [{"type": "local_response_norm", "name": "lrn", "size": 4}, {"type": "mean_pool"}, {"type": "dense"}]})",
       .audio = R"({"sample_rate_hz": 8000, "noise_reduction": "stationary", "cut_silence_db": 40})"});
  const std::string said = refusal(bundle, OnnxForm::kWaveform);
  EXPECT_THAT(said, HasSubstr("audio.noise_reduction"));
  EXPECT_THAT(said, HasSubstr("audio.cut_silence_db"));
  EXPECT_THAT(said, HasSubstr("features f: \"hnr"));
  EXPECT_THAT(said, HasSubstr("layer lrn (local_response_norm) has an even size"));
  // Features and audio are outside of the other form.
  const std::string network = refusal(bundle, OnnxForm::kNetwork);
  EXPECT_THAT(network, HasSubstr("layer lrn"));
  EXPECT_THAT(network, testing::Not(HasSubstr("hnr")));
}

TEST(OnnxRefusals, KeySegmentsAndClassicalModels) {
  const Bundle bundle =
      make_bundle({.input = R"({"features": "f", "segment_frames": 20, "key_segments": 3})"});
  EXPECT_THAT(refusal(bundle, OnnxForm::kWaveform),
              HasSubstr("model m: key_segments are found by clustering"));
  EXPECT_EQ(refusal(bundle, OnnxForm::kNetwork), "");
  Bundle classical = make_bundle();
  classical.models.front().second.learner.emplace();
  EXPECT_THAT(refusal(classical, OnnxForm::kWaveform), HasSubstr("model m is a classical model"));
  EXPECT_THAT(refusal(classical, OnnxForm::kNetwork), HasSubstr("model m is a classical model"));
}

// A Python that does what the test wants.
class OnnxExporting : public testing::Test {
 protected:
  OnnxExporting() {
    write_bundle(folder_ / "bundle", make_bundle(), {});
    options_.bundle = folder_ / "bundle";
    options_.out = folder_ / "model.onnx";
    options_.script = "no script";
  }
  void python_is(const std::string& script) {
    options_.python = folder_.write("python", "#!/bin/sh\nmodel=\"$2\"; cd \"$3\"; " + script + "\n");
    fs::permissions(options_.python, fs::perms::owner_all);
  }
  // Exit code and message of the export.
  std::pair<int, std::string> outcome() const {
    try {
      export_onnx(options_);
    } catch (const Error& error) {
      return {static_cast<int>(error.code()), error.what()};
    }
    return {0, ""};
  }

  const corpus::TempFolder folder_;
  OnnxExport options_;
};

// As many numbers as a report needs: 7 sounds, 3 classes.
constexpr const char* kScores =
    "head -c 84 /dev/zero >scores_1.f32; cp scores_1.f32 scores_32.f32; echo '{\"onnx\": \"\"}' >told.json";

TEST_F(OnnxExporting, OtherScoresLeaveNoModel) {
  folder_.write("model.onnx", "an older one, which would be believed");
  python_is(kScores);
  const auto [code, said] = outcome();
  EXPECT_EQ(code, 8) << said;
  EXPECT_THAT(said, HasSubstr("other scores than Serval"));
  EXPECT_FALSE(fs::exists(options_.out));
  const JsonValue report = parse_json_file(folder_ / "model.parity.json");
  EXPECT_FALSE(report.find("passed")->boolean);
  EXPECT_GT(report.find("worst")->real, 0.3);
  for (const auto& entry : fs::directory_iterator(folder_.str()))
    EXPECT_THAT(entry.path().filename().string(), testing::AnyOf("bundle", "python", "model.parity.json"));
}

TEST_F(OnnxExporting, NoPythonOrNoRuntimeSaysWhatToInstall) {
  options_.python = folder_ / "nowhere";
  EXPECT_EQ(outcome().first, 4);
  EXPECT_THAT(outcome().second, HasSubstr("there is no such program"));
  python_is("echo No module named onnxruntime >&2; exit 3");
  const auto [code, said] = outcome();
  EXPECT_EQ(code, 4);
  EXPECT_THAT(said, HasSubstr("No module named onnxruntime"));
  EXPECT_THAT(said, HasSubstr("pip install onnxruntime numpy"));
  EXPECT_FALSE(fs::exists(options_.out));
}

TEST_F(OnnxExporting, ARuntimeThatRefusesIsQuoted) {
  python_is("echo 'Opset 17 is under development' >&2; exit 4");
  const auto [code, said] = outcome();
  EXPECT_EQ(code, 4);
  EXPECT_THAT(said, HasSubstr("Opset 17 is under development"));
}

TEST_F(OnnxExporting, WithoutTheCheckTheReportSaysSo) {
  options_.parity = false;
  EXPECT_EQ(outcome().first, 0);
  EXPECT_TRUE(fs::exists(options_.out));
  EXPECT_FALSE(parse_json_file(folder_ / "model.parity.json").find("checked")->boolean);
  const std::string model = read_text(options_.out);
  EXPECT_THAT(model, HasSubstr("parity"));
  EXPECT_THAT(model, HasSubstr("not checked"));
  EXPECT_THAT(model, HasSubstr("\"sample_rate_hz\": 8000"));
}

TEST_F(OnnxExporting, EachMemberOfSeveralHasAFile) {
  Bundle bundle = make_bundle();
  testing_support::add_member(bundle, 2);
  write_bundle(folder_ / "two", bundle, {});
  options_.bundle = folder_ / "two";
  options_.parity = false;
  options_.form = OnnxForm::kNetwork;
  EXPECT_THAT(export_onnx(options_), testing::ElementsAre(folder_ / "model.m_fold-01_seed-1.onnx",
                                                          folder_ / "model.m_fold-01_seed-2.onnx"));
  options_.out = folder_ / "model";
  EXPECT_EQ(outcome().first, 2);
}

}  // namespace
}  // namespace serval::deploy
