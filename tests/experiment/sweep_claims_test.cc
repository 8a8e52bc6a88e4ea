// Claims between workers that share only files.
#include <algorithm>
#include <atomic>
#include <filesystem>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "serval/core/error.h"
#include "serval/core/files.h"
#include "serval/core/log.h"

#include "src/experiment/sweep/checked_line.h"
#include "src/experiment/sweep/claims.h"
#include "src/experiment/sweep/journal.h"
#include "tests/corpus/corpus_fixtures.h"

namespace serval::experiment {
namespace {

namespace fs = std::filesystem;
using corpus::TempFolder;
using testing::HasSubstr;

class SweepClaims : public testing::Test {
 protected:
  void SetUp() override { set_quiet(true); }
  ClaimFolder folder(double lease_s = 300, int most_crashes = 5) const {
    return {folder_ / "claims", lease_s, most_crashes};
  }
  std::string file(const std::string& name) const { return folder_ / ("claims/" + name); }
  // As a worker on another machine would have written it.
  void write_claim(const std::string& name, const std::string& host, long process, const std::string& boot,
                   int crashes = 0) const {
    const std::size_t dot = name.rfind('.');
    write_atomically(file(name),
                     checked_line(JsonValue::object()
                                      .set("trial", JsonValue::of(name.substr(0, dot)))
                                      .set("generation", JsonValue::of(std::stoi(name.substr(dot + 1))))
                                      .set("state", JsonValue::of("running"))
                                      .set("writer", JsonValue::of(host + "-1"))
                                      .set("host", JsonValue::of(host))
                                      .set("process", JsonValue::of(static_cast<std::int64_t>(process)))
                                      .set("boot", JsonValue::of(boot))
                                      .set("crashes", JsonValue::of(crashes))));
  }
  TempFolder folder_;
};

TEST_F(SweepClaims, OneOfManyGetsATrialAndNobodyElse) {
  constexpr int kTrials = 200, kThreads = 8;
  std::atomic<int> taken{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      ClaimFolder claims = folder();
      for (int i = 0; i < kTrials; ++i) {
        if (claims.take(cat("t", i)) != nullptr) ++taken;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(taken, kTrials);
  // Nothing is left but the claims.
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_ / "claims"), {}), kTrials);
}

TEST_F(SweepClaims, AReleasedTrialGoesOnAsTheNextGeneration) {
  ClaimFolder claims = folder();
  claims.take("a")->release();
  const auto second = claims.take("a");
  ASSERT_NE(second, nullptr);
  EXPECT_EQ(second->info().generation, 2);
  EXPECT_EQ(second->info().crashes, 0);
  EXPECT_FALSE(second->lost());
  EXPECT_EQ(claims.take("a"), nullptr);
}

TEST_F(SweepClaims, AFailedTrialWaitsUntilItIsReopened) {
  ClaimFolder claims = folder();
  claims.take("a")->fail("no such file", 3, {"line 1", "line 2"});
  EXPECT_EQ(claims.take("a"), nullptr);
  const ClaimInfo info = claims.read("a", 1);
  EXPECT_EQ(info.state, ClaimState::kFailed);
  EXPECT_EQ(info.error, "no such file");
  EXPECT_EQ(info.code, 3);
  EXPECT_EQ(info.last_lines, (std::vector<std::string>{"line 1", "line 2"}));
  EXPECT_TRUE(claims.reopen("a"));
  EXPECT_FALSE(claims.reopen("a"));
  EXPECT_NE(claims.take("a"), nullptr);
}

TEST_F(SweepClaims, ADeadProcessOfThisMachineLosesItsTrialAtOnce) {
  ClaimFolder claims = folder();
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  ::waitpid(child, nullptr, 0);
  write_claim("a.1", "here", child, this_writer().boot);
  const auto claim = claims.take("a");
  ASSERT_NE(claim, nullptr);
  EXPECT_EQ(claim->info().generation, 2);
  EXPECT_EQ(claim->info().crashes, 1);
}

TEST_F(SweepClaims, AProcessThatTookADeadOnesNumberDoesNotHoldItsTrialForEver) {
  ClaimFolder claims = folder(0.2);
  write_claim("a.1", "here", ::getpid(),
              this_writer().boot);  // the number is alive, and nobody gives a sign of life
  EXPECT_EQ(claims.take("a"), nullptr);
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  ASSERT_NE(claims.take("a"), nullptr);
}

TEST_F(SweepClaims, AnotherMachineLosesItsTrialAfterALeaseOfSilenceAndNotBefore) {
  ClaimFolder claims = folder(0.3);
  write_claim("a.1", "elsewhere", 1, "another");
  // However old the file is by anybody's clock: it has to be watched.
  fs::last_write_time(file("a.1"), fs::file_time_type::clock::now() - std::chrono::hours(1000));
  EXPECT_EQ(claims.take("a"), nullptr);
  for (int i = 0; i < 5; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    fs::last_write_time(file("a.1"), fs::file_time_type::clock::now() + std::chrono::hours(i));
    EXPECT_EQ(claims.take("a"), nullptr) << "it has given a sign of life";
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(400));
  const auto claim = claims.take("a");
  ASSERT_NE(claim, nullptr);
  EXPECT_EQ(claim->info().generation, 2);
}

TEST_F(SweepClaims, AnOwnerLearnsThatItHasLostAndHarmsNobody) {
  ClaimFolder claims = folder();
  const auto first = claims.take("a");
  write_claim("a.2", "elsewhere", 1, "another");
  EXPECT_TRUE(first->lost());
  first->heartbeat();
  first->release();
  EXPECT_EQ(claims.read("a", 2).host, "elsewhere");
  EXPECT_EQ(claims.take("a"), nullptr) << "the highest generation counts";
}

TEST_F(SweepClaims, ATrialThatKillsItsWorkersFails) {
  ClaimFolder claims = folder(300, 3);
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  ::waitpid(child, nullptr, 0);
  write_claim("a.1", "here", child, this_writer().boot, 2);
  EXPECT_EQ(claims.take("a"), nullptr);
  const ClaimInfo info = claims.read("a", 2);
  EXPECT_EQ(info.state, ClaimState::kFailed);
  EXPECT_THAT(info.error, HasSubstr("died, 3 times"));
}

TEST_F(SweepClaims, AClaimThatWasEditedIsNamed) {
  ClaimFolder claims = folder();
  (void)claims.take("a");
  std::string text = read_text(file("a.1"));
  text.replace(text.find("running"), 7, "Running");
  write_atomically(file("a.1"), text);
  try {
    claims.read("a", 1);
    FAIL();
  } catch (const DataError& error) {
    EXPECT_THAT(error.what(), testing::AllOf(HasSubstr("a.1"), HasSubstr("edited or damaged")));
  }
}

TEST_F(SweepClaims, AJournalSurvivesAWorkerThatDiesInTheMiddleOfALine) {
  {
    Journal journal(folder_ / "journal");
    journal.append("started", "a", 1, 0);
    journal.append("finished", "a", 1, 2.5);
  }
  const std::string path = folder_ / ("journal/" + this_writer().name + ".jsonl");
  const std::string whole = read_text(path);
  write_atomically(path, whole.substr(0, whole.size() - 7));
  ASSERT_EQ(read_journals(folder_ / "journal").size(), 1u);
  EXPECT_EQ(read_journals(folder_ / "journal")[0].event, "started");
  std::string edited = whole;
  edited.replace(edited.find("started"), 7, "Started");
  write_atomically(path, edited);
  EXPECT_THROW(read_journals(folder_ / "journal"), DataError);
}

TEST_F(SweepClaims, OneLineKeepsTextsAsTheyAre) {
  const JsonValue json = JsonValue::object()
                             .set("a", JsonValue::of("two  blanks\nand a line end"))
                             .set("b", JsonValue::object().set("c", JsonValue::of(1.5)));
  const std::string line = one_line(json);
  EXPECT_EQ(line.find('\n'), std::string::npos);
  EXPECT_EQ(write_json(parse_json(line, "line")), write_json(json));
}

}  // namespace
}  // namespace serval::experiment
