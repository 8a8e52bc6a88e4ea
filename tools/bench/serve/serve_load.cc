// Many clients that stream at the speed of sound to a running `serval serve`, each answer compared with what the bundle
// says of the same samples without a server.
//
//   serval_serve_load PORT BUNDLE RECORDING [CLIENTS [SECONDS [WINDOW_S [HOP_S]]]]
//
// Prints a line every ten seconds and one at the end. Exit code 1: an answer was wrong, lost or not in order.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <deque>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/steady_timer.hpp>

#include "serval/audio/decode.h"
#include "serval/core/text.h"
#include "serval/deploy/stream.h"

#include "tests/support/web_client.h"

namespace {

using namespace serval;
using Clock = std::chrono::steady_clock;
namespace beast = boost::beast;
namespace net = boost::asio;

constexpr std::chrono::milliseconds kPiece(100);
constexpr int kPhases = 10;  // of windows within a hop

struct Load {
  int port = 0, clients = 100;
  double seconds = 300;
  deploy::StreamOptions options;
  int rate_hz = 0;
  std::vector<std::int16_t> sound;                     // which every client plays round and round
  std::vector<std::vector<std::vector<float>>> truth;  // [phase][hop of the sound][class]
  std::vector<std::string> classes;

  std::int64_t hop() const { return deploy::samples_of(options.hop_s, rate_hz); }
  std::int64_t window() const { return deploy::samples_of(options.window_s, rate_hz); }
  std::int16_t at(std::int64_t i) const {
    return sound[static_cast<std::size_t>(i % static_cast<std::int64_t>(sound.size()))];
  }
  std::int64_t phase_begin(int phase) const { return phase * hop() / kPhases; }
};

struct Counts {
  std::int64_t results = 0, wrong = 0, paused = 0;
  int overloaded = 0, failed = 0, done = 0;
  double worst_behind_s = 0;
  std::vector<double> delay_s;  // from a window's last sample being sent to its result
};

class Client : public std::enable_shared_from_this<Client> {
 public:
  Client(net::io_context& io, const Load& load, Counts& counts, int number)
      : load_(load), counts_(counts), socket_(io), timer_(io), number_(number) {}

  void start() {
    beast::get_lowest_layer(socket_).connect(
        {net::ip::address_v4::loopback(), static_cast<unsigned short>(load_.port)});
    socket_.handshake(cat("127.0.0.1:", load_.port), "/stream");
    socket_.write(net::buffer(cat(R"({"rate": )", load_.rate_hz, R"(, "window_s": )", load_.options.window_s,
                                  R"(, "hop_s": )", load_.options.hop_s, R"(, "gate_db": -1000})")));
    began_ = Clock::now() + std::chrono::milliseconds(number_ * 1000 / load_.clients);
    read();
    wait();
  }

 private:
  std::int64_t offset() const {
    return load_.phase_begin(number_ % kPhases) + number_ / kPhases * load_.hop();
  }

  void wait() {
    timer_.expires_at(began_ + pieces_ * kPiece);
    timer_.async_wait([self = shared_from_this()](beast::error_code error) {
      if (!error && !self->ended_) self->send();
    });
  }
  void send() {
    ++pieces_;
    const std::int64_t end = pieces_ * kPiece.count() * load_.rate_hz / 1000;
    std::vector<std::int16_t> piece;
    for (; sent_ < end; ++sent_) piece.push_back(load_.at(offset() + sent_));
    sent_at_.push_back({sent_, Clock::now()});
    bytes_.assign(reinterpret_cast<const char*>(piece.data()), piece.size() * sizeof(std::int16_t));
    socket_.binary(true);
    socket_.async_write(
        net::buffer(bytes_), [self = shared_from_this()](beast::error_code error, std::size_t) {
          if (error || self->ended_) return;
          if (static_cast<double>(self->sent_) < self->load_.seconds * self->load_.rate_hz)
            return self->wait();
          self->socket_.text(true);
          self->bytes_ = R"({"type": "end"})";
          self->socket_.async_write(net::buffer(self->bytes_), [self](beast::error_code, std::size_t) {});
        });
  }
  void read() {
    socket_.async_read(buffer_, [self = shared_from_this()](beast::error_code error, std::size_t) {
      if (error) return self->end();
      const JsonValue said = parse_json(beast::buffers_to_string(self->buffer_.data()), "message");
      self->buffer_.consume(self->buffer_.size());
      self->hear(said);
      self->read();
    });
  }
  void hear(const JsonValue& said) {
    const std::string& type = said.find("type")->text;
    if (type == "result") return check(said);
    if (type == "paused") ++counts_.paused;
    if (type == "overloaded") {
      ++counts_.overloaded;
      told_ = true;
    }
    if (type == "error") std::cerr << write_json(said) << '\n';
    if (type == "done") {
      told_ = true;
      ++counts_.done;
      const std::int64_t windows = (sent_ - load_.window()) / load_.hop() + 1;
      if (sent_ >= load_.window() && results_ < windows) ++counts_.wrong;  // one was lost
    }
  }
  void check(const JsonValue& said) {
    ++counts_.results;
    counts_.worst_behind_s = std::max(counts_.worst_behind_s, said.find("behind_s")->real);
    const std::int64_t begin = results_++ * load_.hop();
    const std::int64_t told = deploy::samples_of(said.find("begin_s")->real, load_.rate_hz);
    const JsonValue* scores = said.find("probabilities");
    if (told != begin || scores == nullptr) {
      ++counts_.wrong;
      return;
    }
    if (said.find("last") != nullptr) return;  // shorter than the windows that are known
    const std::vector<std::vector<float>>& truth = load_.truth[static_cast<std::size_t>(number_ % kPhases)];
    const auto hop =
        static_cast<std::size_t>((offset() - load_.phase_begin(number_ % kPhases) + begin) / load_.hop());
    const std::vector<float>& wanted = truth[hop % truth.size()];
    for (std::size_t c = 0; c < wanted.size(); ++c) {
      if (static_cast<float>(scores->find(load_.classes[c])->real) != wanted[c]) {
        ++counts_.wrong;
        break;
      }
    }
    while (sent_at_.size() > 1 && sent_at_.front().first < begin + load_.window()) sent_at_.pop_front();
    counts_.delay_s.push_back(std::chrono::duration<double>(Clock::now() - sent_at_.front().second).count());
  }
  void end() {
    ended_ = true;
    timer_.cancel();
    if (!told_) ++counts_.failed;
  }

