#include "serval/report/tensorboard.h"

#include <cstdlib>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serval/core/error.h"
#include "serval/core/json.h"

#include "tests/corpus/corpus_fixtures.h"
#include "tests/support/event_file.h"
#include "tests/support/process.h"

namespace serval::report {
namespace {

using corpus::TempFolder;
using testing::ElementsAre;
using testing::Pair;
using testing_support::event_files;
using testing_support::read_events;
using testing_support::ReadEvent;
using testing_support::run_process;

ScalarEvent epoch(int number, double loss) {
  return {1.7e9 + number, number, {{"train/loss", loss}, {"learning_rate", 1e-3}}};
}

// The check value of CRC-32C, and the test vectors of RFC 3720, B.4.
TEST(TensorBoard, TheChecksumIsCrc32c) {
  EXPECT_EQ(crc32c("123456789"), 0xe3069283u);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aau);
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62a8ab43u);
}

TEST(TensorBoard, RecordsReadBack) {
  const TempFolder folder;
  EventFile file(folder.str(), {});
  EXPECT_EQ(read_events(file.path()).size(), 2u);  // version and start are there at once
  file.add(epoch(1, 2.5));
  file.add({1.7e9, 300, {{"validation/uar", 0.25}, {"gone", std::numeric_limits<double>::quiet_NaN()}}});
  const std::vector<ReadEvent> events = read_events(file.path());
  ASSERT_EQ(events.size(), 4u);
  EXPECT_EQ(events[0].version, "brain.Event:2");
  EXPECT_TRUE(events[1].restarts);
  EXPECT_EQ(events[2].step, 1);
  EXPECT_EQ(events[2].wall_s, 1.7e9 + 1);
  EXPECT_THAT(events[2].scalars, ElementsAre(Pair("learning_rate", 1e-3f), Pair("train/loss", 2.5f)));
  EXPECT_EQ(events[3].step, 300);
  EXPECT_THAT(events[3].scalars, ElementsAre(Pair("validation/uar", 0.25f)));
}

// Killed after epoch 3 with a checkpoint of epoch 2: epoch 3 comes once.
TEST(TensorBoard, ALaterStartReplacesTheFileOfTheEarlierOne) {
  const TempFolder folder;
  std::string earlier;
  {
    EventFile file(folder.str(), {});
    for (int i = 1; i <= 3; ++i) file.add(epoch(i, 10 * i));
    earlier = file.path();
  }
  EventFile file(folder.str(), {epoch(1, 10), epoch(2, 20)});
  file.add(epoch(3, 33));
  EXPECT_GT(file.path(), earlier);  // a TensorBoard that is open goes on to the later name
  EXPECT_THAT(event_files(folder.str()), ElementsAre(file.path()));
  std::vector<std::int64_t> steps;
  for (const ReadEvent& event : read_events(file.path())) {
    if (!event.scalars.empty()) steps.push_back(event.step);
  }
  EXPECT_THAT(steps, ElementsAre(1, 2, 3));
}

TEST(TensorBoard, AFolderThatIsNotThereIsNamed) {
  try {
    EventFile("/nonexistent/folder", {});
    FAIL();
  } catch (const std::filesystem::filesystem_error& error) {
    EXPECT_EQ(error.path1(), "/nonexistent/folder");
  }
}

// TensorBoard itself, where a Python has it.
TEST(TensorBoard, TheRealOneReadsTheFiles) {
  const char* chosen = std::getenv("SERVAL_TENSORBOARD_PYTHON");
  const std::string python = chosen == nullptr ? "python3" : chosen;
  if (run_process({python, "-c", "import tensorboard"}).exit_code != 0) {
    GTEST_SKIP() << python << " has no tensorboard; SERVAL_TENSORBOARD_PYTHON names one that has";
  }
  const TempFolder folder;
  EventFile file(folder.str(), {epoch(1, 2.5), epoch(2, 1.25)});
  file.add(epoch(3, 0.5));
  const testing_support::Outcome outcome =
      run_process({python, std::string(SERVAL_SOURCE_DIR) + "/tests/report/read_events.py", folder.str()});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const JsonValue tags = parse_json(outcome.out, "TensorBoard's reading");
  const JsonValue& loss = *tags.find("train/loss");
  ASSERT_EQ(loss.items.size(), 3u);
  EXPECT_EQ(loss.items[2].items[0].integer, 3);
  EXPECT_EQ(loss.items[2].items[1].real, 0.5);
  EXPECT_EQ(tags.find("learning_rate")->items.size(), 3u);
}

}  // namespace
}  // namespace serval::report
