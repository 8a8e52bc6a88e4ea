// serval serve as a process: what it answers, and that nothing which comes through the network ends it.
#include <algorithm>
#include <cmath>
#include <future>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serval/deploy/stream.h"

#include "tests/cli/programs.h"
#include "tests/support/process.h"
#include "tests/support/served_bundle.h"
#include "tests/support/web_client.h"

namespace serval {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing_support::ask;
using testing_support::get;
using testing_support::HttpAnswer;
using testing_support::RawClient;
using testing_support::ServedBundle;
using testing_support::SocketClient;
using testing_support::status_of;
using testing_support::tone_speech;
using testing_support::ToneBundle;
using testing_support::upgrade_status;
using testing_support::wait_for;
namespace http = boost::beast::http;

std::string bytes_of(const std::vector<float>& samples) {
  return {reinterpret_cast<const char*>(samples.data()), samples.size() * sizeof(float)};
}
JsonValue json(const HttpAnswer& answer) { return parse_json(answer.body(), "answer"); }
double metric(int port, const std::string& name) {
  const std::string text = get(port, "/metrics").body();
  const std::size_t at = text.find("\n" + name + " ");
  return at == std::string::npos ? NAN : std::stod(text.substr(at + name.size() + 2));
}
const char* const kStart =
    R"({"type": "start", "rate": 8000, "encoding": "f32le", "window_s": 0.5, "hop_s": 0.25, "live": false})";

class ServeTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    bundle_ = new ToneBundle;
    predictor_ = new deploy::Predictor(bundle_->path());
  }
  static void TearDownTestSuite() {
    delete predictor_;
    delete bundle_;
  }
  void serve(const std::vector<std::string>& more = {}) {
    server_.reset();
    server_ = std::make_unique<ServedBundle>(kProgram, bundle_->path(), bundle_->folder, more);
    port_ = server_->port();
  }
  HttpAnswer upload(const std::string& content, const testing_support::Fields& fields = {}) const {
    return ask(port_, http::verb::post, "/predict", content, fields);
  }
  void expect_alive() {
    EXPECT_TRUE(server_->process().running());
    EXPECT_EQ(get(port_, "/health").result_int(), 200u);
  }
  // All that a stream says; the last is its end.
  std::vector<JsonValue> stream(SocketClient& socket, const std::string& bytes,
                                std::size_t piece = 10000) const {
    std::vector<JsonValue> out;
    auto heard = std::async(std::launch::async, [&] {
      while (std::optional<JsonValue> message = socket.next()) out.push_back(*message);
    });
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
      if (!socket.try_send_bytes(bytes.substr(at, piece))) break;
    }
    try {
      socket.send(R"({"type": "end"})");
    } catch (const std::exception&) {  // the server has closed: the messages say why
    }
    heard.wait();
    return out;
  }
  static std::string type_of(const JsonValue& message) { return message.find("type")->text; }
  // The type of the next message; "closed" where none comes.
  static std::string heard(SocketClient& socket) {
    const std::optional<JsonValue> message = socket.next();
    return message ? type_of(*message) : "closed";
  }
  static std::string error_of(SocketClient& socket) {
    const std::optional<JsonValue> message = socket.next();
    return message && message->find("error") ? message->find("error")->text : "";
  }
  static void expect_same(const JsonValue& said, const std::vector<float>& probabilities) {
    for (std::size_t c = 0; c < probabilities.size(); ++c)
      EXPECT_EQ(static_cast<float>(said.find(predictor_->classes()[c])->real), probabilities[c]);
  }

  static ToneBundle* bundle_;
  static deploy::Predictor* predictor_;
  std::unique_ptr<ServedBundle> server_;
  int port_ = 0;
};
ToneBundle* ServeTest::bundle_ = nullptr;
deploy::Predictor* ServeTest::predictor_ = nullptr;

