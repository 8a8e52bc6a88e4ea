#include "stream_session.h"

#include <algorithm>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core/buffers_to_string.hpp>

#include "serval/core/error.h"
#include "serval/core/json_line.h"
#include "serval/core/log.h"
#include "serval/core/settings_io.h"

namespace serval::deploy {
namespace websocket = boost::beast::websocket;

namespace {

constexpr std::size_t kMostMessageBytes = 256 * 1024;
constexpr std::size_t kMostTextBytes = 4096;
constexpr std::size_t kPieceBytes = 16 * 1024;
// Results that the other side has not read. Beyond these nothing is scored.
constexpr std::size_t kMostUnread = 16;
constexpr double kClose_s = 2;

JsonValue message(const char* type) {
  JsonValue out = JsonValue::object();
  out.set("type", JsonValue::of(type));
  return out;
}

}  // namespace

StreamSession::Running::Running(const StartMessage& start)
    : wanted(start),
      reader(start.format),
      windows(samples_of(start.options.window_s, start.format.rate_hz),
              samples_of(start.options.hop_s, start.format.rate_hz)),
      smoother(start.options.smoothing) {}

double StreamSession::Running::waiting_s() const {
  return static_cast<double>(bytes.size()) / wanted.bytes_per_s() +
         static_cast<double>(samples.size() - taken) / wanted.format.rate_hz;
}

double StreamSession::behind_s() {
  ErrorCode ignored;
  const std::size_t unread = boost::beast::get_lowest_layer(socket_).socket().available(ignored);
  return running_->waiting_s() + static_cast<double>(unread) / running_->wanted.bytes_per_s();
}

bool StreamSession::Running::read_some() {
  if (bytes.empty()) return false;
  samples.clear();
  taken = 0;
  const std::size_t count = std::min(bytes.size(), kPieceBytes);
  const std::string piece = bytes.substr(0, count);
  bytes.erase(0, count);
  reader.read(piece, samples);
  return true;
}

StreamSession::StreamSession(ServerState& state, boost::beast::tcp_stream&& stream)
    : state_(state),
      counted_(state.streams),
      socket_(std::move(stream)),
      silence_(state.io),
      stuck_(state.io),
      buffer_(kMostMessageBytes) {
  state_.connections.insert(this);
}
StreamSession::~StreamSession() { state_.connections.erase(this); }

void StreamSession::start(const Request& request) {
  socket_.set_option(websocket::stream_base::decorator(
      [](websocket::response_type& response) { response.set(boost::beast::http::field::server, "serval"); }));
  ++state_.metrics.answers[{kStreamPath, static_cast<int>(boost::beast::http::status::switching_protocols)}];
  socket_.read_message_max(kMostMessageBytes);
  limit_time(silence_, state_.options.header_s, &StreamSession::on_silence);
  socket_.async_accept(request, [self = shared_from_this()](ErrorCode error) {
    if (!error) self->read();
  });
}

void StreamSession::limit_time(boost::asio::steady_timer& timer, double seconds,
                               void (StreamSession::*then)()) {
  timer.expires_after(std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000)));
  timer.async_wait([self = weak_from_this(), then](const ErrorCode& error) {
    const auto session = self.lock();
    if (!error && session) (session.get()->*then)();
  });
}

void StreamSession::abort() {
  ErrorCode ignored;
  closing_ = true;
  writing_ = true;  // for good
  silence_.cancel();
  stuck_.cancel();
  boost::beast::get_lowest_layer(socket_).socket().close(ignored);
}

void StreamSession::drain() {
  if (!socket_.is_open()) return abort();
  draining_ = true;
  ended_ = true;
  if (running_)
    pump();
  else
    end("shutdown", "the server is about to end", websocket::close_code::going_away);
}

void StreamSession::on_silence() {
  if (closing_) return;
  if (!socket_.is_open()) return abort();
  end("error", running_ ? "no samples came for too long" : "no start message came",
      websocket::close_code::policy_error);
}

