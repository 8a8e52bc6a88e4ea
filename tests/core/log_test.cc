#include "serval/core/log.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace serval {
namespace {

using ::testing::MatchesRegex;

TEST(Log, AFewOfAList) {
  EXPECT_EQ(first_few({}), "");
  EXPECT_EQ(first_few({"a"}), "a");
  EXPECT_EQ(first_few({"a", "b", "c"}, 3), "a, b, c");
  EXPECT_EQ(first_few({"a", "b", "c", "d", "e"}, 3), "a, b, c and 2 more");
}

TEST(Log, ProgressEndsWithWhatWasDoneAndHowFast) {
  ::testing::internal::CaptureStderr();
  {
    Progress progress("decoding", 10, 4);
    progress.advance(6);
  }
  const std::string said = ::testing::internal::GetCapturedStderr();
  // 6 of them in at least a millisecond, as it counts.
  EXPECT_THAT(said, MatchesRegex("decoding 10/10  [0-9.]+ s  [0-9]+/s\n"));
  const double rate = std::stod(said.substr(said.find(" s  ") + 4));
  EXPECT_LE(rate, 6000);
}

TEST(Log, ProgressWithoutProgressIsSilent) {
  ::testing::internal::CaptureStderr();
  { const Progress progress("decoding", 10, 10); }
  { const Progress progress("decoding", 0); }
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

}  // namespace
}  // namespace serval