TEST_F(ServeTest, ScoresAFileAsPredictDoes) {
  serve();
  const std::vector<float> speech = tone_speech(2);
  for (const int format : {SF_FORMAT_WAV | SF_FORMAT_PCM_16, SF_FORMAT_FLAC | SF_FORMAT_PCM_16,
                           SF_FORMAT_OGG | SF_FORMAT_VORBIS}) {
    const std::string file = audio::write_sound(bundle_->folder / "x.sound", speech, 8000, format);
    const HttpAnswer answer = upload(audio::bytes_of(file));
    ASSERT_EQ(answer.result_int(), 200u) << answer.body();
    const deploy::Prediction own = predictor_->predict_file(file);
    expect_same(*json(answer).find("probabilities"), own.probabilities);
    EXPECT_EQ(json(answer).find("seconds")->real, own.seconds);
    EXPECT_EQ(json(answer).find("label")->text, predictor_->classes()[own.best]);
  }
  EXPECT_EQ(server_->process().end(SIGTERM), 0);
}

TEST_F(ServeTest, AnswersWhatThereIs) {
  serve();
  const JsonValue info = json(get(port_, "/info"));
  EXPECT_EQ(info.find("name")->text, "tones");
  EXPECT_EQ(info.find("classes")->items.size(), 4u);
  EXPECT_EQ(info.find("sample_rate_hz")->integer, 8000);
  EXPECT_EQ(json(get(port_, "/health")).find("status")->text, "ok");
  EXPECT_THAT(get(port_, "/metrics").body(),
              AllOf(HasSubstr("# TYPE serval_http_answers_total counter"),
                    HasSubstr("serval_http_answers_total{path=\"/health\",status=\"200\"} 1\n")));
  EXPECT_GT(metric(port_, "process_resident_memory_bytes"), 1e6);
  for (const char* path : {"/", "/live.css", "/live.js", "/sound.js", "/capture.js"}) {
    const HttpAnswer answer = get(port_, path);
    EXPECT_EQ(answer.result_int(), 200u) << path;
    EXPECT_THAT(
        std::string(answer["Content-Security-Policy"].data(), answer["Content-Security-Policy"].size()),
        AllOf(HasSubstr("default-src 'none'"), Not(HasSubstr("unsafe"))));
    EXPECT_EQ(answer.count(http::field::access_control_allow_origin), 0u);
    EXPECT_GT(answer.body().size(), 100u);
  }
  const HttpAnswer head = ask(port_, http::verb::head, "/");
  EXPECT_EQ(head.result_int(), 200u);
  EXPECT_TRUE(head.body().empty());
}

TEST_F(ServeTest, RefusesByName) {
  serve({"--max-body-mib", "1", "--max-duration", "3"});
  const auto status = [&](http::verb method, const std::string& target,
                          const testing_support::Fields& fields = {}) {
    return ask(port_, method, target, "", fields).result_int();
  };
  for (const char* target :
       {"/../../etc/passwd", "/%2e%2e/etc/passwd", "/live.css/../x", "//etc/passwd", "/etc/passwd", "*"})
    EXPECT_EQ(status(http::verb::get, target), 404u) << target;
  EXPECT_EQ(status(http::verb::get, "/predict"), 405u);
  EXPECT_EQ(status(http::verb::delete_, "/"), 405u);
  EXPECT_EQ(status(http::verb::get, "/stream"), 426u);
  EXPECT_EQ(upload("abc", {{"Content-Type", "multipart/form-data; boundary=x"}}).result_int(), 415u);
  EXPECT_EQ(upload(std::string(2 << 20, 'x')).result_int(), 413u);

  // Recordings that cannot be scored say why, without a name of a file here.
  const auto unusable = [&](const std::string& content, unsigned code, const char* why) {
    const HttpAnswer answer = upload(content);
    EXPECT_EQ(answer.result_int(), code) << answer.body();
    EXPECT_THAT(json(answer).find("error")->text, AllOf(HasSubstr(why), Not(HasSubstr("/proc"))));
  };
  const auto sound = [&](const std::vector<float>& samples, int rate_hz, int channels = 1) {
    return audio::bytes_of(audio::write_sound(bundle_->folder / "y.wav", samples, rate_hz,
                                              SF_FORMAT_WAV | SF_FORMAT_FLOAT, channels));
  };
  unusable("", 422, "empty");
  unusable("no sound at all", 422, "is not a recording");
  unusable(sound(std::vector<float>(8000), 8000), 422, "silent");
  unusable(sound({0.5f, NAN, 0.25f}, 8000), 422, "not a number");
  unusable(sound(tone_speech(0.02), 8000), 422, "too short");
  unusable(sound(tone_speech(4), 8000), 413, "more than 3 s");
  unusable(sound(tone_speech(1), 8000).substr(0, 20000), 422, "cut off");
  EXPECT_EQ(upload(sound(audio::tone(0.1, 440, 0.5, 1'000'000), 1'000'000)).result_int(), 200u);
  // As many samples as 3 s have at 48 kHz are the most.
  unusable(sound(audio::tone(0.2, 440, 0.5, 1'000'000), 1'000'000), 413, "at 1000000 Hz");
  EXPECT_EQ(upload(sound(std::vector<float>(64 * 4000, 0.25f), 8000, 64)).result_int(), 200u);
  expect_alive();
}

