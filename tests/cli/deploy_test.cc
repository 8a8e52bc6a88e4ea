// serval export and serval predict, as processes.
#include <algorithm>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serval/audio/decode.h"
#include "serval/core/csv.h"
#include "serval/core/files.h"
#include "serval/core/json.h"

#include "tests/cli/programs.h"
#include "tests/support/process.h"
#include "tests/support/tone_corpus.h"

namespace serval {
namespace {

namespace fs = std::filesystem;
using corpus::TempFolder;
using testing::HasSubstr;
using testing::IsEmpty;
using testing_support::Outcome;
using testing_support::run_process;
using testing_support::tone_name;

class DeployTest : public testing::Test {
 protected:
  // One run and one bundle for all tests.
  static void SetUpTestSuite() {
    shared_ = new TempFolder;
    testing_support::make_tone_corpus(*shared_ / "corpus");
    shared_->write("x.json",
                   R"({"extends": "base.json", "models": {"lstm": {"input": {"segment_frames": 8}}}})");
    shared_->write("base.json", testing_support::tone_experiment(*shared_ / "corpus", *shared_ / "stores"));
    const Outcome run = serval({"run", "x.json", "--device", "cpu", "--quiet"});
    ASSERT_EQ(run.exit_code, 0) << run.err;
    const Outcome exported =
        serval({"export", "runs/tones", "--fold", "2", "--seed", "1", "--out", "bundle"});
    ASSERT_EQ(exported.exit_code, 0) << exported.err;
    EXPECT_EQ(exported.out, "bundle\n");
  }
  static void TearDownTestSuite() { delete shared_; }

  static Outcome serval(const std::vector<std::string>& arguments) {
    return testing_support::run_in(shared_->str(), kProgram, arguments);
  }
  static Outcome predict(std::vector<std::string> more) {
    more.insert(more.begin(), {"predict", "bundle", "--device", "cpu", "--quiet"});
    return serval(more);
  }
  static std::string recording(int emotion, int actor = 1) {
    return "corpus/" + tone_name(emotion, 0, actor) + ".wav";
  }

