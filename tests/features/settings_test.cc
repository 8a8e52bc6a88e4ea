// Reading feature settings: defaults, variants, and errors at the field that is wrong.
#include "serval/features/settings.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serval/core/json.h"
#include "serval/core/settings_io.h"

namespace serval::features {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::string> errors_of(const std::string& json) {
  std::vector<std::string> errors;
  read_settings<FeatureSettings>(parse_json(json, "f.json"), errors);
  return errors;
}

TEST(FeatureSettings, ReadsTheExperimentFilesExample) {
  std::vector<std::string> errors;
  const FeatureSettings s = read_settings<FeatureSettings>(
      parse_json(
          R"({"type": "log_mel", "window_ms": 25, "hop_ms": 10, "n_fft": 512, "n_mels": 64, "deltas": 2})",
          "f.json"),
      errors);
  EXPECT_THAT(errors, IsEmpty());
  EXPECT_EQ(s.type, FeatureType::kLogMel);
  EXPECT_EQ(s.n_fft, 512);
  EXPECT_EQ(s.deltas, 2);
  EXPECT_EQ(s.padding, Padding::kZero);
  EXPECT_EQ(s.top_db, 80.0);
}

TEST(FeatureSettings, WritesAndReadsBack) {
  FeatureSettings s;
  s.type = FeatureType::kMfcc;
  s.window = WindowShape::kHamming;
  s.top_db = std::nullopt;
  s.f_max_hz = 7600;
  s.lifter = 22;
  std::vector<std::string> errors;
  const FeatureSettings back =
      read_settings<FeatureSettings>(parse_json(write_json(settings_to_json(s)), "f.json"), errors);
  EXPECT_THAT(errors, IsEmpty());
  EXPECT_EQ(back.type, FeatureType::kMfcc);
  EXPECT_EQ(back.window, WindowShape::kHamming);
  EXPECT_EQ(back.top_db, std::nullopt);
  EXPECT_EQ(back.f_max_hz, 7600.0);
  EXPECT_EQ(back.lifter, 22);
}

TEST(FeatureSettings, ErrorsNameTheField) {
  EXPECT_THAT(errors_of(R"({"type": "mfc"})"), ElementsAre(HasSubstr("did you mean \"mfcc\"?")));
  EXPECT_THAT(errors_of(R"({"type": "log_mel", "n_mel": 64})"),
              ElementsAre(HasSubstr("did you mean \"n_mels\"?")));
  EXPECT_THAT(errors_of(R"({"type": "log_mel", "n_mfcc": 13})"), ElementsAre(HasSubstr("n_mfcc")));
  EXPECT_THAT(
      errors_of(R"({"type": "mfcc", "n_mfcc": 41, "n_mels": 40})"),
      ElementsAre(AllOf(HasSubstr("n_mfcc"), HasSubstr("only as many coefficients as mel filters: 40"))));
  EXPECT_THAT(errors_of(R"({"type": "log_mel", "n_fft": 511})"),
              ElementsAre(HasSubstr("must be even, not 511")));
  EXPECT_THAT(errors_of(R"({"type": "log_mel", "n_fft": 256, "window_samples": 400})"),
              ElementsAre(HasSubstr("256 does not hold the window of 400 samples")));
  EXPECT_THAT(errors_of(R"({"type": "log_mel", "n_fft": 65536})"),
              ElementsAre(AllOf(HasSubstr("n_fft"), HasSubstr("32768"))));
  EXPECT_THAT(errors_of(R"({"type": "log_mel", "window_samples": 32770})"),
              ElementsAre(AllOf(HasSubstr("window_samples"), HasSubstr("32768"))));
  EXPECT_THAT(errors_of(R"({"type": "log_mel", "f_min_hz": 100, "f_max_hz": 90})"),
              ElementsAre(HasSubstr("must be above f_min_hz, which is 100 Hz")));
  EXPECT_THAT(errors_of(R"({"type": "log_mel", "delta_width": 8})"),
              ElementsAre(HasSubstr("must be odd, not 8")));
  EXPECT_THAT(errors_of(R"({"type": "log_mel", "log": "natural", "top_db": 80})"),
              ElementsAre(HasSubstr("top_db")));
  EXPECT_THAT(errors_of(R"({"type": "log_mel", "hop_ms": 0})"), ElementsAre(HasSubstr("hop_ms")));
}

}  // namespace
}  // namespace serval::features