TEST_F(ServeTest, OtherSitesAreNotAnswered) {
  serve({"--allow-host", "voices.example"});
  const auto status = [&](const testing_support::Fields& fields) {
    return get(port_, "/info", fields).result_int();
  };
  const std::string own = cat("127.0.0.1:", port_);
  EXPECT_EQ(status({{"Origin", "http://" + own}}), 200u);
  EXPECT_EQ(status({{"Origin", "https://evil.example"}}), 403u);
  EXPECT_EQ(status({{"Origin", "null"}}), 403u);
  EXPECT_EQ(status({{"Host", "evil.example"}}), 403u);  // a name that is pointed at this address
  EXPECT_EQ(status({{"Host", "localhost:1"}}), 200u);
  EXPECT_EQ(status({{"Host", "voices.example"}, {"Origin", "https://voices.example"}}), 200u);
  EXPECT_EQ(upgrade_status(port_, "/stream", {{"Origin", "https://evil.example"}}), 403);
  EXPECT_EQ(upgrade_status(port_, "/stream", {{"Origin", "http://" + own}}), 101);
  EXPECT_EQ(upgrade_status(port_, "/elsewhere"), 404);
  EXPECT_EQ(upload("abc", {{"Origin", "https://evil.example"}}).result_int(), 403u);
  RawClient none(port_);
  none.send("GET / HTTP/1.1\r\n\r\n");
  EXPECT_EQ(status_of(none.receive(0.3)), 400);
}

TEST_F(ServeTest, AStreamSaysWhatPredictSays) {
  serve();
  const std::vector<float> speech = tone_speech(20);
  for (const std::size_t piece : {1001u, 200000u}) {
    SocketClient socket(port_, "/stream");
    socket.send(kStart);
    const std::vector<JsonValue> said = stream(socket, bytes_of(speech), piece);
    ASSERT_FALSE(said.empty());
    EXPECT_EQ(type_of(said.front()), "started");
    EXPECT_EQ(said.front().find("settings")->find("hop_s")->real, 0.25);
    ASSERT_EQ(type_of(said.back()), "done") << said.back().find("error")->text;
    EXPECT_EQ(said.back().find("seconds")->real, 20.0);
    EXPECT_EQ(socket.close_code(), 1000);
    std::size_t results = 0;
    bool paused = false;
    for (const JsonValue& message : said) {
      paused = paused || type_of(message) == "paused";
      if (type_of(message) != "result") continue;
      const double begin_s = message.find("begin_s")->real, end_s = message.find("end_s")->real;
      EXPECT_EQ(begin_s, 0.25 * static_cast<double>(results++));
      const auto begin = static_cast<std::size_t>(begin_s * 8000),
                 end = static_cast<std::size_t>(end_s * 8000);
      expect_same(*message.find("probabilities"),
                  predictor_->predict(speech.data() + begin, end - begin, 8000).probabilities);
    }
    EXPECT_EQ(results, 79u);
    if (piece == 200000) EXPECT_TRUE(paused);  // 6 s at once are more than may wait
  }
  EXPECT_EQ(metric(port_, "serval_stream_results_total"), 158);
}

