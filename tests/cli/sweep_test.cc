// Sweeps as processes: killed, out of disk, several at once, and what the commands print.
#include <cstdlib>
#include <filesystem>
#include <set>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serval/core/error.h"
#include "serval/core/files.h"
#include "serval/core/json.h"

#include "tests/cli/programs.h"
#include "tests/support/process.h"
#include "tests/support/tone_corpus.h"

namespace serval {
namespace {

namespace fs = std::filesystem;
using corpus::TempFolder;
using testing::AllOf;
using testing::HasSubstr;
using testing_support::Outcome;
using testing_support::ProcessOptions;
using testing_support::run_in;

class SweepCliTest : public testing::Test {
 protected:
  void SetUp() override {
    testing_support::make_tone_corpus(folder_ / "corpus", {.actors = 4, .emotions = 3, .repetitions = 1});
    folder_.write("x.json", testing_support::tone_experiment(folder_ / "corpus", folder_ / "stores"));
    folder_.write("s.json", R"({"name": "s", "experiment": "x.json", "most_crashes": 1000,
      "set": ["train.epochs=3", "seeds=[1]", "folds.count=2", "train.checkpoint_every_s=0"],
      "axes": {"train.optimizer.learning_rate": {"values": [0.01, 0.03]},
               "models.lstm.network.layers.0.hidden": {"values": [4, 6]}}})");
  }
  Outcome serval(std::vector<std::string> arguments, const ProcessOptions& options = {}) const {
    return run_in(folder_.str(), kProgram, std::move(arguments), options);
  }
  Outcome sweep(const std::string& out, const std::vector<std::string>& more = {},
                const ProcessOptions& options = {}) const {
    std::vector<std::string> arguments{"sweep", "s.json", "--out", out, "--device", "cpu", "--quiet"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return serval(arguments, options);
  }
  std::string board(const std::string& out) const {
    std::string text;
    for (const char* file : {"json", "csv", "txt"})
      text += read_text(folder_ / (out + "/leaderboard." + file));
    return text;
  }
  // How often a journal says that a trial was finished, over all workers.
  std::multiset<std::string> finished(const std::string& out) const {
    std::multiset<std::string> ids;
    for (const auto& entry : fs::directory_iterator(folder_ / (out + "/journal"))) {
      const std::string text = read_text(entry.path());
      const std::string key = R"("event": "finished","trial": ")";
      for (std::size_t at = text.find(key); at != std::string::npos; at = text.find(key, at + 1))
        ids.insert(text.substr(at + key.size(), 16));
    }
    return ids;
  }