  const Load& load_;
  Counts& counts_;
  beast::websocket::stream<beast::tcp_stream> socket_;
  net::steady_timer timer_;
  beast::flat_buffer buffer_;
  std::string bytes_;
  std::deque<std::pair<std::int64_t, Clock::time_point>> sent_at_;
  int number_ = 0;
  Clock::time_point began_;
  std::int64_t pieces_ = 0, sent_ = 0, results_ = 0;
  bool ended_ = false, told_ = false;
};

double resident_mib(int port) {
  const std::string text = testing_support::get(port, "/metrics").body();
  const std::string name = "\nprocess_resident_memory_bytes ";
  return std::stod(text.substr(text.find(name) + name.size())) / (1 << 20);
}

void learn(Load& load, const std::string& bundle, const std::string& recording) {
  const deploy::Predictor predictor(bundle);
  load.classes = predictor.classes();
  const audio::Waveform sound = audio::decode(recording);
  load.rate_hz = sound.sample_rate_hz;
  const auto hops = static_cast<std::int64_t>(sound.samples.size()) / load.hop();
  if (hops < 1) throw std::runtime_error("the recording is shorter than a hop");
  for (std::int64_t i = 0; i < hops * load.hop(); ++i)
    load.sound.push_back(static_cast<std::int16_t>(
        std::clamp(std::lround(sound.samples[static_cast<std::size_t>(i)] * 32767), -32768l, 32767l)));
  for (int phase = 0; phase < kPhases; ++phase) {
    load.truth.emplace_back();
    for (std::int64_t k = 0; k < hops; ++k) {
      std::vector<float> window;
      for (std::int64_t i = 0; i < load.window(); ++i)
        window.push_back(static_cast<float>(load.at(load.phase_begin(phase) + k * load.hop() + i)) / 32768);
      load.truth.back().push_back(
          predictor.predict(window.data(), window.size(), load.rate_hz).probabilities);
    }
  }
}

double quantile(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1))];
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) {
    std::cerr << "serval_serve_load PORT BUNDLE RECORDING [CLIENTS [SECONDS [WINDOW_S [HOP_S]]]]\n";
    return 2;
  }
  Load load;
  load.port = std::stoi(argv[1]);
  if (argc > 4) load.clients = std::stoi(argv[4]);
  if (argc > 5) load.seconds = std::stod(argv[5]);
  if (argc > 6) load.options.window_s = std::stod(argv[6]);
  if (argc > 7) load.options.hop_s = std::stod(argv[7]);
  learn(load, argv[2], argv[3]);
  Counts counts;
  const double first_mib = resident_mib(load.port);
  double most_mib = first_mib, early_mib = 0;
  net::io_context io;
  for (int i = 0; i < load.clients; ++i) std::make_shared<Client>(io, load, counts, i)->start();
  const Clock::time_point began = Clock::now();
  const auto ended = [&] { return counts.done + counts.overloaded + counts.failed >= load.clients; };
  for (int tick = 1; !ended(); ++tick) {
    io.run_until(began + std::chrono::seconds(tick));
    if (tick % 10 != 0 && !ended()) continue;
    const double mib = resident_mib(load.port);
    most_mib = std::max(most_mib, mib);
    if (early_mib == 0) early_mib = mib;
    std::cout << cat(tick, " s: ", counts.results, " results, ", counts.wrong, " wrong, ", counts.overloaded,
                     " overloaded, ", counts.failed, " failed, server ", formatted("%.1f", mib),
                     " MiB, at most ", formatted("%.2f", counts.worst_behind_s), " s behind")
              << std::endl;
  }
  io.run_for(std::chrono::milliseconds(100));
  std::cout << cat(load.clients, " clients, ", load.seconds, " s each, a window of ", load.options.window_s,
                   " s every ", load.options.hop_s, " s: ", counts.results, " results, ", counts.wrong,
                   " wrong; ", counts.done, " done, ", counts.overloaded, " overloaded, ", counts.failed,
                   " failed; delay median ", formatted("%.4f", quantile(counts.delay_s, 0.5)), " s, 99 % ",
                   formatted("%.4f", quantile(counts.delay_s, 0.99)), " s, worst ",
                   formatted("%.4f", quantile(counts.delay_s, 1)), " s; server ",
                   formatted("%.1f", first_mib), " MiB before, ", formatted("%.1f", early_mib), " early, ",
                   formatted("%.1f", most_mib), " at most\n");
  return counts.wrong == 0 && counts.failed == 0 ? 0 : 1;
}