TEST_F(ServeTest, StreamsThatAreWrongAreToldSo) {
  serve({"--max-streams", "3"});
  const auto answer = [&](const std::string& start, const std::string& bytes = "") {
    SocketClient socket(port_, "/stream");
    socket.send(start);
    const std::vector<JsonValue> said = stream(socket, bytes);
    return said.empty() ? std::string()
                        : type_of(said.back()) + ": " +
                              (said.back().find("error") ? said.back().find("error")->text : "");
  };
  EXPECT_THAT(answer("not JSON"), HasSubstr("error: start message:1:2"));
  EXPECT_THAT(answer("[]"), HasSubstr("error"));
  EXPECT_THAT(answer(R"({"rat": 8000})"), HasSubstr("did you mean \"rate\""));
  EXPECT_THAT(answer(R"({"rate": 0})"), HasSubstr("rate"));
  EXPECT_THAT(answer(R"({"type": "begin"})"), HasSubstr("\"start\""));
  EXPECT_THAT(answer(R"({"window_s": 31})"), HasSubstr("at most 30"));
  EXPECT_THAT(answer(R"({"hop_s": 0.01})"), HasSubstr("at least 0.1"));
  EXPECT_THAT(answer(R"({"rate": 1000000, "channels": 64})"), HasSubstr("1024 KiB"));
  EXPECT_THAT(answer(R"({"channels": 65})"), HasSubstr("channels"));
  EXPECT_THAT(answer(R"({"rate": 8000, "x": ")" + std::string(5000, 'x') + "\"}"), HasSubstr("bytes"));
  EXPECT_THAT(answer(kStart, bytes_of({0.1f, NAN})), HasSubstr("sample 1 is nan"));
  EXPECT_THAT(answer(kStart, "abc"), HasSubstr("ends within a sample"));
  EXPECT_EQ(
      answer(R"({"rate": 8000, "channels": 64, "live": false, "window_s": 0.5})", std::string(512000, '\1')),
      "done: ");
  EXPECT_EQ(answer(R"({"rate": 500000, "live": false, "window_s": 0.5})", std::string(1000000, '\1')),
            "done: ");
  // Silence is told at each hop.
  SocketClient quiet(port_, "/stream");
  quiet.send(kStart);
  const std::vector<JsonValue> said = stream(quiet, bytes_of(std::vector<float>(8000)));
  EXPECT_EQ(said.size(), 5u);
  EXPECT_TRUE(said[1].find("silent")->boolean);

  // Samples before the start, garbage in the place of frames, a message without an end, too many streams.
  SocketClient early(port_, "/stream");
  early.send_bytes("abcd");
  EXPECT_EQ(heard(early), "error");
  RawClient garbage(port_);
  garbage.send(
      cat("GET /stream HTTP/1.1\r\nHost: 127.0.0.1:", port_,
          "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
          "Sec-WebSocket-Version: 13\r\n\r\n"));
  garbage.send(std::string(5000, '\xff'));
  EXPECT_EQ(status_of(garbage.receive(1)), 101);
  SocketClient large(port_, "/stream");
  large.send(kStart);
  EXPECT_EQ(heard(large), "started");
  large.try_send_bytes(std::string(10 << 20, 'x'));
  EXPECT_EQ(heard(large), "closed");
  EXPECT_TRUE(wait_for([&] { return metric(port_, "serval_streams") == 0; }));
  std::vector<std::unique_ptr<SocketClient>> open;
  for (int i = 0; i < 3; ++i) open.push_back(std::make_unique<SocketClient>(port_, "/stream"));
  EXPECT_EQ(upgrade_status(port_, "/stream"), 503);
  expect_alive();
}

// Faster than it is scored, a live stream is ended by name; one that can wait is not read.
TEST_F(ServeTest, PressureIsExplicit) {
  serve({"--max-behind", "1", "--threads", "1"});
  const std::string live = R"({"rate": 8000, "encoding": "f32le", "window_s": 10, "hop_s": 0.1})";
  SocketClient socket(port_, "/stream");
  socket.send(live);
  const std::vector<JsonValue> said = stream(socket, bytes_of(tone_speech(60)), 100000);
  ASSERT_FALSE(said.empty());
  EXPECT_EQ(type_of(said.back()), "overloaded");
  EXPECT_EQ(socket.close_code(), 1013);
  EXPECT_THAT(get(port_, "/metrics").body(), HasSubstr("serval_refused_total{limit=\"behind\"} 1\n"));
  expect_alive();
}