  static TempFolder* shared_;
};
TempFolder* DeployTest::shared_ = nullptr;

TEST_F(DeployTest, ChecksumsAreThoseThatOtherProgramsCheck) {
  const Outcome sums = run_process({"sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"},
                                   {.environment = {}, .folder = *shared_ / "bundle"});
  EXPECT_EQ(sums.exit_code, 0) << sums.out << sums.err;
}

TEST_F(DeployTest, KerasWeightsAreAFileOrARefusal) {
  const Outcome written = serval({"keras", "bundle", "--out", "weights.h5", "--quiet"});
  EXPECT_EQ(written.exit_code, 0) << written.err;
  EXPECT_EQ(written.out, "weights.h5\n");
  EXPECT_EQ(read_text(*shared_ / "weights.h5").substr(1, 3), "HDF");
  const Outcome refused = serval({"keras", "bundle", "--out", "x.weights.h5"});
  EXPECT_EQ(refused.exit_code, 2) << refused.err;
  EXPECT_THAT(refused.err, HasSubstr("leave .weights out"));
  EXPECT_FALSE(fs::exists(*shared_ / "x.weights.h5"));
}

TEST_F(DeployTest, FormsSayTheSame) {
  const Outcome table = predict({recording(2), recording(3)});
  EXPECT_EQ(table.exit_code, 0) << table.err;
  EXPECT_EQ(std::count(table.out.begin(), table.out.end(), '\n'), 3);

  const Outcome lines = predict({recording(2), recording(3), "--format", "jsonl"});
  const CsvTable csv = parse_csv(predict({recording(2), recording(3), "--format", "csv"}).out, "csv");
  ASSERT_EQ(csv.rows.size(), 2u);
  const std::size_t end = lines.out.find('\n');
  const JsonValue first = parse_json(lines.out.substr(0, end), "line 1");
  const JsonValue second = parse_json(lines.out.substr(end + 1), "line 2");
  EXPECT_EQ(first.find("recording")->text, recording(2));
  EXPECT_EQ(second.find("label")->text, csv.rows[1].fields[static_cast<std::size_t>(csv.column("label"))]);
  EXPECT_THAT(table.out, HasSubstr(second.find("label")->text));
  for (const auto& [name, p] : first.find("probabilities")->members)
    EXPECT_EQ(csv.rows[0].fields[static_cast<std::size_t>(csv.column("p_" + name))], json_number(p.real));
}

TEST_F(DeployTest, ABadRecordingStopsNoOther) {
  shared_->write("mixed/a.wav", "no sound at all");
  fs::copy_file(*shared_ / recording(2), *shared_ / "mixed/b.wav", fs::copy_options::overwrite_existing);
  audio::write_sound(*shared_ / "mixed/c.wav", std::vector<float>(8000), 8000);
  audio::write_sound(*shared_ / "mixed/d.wav", audio::tone(0.001, 440, 0.5, 8000), 8000);
  shared_->write("mixed/notes.txt", "not looked at");
  const Outcome outcome = predict({"mixed", "nowhere.wav", recording(3), "--format", "csv"});
  EXPECT_EQ(outcome.exit_code, 3);
  EXPECT_THAT(outcome.err, HasSubstr("4 of 6 recordings could not be scored"));
  const CsvTable table = parse_csv(outcome.out, "csv");
  ASSERT_EQ(table.rows.size(), 6u);
  const auto error = [&](std::size_t row) {
    return table.rows[row].fields[static_cast<std::size_t>(table.column("error"))];
  };
  EXPECT_THAT(error(0), HasSubstr("a.wav"));
  EXPECT_THAT(error(1), IsEmpty());
  EXPECT_THAT(error(2), HasSubstr("silent"));
  EXPECT_THAT(error(3), HasSubstr("too short"));
  EXPECT_THAT(error(4), HasSubstr("nowhere.wav"));
  EXPECT_THAT(error(5), IsEmpty());
  for (const char* format : {"table", "jsonl"}) {
    const Outcome again = predict({"mixed", "--format", format});
    EXPECT_EQ(again.exit_code, 3);
    EXPECT_THAT(again.out, HasSubstr("silent"));
  }
}

TEST_F(DeployTest, ThreadsAndBatchesChangeNoByte) {
  const Outcome one = predict({"corpus", "--format", "jsonl", "--threads", "1", "--timeline"});
  EXPECT_EQ(one.exit_code, 0) << one.err;
  EXPECT_EQ(std::count(one.out.begin(), one.out.end(), '\n'), 48);
  EXPECT_THAT(one.out, HasSubstr("\"timeline\""));
  EXPECT_EQ(predict({"corpus", "--format", "jsonl", "--threads", "3", "--batch", "2", "--timeline"}).out,
            one.out);
}

TEST_F(DeployTest, StandardInputIsARecording) {
  const std::string command = std::string("cat ") + recording(2) + " | " + kProgram +
                              " predict bundle - --format csv --quiet --device cpu";
  const Outcome piped =
      run_process({"/bin/sh", "-c", command}, {.environment = {}, .folder = shared_->str()});
  EXPECT_EQ(piped.exit_code, 0) << piped.err;
  const std::string named = predict({recording(2), "--format", "csv"}).out;
  EXPECT_EQ(piped.out.substr(piped.out.find("\n-,") + 2), named.substr(named.find(".wav,") + 4));
  const Outcome empty = run_process({"/bin/sh", "-c", std::string(kProgram) + " predict bundle - </dev/null"},
                                    {.environment = {}, .folder = shared_->str()});
  EXPECT_EQ(empty.exit_code, 3);
}

TEST_F(DeployTest, AStreamIsScoredAsItComes) {
  const std::string samples = audio::bytes_of(*shared_ / recording(2)).substr(44);
  shared_->write("raw", samples + samples + samples);
  const auto stream = [&](const std::string& more) {
    const std::string command = std::string("(cat raw; sleep 0.1; cat raw; printf abc) | head -c 24000 | ") +
                                kProgram + " predict bundle - --quiet --stream --device cpu --rate 8000 " +
                                more;
    return run_process({"/bin/sh", "-c", command}, {.environment = {}, .folder = shared_->str()});
  };
  const Outcome lines = stream("--window 0.5 --hop 0.25");
  EXPECT_EQ(lines.exit_code, 0) << lines.err;
  EXPECT_EQ(std::count(lines.out.begin(), lines.out.end(), '\n'), 5) << lines.out;
  const JsonValue first = parse_json(lines.out.substr(0, lines.out.find('\n')), "line 1");
  EXPECT_EQ(first.find("begin_s")->real, 0.0);
  EXPECT_EQ(first.find("end_s")->real, 0.5);
  // The same samples as a recording.
  std::vector<float> window;
  for (std::size_t i = 0; i < 4000; ++i) {
    const std::string all = samples + samples + samples;
    const auto at = [&](std::size_t k) {
      return static_cast<std::uint16_t>(static_cast<unsigned char>(all[k]));
    };
    window.push_back(static_cast<float>(static_cast<std::int16_t>(at(2 * i) | at(2 * i + 1) << 8)) / 32768);
  }
  audio::write_sound(*shared_ / "window.wav", window, 8000);
  const JsonValue file = parse_json(predict({"window.wav", "--format", "jsonl"}).out, "line");
  EXPECT_EQ(write_json(*first.find("probabilities")), write_json(*file.find("probabilities")));

  EXPECT_EQ(stream("--encoding mp3").exit_code, 2);
  EXPECT_EQ(stream("--window 0").exit_code, 2);
  EXPECT_EQ(stream("--format csv").exit_code, 2);
  EXPECT_EQ(stream("--channels 7").exit_code, 3);  // the stream ends within a sample
  EXPECT_EQ(predict({recording(2), "--stream"}).exit_code, 2);
  EXPECT_EQ(predict({recording(2), "--rate", "8000"}).exit_code, 2);
}

// A recording in the place of the microphone: each line is of the samples that are kept.
TEST_F(DeployTest, TheMicrophoneIsScoredAndKept) {
  const Outcome heard =
      serval({"predict", "bundle", "--quiet", "--device", "cpu", "--microphone", "1", "--hear", recording(2),
              "--save", "kept.wav", "--window", "0.1", "--hop", "0.1"});
  EXPECT_EQ(heard.exit_code, 0) << heard.err;
  EXPECT_GE(std::count(heard.out.begin(), heard.out.end(), '\n'), 2);
  EXPECT_EQ(audio::decode(*shared_ / "kept.wav").samples, audio::decode(*shared_ / recording(2)).samples);
  const JsonValue first = parse_json(heard.out.substr(0, heard.out.find('\n')), "line 1");
  EXPECT_EQ(first.find("end_s")->real, 0.1);
  EXPECT_EQ(first.find("time")->text.size(), 24u);
  std::vector<float> window = audio::decode(*shared_ / "kept.wav").samples;
  window.resize(800);
  audio::write_sound(*shared_ / "window.wav", window, 8000);
  const JsonValue file = parse_json(predict({"window.wav", "--format", "jsonl"}).out, "line");
  EXPECT_EQ(write_json(*first.find("probabilities")), write_json(*file.find("probabilities")));

  EXPECT_EQ(predict({recording(2), "--microphone", "1"}).exit_code, 2);
  EXPECT_EQ(predict({recording(2), "--play"}).exit_code, 2);
  EXPECT_EQ(predict({recording(2), "--window", "1"}).exit_code, 2);
  EXPECT_EQ(predict({}).exit_code, 2);
}

// Through PortAudio and ALSA, of which a file plays the microphone.
TEST_F(DeployTest, TheMicrophoneIsWhatTheSoundCardHears) {
  const auto hear = [](const std::map<std::string, std::string>& environment) {
    return testing_support::run_in(shared_->str(), kProgram,
                                   {"predict", "bundle", "--quiet", "--device", "cpu", "--microphone", "0.5",
                                    "--window", "0.2", "--hop", "0.1", "--save", "card.wav"},
                                   {.environment = environment, .folder = {}});
  };
  if (!fs::exists("/dev/snd")) EXPECT_EQ(hear({}).exit_code, 4);
  const char* system = "/usr/share/alsa/alsa.conf";
  if (!fs::exists(system)) GTEST_SKIP() << "there is no ALSA";
  const std::vector<float> samples = audio::decode(*shared_ / recording(2)).samples;
  shared_->write("heard.raw", audio::bytes_of(*shared_ / recording(2)).substr(44));
  shared_->write(
      "asound.conf",
      std::string("<") + system +
          ">\npcm.!default { type file slave.pcm \"null\" file \"/dev/null\" format \"raw\" infile \"" +
          (*shared_ / "heard.raw") + "\" }\nctl.!default { type hw card 0 }\n");
  const Outcome heard = hear({{"ALSA_CONFIG_PATH", *shared_ / "asound.conf"}});
  if (heard.exit_code == 4) GTEST_SKIP() << "there is no PortAudio: " << heard.err;
  ASSERT_EQ(heard.exit_code, 0) << heard.err;
  EXPECT_EQ(std::count(heard.out.begin(), heard.out.end(), '\n'), 4) << heard.out;
  const std::vector<float> kept = audio::decode(*shared_ / "card.wav").samples;
  ASSERT_EQ(kept.size(), 4000u);
  EXPECT_TRUE(std::equal(samples.begin(), samples.begin() + 1500, kept.begin()));
}

TEST_F(DeployTest, BelowTheConfidenceThereIsNoLabel) {
  const Outcome sure = predict({recording(2), "--format", "jsonl", "--min-confidence", "0"});
  EXPECT_EQ(parse_json(sure.out, "line").find("label")->kind, JsonValue::Kind::kText);
  const Outcome unsure = predict({recording(2), "--format", "jsonl", "--min-confidence", "1"});
  EXPECT_EQ(parse_json(unsure.out, "line").find("label")->kind, JsonValue::Kind::kNull);
  EXPECT_EQ(predict({recording(2), "--min-confidence", "2"}).exit_code, 2);
}

TEST_F(DeployTest, RefusesWhatIsNoBundleOrNoRun) {
  EXPECT_EQ(serval({"predict", "corpus", recording(2)}).exit_code, 3);
  EXPECT_EQ(serval({"predict", "bundle", "corpus", "--format", "xml"}).exit_code, 2);
  const Outcome several = serval({"export", "runs/tones", "--seed", "1", "--out", "other"});
  EXPECT_EQ(several.exit_code, 2);
  EXPECT_THAT(several.err, HasSubstr("--ensemble folds"));
  EXPECT_FALSE(fs::exists(*shared_ / "other"));
  EXPECT_EQ(serval({"export", "corpus", "--out", "other"}).exit_code, 3);
  EXPECT_EQ(serval({"export", "runs/tones", "--ensemble", "actors", "--out", "other"}).exit_code, 2);
}

}  // namespace
}  // namespace serval