  TempFolder folder_;
};

TEST_F(SweepCliTest, KilledAnywhereItEndsWithTheSameLeaderboard) {
  EXPECT_EQ(sweep("whole").exit_code, 0);
  const char* asked = std::getenv("SERVAL_TEST_KILLS");
  const int kills = asked == nullptr ? 6 : std::atoi(asked);
  int killed = 0;
  for (int round = 0; killed < kills && round <= kills; ++round) {
    SCOPED_TRACE(cat("round ", round));
    const std::string parts = cat("parts", round);
    for (int attempt = 0;; ++attempt) {
      ASSERT_LT(attempt, 400);
      ProcessOptions options;
      options.kill_after_s = (0.03 + 0.017 * (attempt % 11) + 0.0023 * (round % 8)) * (1 + attempt / 11);
      options.kill_signal = attempt % 3 == 0 ? SIGTERM : SIGKILL;
      // The program that starts the workers, or a worker itself.
      const bool worker = attempt % 2 == 1 && fs::exists(folder_ / (parts + "/trials"));
      const Outcome outcome = worker ? serval({"sweep", "work", parts, "--device", "cpu", "--quiet"}, options)
                                     : sweep(parts, {"--workers", "2"}, options);
      if (outcome.exit_code == 0 && !worker) break;
      if (outcome.exit_code == 0) continue;
      ++killed;
      if (outcome.exit_code > 0) {
        ASSERT_EQ(outcome.exit_code, 5) << outcome.err;
      } else {
        ASSERT_EQ(outcome.signal, options.kill_signal) << outcome.err;
      }
    }
    EXPECT_EQ(board(parts), board("whole"));
    const std::multiset<std::string> ids = finished(parts);
    for (const std::string& id : ids) EXPECT_EQ(ids.count(id), 1u) << id;
  }
  EXPECT_GE(killed, std::min(kills, 3));
}

TEST_F(SweepCliTest, TwoSweepsOnOneFolderShareTheTrials) {
  EXPECT_EQ(sweep("alone").exit_code, 0);
  Outcome first, second;
  std::thread other([&] { first = sweep("shared", {"--workers", "2"}); });
  second = sweep("shared", {"--workers", "2"});
  other.join();
  EXPECT_EQ(first.exit_code, 0) << first.err;
  EXPECT_EQ(second.exit_code, 0) << second.err;
  EXPECT_EQ(board("shared"), board("alone"));
  const std::multiset<std::string> ids = finished("shared");
  EXPECT_EQ(ids.size(), 4u);
  EXPECT_EQ((std::set<std::string>(ids.begin(), ids.end()).size()), 4u);
}

TEST_F(SweepCliTest, WithoutRoomItEndsWithCode7AndContinues) {
  EXPECT_EQ(sweep("whole").exit_code, 0);
  for (const rlim_t bytes : {rlim_t{2048}, rlim_t{12000}, rlim_t{30000}}) {
    const std::string out = cat("full", bytes);
    ProcessOptions options;
    options.file_bytes = bytes;
    const Outcome full = sweep(out, {}, options);
    EXPECT_EQ(full.exit_code, 7) << bytes << full.err;
    EXPECT_THAT(full.err, HasSubstr("run the same command again")) << bytes;
    EXPECT_EQ(sweep(out).exit_code, 0);
    EXPECT_EQ(board(out), board("whole"));
  }
}

TEST_F(SweepCliTest, CommandsSayWhatTheyShould) {
  const Outcome run = sweep("out", {"--json"});
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_EQ(parse_json(run.out, "sweep").find("finished")->integer, 4);
  const Outcome status = serval({"sweep", "status", "out", "--json"});
  EXPECT_EQ(parse_json(status.out, "status").find("finished")->integer, 4);
  EXPECT_THAT(serval({"sweep", "status", "out"}).out, HasSubstr("4 of 4 trials finished"));
  EXPECT_EQ(serval({"sweep", "collect", "out", "--json"}).out, run.out);
  const Outcome plan =
      serval({"sweep", "plan", "s.json", "--out", "planned", "--device", "cpu", "--workers", "3"});
  EXPECT_THAT(plan.out, AllOf(HasSubstr("4 trials, 1 of them finished"), HasSubstr("with 3 workers")));
  EXPECT_EQ(parse_json(serval({"sweep", "plan", "planned", "--json"}).out, "plan").find("measured")->integer,
            1);
  EXPECT_EQ(serval({"sweep", "cancel", "planned"}).exit_code, 0);
  EXPECT_EQ(serval({"sweep", "work", "planned", "--device", "cpu"}).exit_code, 5);
  EXPECT_EQ(serval({"sweep", "retry", "planned", "--device", "cpu", "--quiet"}).exit_code, 0);
  EXPECT_EQ(board("planned"), board("out"));
  EXPECT_NO_THROW(parse_json(serval({"schema", "sweep"}).out, "schema"));
  EXPECT_NO_THROW(parse_json(serval({"schema", "site"}).out, "schema"));
  EXPECT_EQ(serval({"sweep"}).exit_code, 2);
  EXPECT_EQ(serval({"sweep", "status", "absent"}).exit_code, 2);
}

TEST_F(SweepCliTest, FailedTrialsEndWithTheirCode) {
  folder_.write("f.json", R"({"name": "f", "experiment": "x.json", "set": ["train.epochs=1", "seeds=[1]"],
    "axes": {"corpora.0.path": {"values": ["corpus", "absent"]}}})");
  const Outcome outcome = serval({"sweep", "f.json", "--device", "cpu", "--quiet"});
  EXPECT_EQ(outcome.exit_code,
            serval({"run", "x.json", "--set", "corpora.0.path=absent", "--quiet"}).exit_code);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("1 of 2 trials failed"), HasSubstr("absent")));
}

// Programs of Slurm's names that refuse, or are missing.
TEST_F(SweepCliTest, SlurmThatIsMissingOrRefusesIsTold) {
  folder_.write("site.json", R"({"partition": "nowhere"})");
  ProcessOptions options;
  options.environment["PATH"] = folder_ / "bin";
  const Outcome missing = sweep("a", {"--slurm", "site.json"}, options);
  EXPECT_EQ(missing.exit_code, 2);
  EXPECT_THAT(missing.err, HasSubstr("sbatch is not on PATH"));
  folder_.write("bin/sbatch", "#!/bin/sh\necho 'sbatch: error: invalid partition' >&2\nexit 1\n");
  fs::permissions(folder_ / "bin/sbatch", fs::perms::owner_all);
  const Outcome refused = sweep("a", {"--slurm", "site.json"}, options);
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_THAT(refused.err, AllOf(HasSubstr("invalid partition"), HasSubstr("nothing is lost")));
  const std::string script = read_text(folder_ / "a/slurm/work.sh");
  EXPECT_THAT(script, AllOf(HasSubstr("#SBATCH --partition=nowhere\n"),
                            HasSubstr("#SBATCH --signal=B:USR1@120\n"), HasSubstr("--requeue")));
  folder_.write("site.json", R"({"partitoin": "x", "cpus": 0})");
  EXPECT_THAT(sweep("b", {"--slurm", "site.json"}).err,
              AllOf(HasSubstr("did you mean \"partition\"?"), HasSubstr("cpus: 0 is out of range")));
  EXPECT_FALSE(fs::exists(folder_ / "b"));
}

}  // namespace
}  // namespace serval