// A small form of tools/bench/serve/load.sh: every answer of many clients is checked.
TEST_F(ServeTest, ManyClientsAreAnsweredRight) {
  serve({"--max-behind", "30"});
  const std::string sound = audio::write_sound(bundle_->folder / "sound.wav", tone_speech(3), 8000);
  const testing_support::Outcome load = testing_support::run_process(
      {kServeLoadProgram, std::to_string(port_), bundle_->path(), sound, "10", "4", "0.5", "0.25"});
  EXPECT_EQ(load.exit_code, 0) << load.out << load.err;
  EXPECT_THAT(load.out, AllOf(HasSubstr(" 150 results, 0 wrong; 10 done, 0 overloaded, 0 failed")))
      << load.err;
}

TEST_F(ServeTest, SlowAndBrokenRequestsEnd) {
  serve(
      {"--header-timeout", "0.5", "--body-timeout", "0.5", "--idle-timeout", "0.5", "--max-header-kib", "2"});
  const std::string host = cat("Host: 127.0.0.1:", port_, "\r\n");
  RawClient silent(port_), slow(port_), half(port_), slow_body(port_), huge(port_), many(port_),
      garbage(port_), lying(port_), cut(port_);
  slow.send("GET / HT");
  half.send("POST /predict HTTP/1.1\r\n" + host + "Content-Length: 100000\r\n\r\nRIFF");
  half.half_close();
  slow_body.send("POST /predict HTTP/1.1\r\n" + host + "Content-Length: 100000\r\n\r\nRIFF");
  huge.send("GET / HTTP/1.1\r\n" + host + "X: " + std::string(5000, 'x') + "\r\n\r\n");
  std::string fields;
  for (int i = 0; i < 1000; ++i) fields += cat("X", i, ": ", i, "\r\n");
  many.send("GET / HTTP/1.1\r\n" + host + fields + "\r\n");
  garbage.send(std::string(1000, '\0') + "\r\n\r\n");
  lying.send("POST /predict HTTP/1.1\r\n" + host + "Content-Length: 99999999999999\r\n\r\n");
  cut.send("POST /predict HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\nZZ\r\n");
  EXPECT_EQ(silent.receive(), "");
  EXPECT_EQ(status_of(slow.receive()), 408);
  EXPECT_EQ(status_of(half.receive()), 400);
  EXPECT_EQ(status_of(slow_body.receive()), 408);
  EXPECT_EQ(status_of(huge.receive()), 431);
  EXPECT_EQ(status_of(many.receive()), 431);
  EXPECT_EQ(status_of(garbage.receive()), 400);
  EXPECT_EQ(status_of(lying.receive()), 413);
  EXPECT_EQ(status_of(cut.receive()), 400);
  SocketClient mute(port_, "/stream");
  EXPECT_THAT(error_of(mute), HasSubstr("no start message"));
  SocketClient idle(port_, "/stream");
  idle.send(kStart);
  EXPECT_EQ(heard(idle), "started");
  EXPECT_THAT(error_of(idle), HasSubstr("no samples"));
  EXPECT_TRUE(wait_for([&] { return metric(port_, "serval_connections") == 1; }));
  expect_alive();
}

TEST_F(ServeTest, AThousandConnectionsAreBounded) {
  serve({"--max-connections", "100", "--header-timeout", "1"});
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = std::min<rlim_t>(files.rlim_max, 4096);
  ::setrlimit(RLIMIT_NOFILE, &files);
  const std::size_t before = server_->process().resident_bytes();
  std::vector<std::unique_ptr<RawClient>> crowd;
  for (int i = 0; i < 1000; ++i) crowd.push_back(std::make_unique<RawClient>(port_));
  int refused = 0;
  for (auto& client : crowd) {
    try {
      client->send(cat("GET /health HTTP/1.1\r\nHost: 127.0.0.1:", port_, "\r\n\r\n"));
    } catch (const std::exception&) {
      ++refused;
    }
  }
  int served = 0, told = 0;
  for (auto& client : crowd) {
    const int status = status_of(client->receive(0.5));
    served += status == 200 ? 1 : 0;
    told += status == 503 ? 1 : 0;
    client->half_close();
  }
  EXPECT_GE(served, 100);
  EXPECT_GT(told, 0);
  EXPECT_EQ(served + told + refused, 1000);
  EXPECT_LT(server_->process().resident_bytes(), before + (64u << 20));
  crowd.clear();
  EXPECT_TRUE(wait_for([&] { return metric(port_, "serval_connections") == 1; }));
  expect_alive();
}

