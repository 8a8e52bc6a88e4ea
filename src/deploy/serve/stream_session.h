// A WebSocket whose samples are scored as they come. Messages to it: one JSON text to start with (start_message.h), then
// samples as binary, at the end {"type": "end"}. Messages from it are JSON texts with a "type":
//   started   what was understood
//   result    of a window, as stream.h tells it; behind_s: how much sound waits to be scored
//   paused, resumed   samples are not read for now, since enough of them wait
//   done      after the last result
//   error     what was wrong with what was sent;  overloaded, too_long, shutdown: why the server ends the stream
// After each of the last five the connection is closed.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/websocket/stream.hpp>

#include "answers.h"
#include "server_state.h"
#include "start_message.h"

namespace serval::deploy {

class StreamSession : public Connection, public std::enable_shared_from_this<StreamSession> {
 public:
  StreamSession(ServerState& state, boost::beast::tcp_stream&& stream);
  ~StreamSession() override;
  void start(const Request& request);
  void drain() override;
  void abort() override;

 private:
  using ErrorCode = boost::beast::error_code;
  // What there is once the start message has come.
  struct Running {
    StartMessage wanted;
    PcmReader reader;
    StreamWindows windows;
    Smoother smoother;
    std::string bytes;  // received, not yet read
    std::vector<float> samples;
    std::size_t taken = 0;  // of `samples`, by the windows
    std::int64_t received = 0, results = 0;

    explicit Running(const StartMessage& start);
    double waiting_s() const;  // of sound
    bool read_some();          // false: nothing is left
  };

  double behind_s();  // of sound that was sent: what waits here and what the system has not handed over
  void read();
  void resume();
  void on_message(ErrorCode error);
  void on_text(const std::string& text);
  void on_samples();
  void pump();
  void submit(StreamWindow window);
  void on_result(StreamResult result);
  void finish();
  void send(const JsonValue& message);
  void write();
  void end(const char* type, const std::string& what, boost::beast::websocket::close_code code);
  void close();
  void limit_time(boost::asio::steady_timer& timer, double seconds, void (StreamSession::*then)());
  void on_silence();

  ServerState& state_;
  Counted counted_;
  boost::beast::websocket::stream<boost::beast::tcp_stream> socket_;
  boost::asio::steady_timer silence_, stuck_;  // nothing comes; nothing can be sent
  boost::beast::flat_buffer buffer_;
  std::optional<Running> running_;
  std::deque<std::string> out_;
  boost::beast::websocket::close_reason reason_;
  bool reading_ = false, scoring_ = false, writing_ = false, paused_ = false;
  bool rest_scored_ = false;
  bool ended_ = false;    // no more samples come
  bool closing_ = false;  // what is in out_ is the last
  bool draining_ = false;
};

}  // namespace serval::deploy