void StreamSession::read() {
  if (reading_ || ended_ || closing_) return;
  reading_ = true;
  socket_.async_read(buffer_,
                     [self = shared_from_this()](ErrorCode error, std::size_t) { self->on_message(error); });
}

void StreamSession::on_message(ErrorCode error) {
  reading_ = false;
  if (error == websocket::error::message_too_big || error == websocket::error::buffer_overflow)
    log_info("a stream sent a message that is too long and was closed");
  if (error) return abort();  // closed, or not WebSocket, which Beast has answered
  if (closing_ || ended_) return;
  if (socket_.got_text()) {
    const std::string text = boost::beast::buffers_to_string(buffer_.data());
    buffer_.consume(buffer_.size());
    on_text(text);
  } else {
    on_samples();
  }
}

void StreamSession::on_text(const std::string& text) {
  try {
    if (text.size() > kMostTextBytes) throw ConfigError(cat("a text of ", text.size(), " bytes"));
    if (running_) {
      const JsonValue said = parse_json(text, "message");
      const JsonValue* type = said.find("type");
      if (type == nullptr || type->text != "end")
        throw ConfigError("after the start, \"end\" is the only message");
      ended_ = true;
      silence_.cancel();
      return pump();
    }
    running_.emplace(read_start(text, state_.options));
  } catch (const serval::Error& error) {
    return end("error", error.what(), websocket::close_code::policy_error);
  }
  JsonValue out = message("started");
  out.set("settings", settings_to_json(running_->wanted));
  send(out);
  limit_time(silence_, state_.options.idle_s, &StreamSession::on_silence);
  read();
}

void StreamSession::on_samples() {
  if (!running_)
    return end("error", "the first message is the start, as JSON", websocket::close_code::policy_error);
  const auto data = buffer_.data();
  running_->bytes.append(static_cast<const char*>(data.data()), data.size());
  running_->received += static_cast<std::int64_t>(data.size());
  state_.metrics.stream_audio_s += static_cast<double>(data.size()) / running_->wanted.bytes_per_s();
  buffer_.consume(data.size());
  limit_time(silence_, state_.options.idle_s, &StreamSession::on_silence);
  if (static_cast<double>(running_->received) / running_->wanted.bytes_per_s() >
      state_.options.max_stream_s) {
    ++state_.metrics.refused["stream_seconds"];
    return end("too_long", cat("a stream has at most ", state_.options.max_stream_s, " s"),
               websocket::close_code::policy_error);
  }
  pump();
  if (closing_) return;
  const bool live = running_->wanted.live;
  if ((live ? behind_s() : running_->waiting_s()) <= state_.options.max_behind_s) return read();
  if (live) {
    ++state_.metrics.refused["behind"];
    return end(
        "overloaded",
        cat(behind_s(), " s of sound wait to be scored, at most ", state_.options.max_behind_s, " s may"),
        websocket::close_code::try_again_later);
  }
  paused_ = true;
  silence_.cancel();  // it is the server that does not read
  JsonValue out = message("paused");
  out.set("behind_s", JsonValue::of(behind_s()));
  send(out);
}

// One window of a stream is scored at a time, so that results keep their order and streams share the threads.
void StreamSession::pump() {
  if (scoring_ || closing_ || out_.size() >= kMostUnread) return;
  Running& now = *running_;
  try {
    do {
      now.taken += now.windows.feed(std::span(now.samples).subspan(now.taken));
      if (now.windows.due()) return submit(now.windows.take());
    } while (now.taken < now.samples.size() || now.read_some());
  } catch (const DataError& error) {
    return end("error", error.what(), websocket::close_code::bad_payload);
  }
  if (ended_) finish();
}