TEST_F(ServeTest, UploadsBeyondTheLimitAreToldToComeAgain) {
  serve({"--max-uploads", "1"});
  RawClient first(port_);
  first.send(
      cat("POST /predict HTTP/1.1\r\nHost: 127.0.0.1:", port_, "\r\nContent-Length: 1000\r\n\r\nRIFF"));
  ASSERT_TRUE(wait_for([&] { return metric(port_, "serval_uploads") == 1; }));
  const HttpAnswer second = upload("abc");
  EXPECT_EQ(second.result_int(), 503u);
  EXPECT_EQ(second["Retry-After"], "1");
  first.send(std::string(996, 'x'));
  EXPECT_EQ(status_of(first.receive(0.5)), 422);
  EXPECT_EQ(upload("abc").result_int(), 422u);
}

TEST_F(ServeTest, ConnectionsAreKeptAndMayAskBeforeTheyUpload) {
  serve();
  RawClient client(port_);
  const std::string host = cat("Host: 127.0.0.1:", port_, "\r\n");
  client.send("GET /health HTTP/1.1\r\n" + host + "\r\nGET /info HTTP/1.1\r\n" + host + "\r\n");
  client.send("POST /predict HTTP/1.1\r\n" + host + "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n");
  EXPECT_THAT(client.receive(0.5), AllOf(HasSubstr("\"ok\""), HasSubstr("tones"), HasSubstr("100 Continue")));
  client.send("abc");
  EXPECT_EQ(status_of(client.receive(0.5)), 422);
}

TEST_F(ServeTest, ASignalLetsWhatIsUnderWayEnd) {
  serve();
  SocketClient socket(port_, "/stream");
  socket.send(kStart);
  ASSERT_EQ(heard(socket), "started");
  socket.send_bytes(bytes_of(tone_speech(4)));
  RawClient idle(port_);
  ASSERT_TRUE(wait_for([&] { return metric(port_, "serval_stream_audio_seconds_total") == 4; }));
  auto code = std::async(std::launch::async, [&] { return server_->process().end(SIGTERM); });
  int results = 0;
  std::string last;
  while (const std::optional<JsonValue> message = socket.next()) {
    last = type_of(*message);
    results += last == "result" ? 1 : 0;
  }
  EXPECT_EQ(last, "shutdown");
  EXPECT_EQ(results, 15);
  EXPECT_EQ(socket.close_code(), 1001);
  EXPECT_EQ(code.get(), 0);
  // The port is free at once, also after a kill.
  serve({"--port", std::to_string(port_)});
  server_->process().end(SIGKILL);
  serve({"--port", std::to_string(port_)});
  EXPECT_EQ(upload(audio::bytes_of(bundle_->recording(1))).result_int(), 200u);
}

// A body that does not come, and a stream that nobody reads.
TEST_F(ServeTest, WhatDoesNotEndIsCutOffAndTheServerEndsInOrder) {
  serve({"--drain", "0.3"});
  RawClient half(port_);
  half.send("POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\nRIFF");
  SocketClient deaf(port_, "/stream");
  deaf.send(kStart);
  ASSERT_EQ(heard(deaf), "started");
  ASSERT_TRUE(wait_for([&] { return metric(port_, "serval_connections") >= 2; }));
  EXPECT_EQ(server_->process().end(SIGTERM), 0);
}

TEST_F(ServeTest, RefusesToStartWhereItCannot) {
  serve();
  const auto start = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {kProgram, "serve", bundle_->path(), "--device", "cpu", "--quiet"});
    return testing_support::run_process(more);
  };
  const testing_support::Outcome taken = start({"--port", std::to_string(port_)});
  EXPECT_EQ(taken.exit_code, 2);
  EXPECT_THAT(taken.err, HasSubstr(std::to_string(port_)));
  EXPECT_EQ(start({"--host", "nowhere.example"}).exit_code, 2);
  EXPECT_EQ(start({"--port", "70000"}).exit_code, 2);
  EXPECT_EQ(start({"--max-streams", "0"}).exit_code, 2);
  EXPECT_EQ(start({"--idle-timeout", "-1"}).exit_code, 2);
}

}  // namespace
}  // namespace serval