void StreamSession::finish() {
  const StreamOptions& options = running_->wanted.options;
  StreamWindow rest = running_->windows.rest();
  const auto shortest = samples_of(options.shortest_s, running_->wanted.format.rate_hz);
  const bool long_enough =
      !rest.samples.empty() && static_cast<std::int64_t>(rest.samples.size()) >= shortest;
  if (long_enough && !std::exchange(rest_scored_, true)) return submit(std::move(rest));
  if (draining_) return end("shutdown", "the server is about to end", websocket::close_code::going_away);
  if (running_->reader.within_frame())
    return end("error", "the stream ends within a sample", websocket::close_code::bad_payload);
  JsonValue out = message("done");
  out.set("results", JsonValue::of(running_->results));
  out.set("seconds",
          JsonValue::of(static_cast<double>(running_->windows.fed()) / running_->wanted.format.rate_hz));
  send(out);
  closing_ = true;
  reason_ = websocket::close_code::normal;
  write();
}

void StreamSession::submit(StreamWindow window) {
  scoring_ = true;
  auto shared = std::make_shared<StreamWindow>(std::move(window));
  state_.pool.submit(
      Urgency::kStream, [self = shared_from_this(), shared, rate_hz = running_->wanted.format.rate_hz,
                         options = running_->wanted.options, begun_s = monotonic_s()]() mutable {
        StreamResult result;
        std::string failed;
        try {
          result = score_window(self->state_.predictor, *shared, rate_hz, options);
        } catch (const std::exception& error) {
          failed = error.what();
        }
        // Handed on whole: a connection ends on its own thread, not on this one.
        ServerState& state = self->state_;
        boost::asio::post(state.io,
                          [self = std::move(self), result = std::move(result), failed, begun_s]() mutable {
                            self->scoring_ = false;
                            self->state_.metrics.window_s.add(monotonic_s() - begun_s);
                            if (!failed.empty())
                              return self->end("error", failed, websocket::close_code::internal_error);
                            self->on_result(std::move(result));
                          });
      });
}

void StreamSession::on_result(StreamResult result) {
  if (closing_) return;
  Running& now = *running_;
  now.smoother.apply(result);
  JsonValue out = message("result");
  out.set("behind_s", JsonValue::of(behind_s()));
  const JsonValue said =
      to_json(result, state_.predictor.classes(), now.wanted.options, now.wanted.min_confidence);
  for (const auto& [name, value] : said.members) out.set(name, value);
  ++now.results;
  ++state_.metrics.stream_results;
  send(out);
  pump();
  resume();
}

// Whatever made what waits less, a result or one that was read.
void StreamSession::resume() {
  if (!paused_ || closing_ || ended_ || running_->waiting_s() > state_.options.max_behind_s) return;
  paused_ = false;
  send(message("resumed"));
  limit_time(silence_, state_.options.idle_s, &StreamSession::on_silence);
  read();
}

void StreamSession::send(const JsonValue& out) {
  out_.push_back(write_json_line(out));
  write();
}

void StreamSession::write() {
  if (writing_) return;
  if (out_.empty()) {
    if (closing_) close();
    return;
  }
  writing_ = true;
  limit_time(stuck_, state_.options.idle_s, &StreamSession::abort);
  socket_.text(true);
  socket_.async_write(boost::asio::buffer(out_.front()),
                      [self = shared_from_this()](ErrorCode error, std::size_t) {
                        self->writing_ = false;
                        self->stuck_.cancel();
                        if (error) return self->abort();
                        self->out_.pop_front();
                        if (self->running_) {
                          self->pump();  // which stops where too much is unread
                          self->resume();
                        }
                        self->write();
                      });
}

void StreamSession::end(const char* type, const std::string& what, websocket::close_code code) {
  if (closing_) return;
  JsonValue out = message(type);
  out.set("error", JsonValue::of(what));
  silence_.cancel();
  closing_ = true;
  reason_ = code;
  send(out);
}

void StreamSession::close() {
  closing_ = true;
  writing_ = true;  // for good
  limit_time(stuck_, kClose_s, &StreamSession::abort);
  socket_.async_close(reason_, [self = shared_from_this()](ErrorCode) { self->abort(); });
}

}  // namespace serval::deploy
