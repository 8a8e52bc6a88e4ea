// A connection that speaks HTTP: requests one after the other, until it becomes a stream or ends.
#pragma once

#include <memory>
#include <optional>

#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/parser.hpp>

#include "answers.h"
#include "server_state.h"

namespace serval::deploy {

class HttpSession : public Connection, public std::enable_shared_from_this<HttpSession> {
 public:
  HttpSession(ServerState& state, boost::asio::ip::tcp::socket&& socket);
  ~HttpSession() override;
  void start();
  void drain() override;
  void abort() override;

 private:
  using ErrorCode = boost::beast::error_code;
  using Parser = boost::beast::http::request_parser<boost::beast::http::string_body>;

  void read_head();
  void on_head(ErrorCode error);
  void route();
  void begin_upload();
  void read_body();
  void on_body(ErrorCode error);
  void score();
  void send(Response response);
  void linger();
  void discard();
  void limit_time(double seconds);
  bool body_follows() const;

  ServerState& state_;
  boost::beast::tcp_stream stream_;
  boost::asio::steady_timer timer_;
  boost::beast::flat_buffer buffer_;
  std::optional<Parser> parser_;
  std::optional<Counted> upload_;
  Response response_;
  bool refused_ = false;    // there are too many connections
  bool timed_out_ = false;  // what was waited for did not come
  bool waiting_ = true;     // for a request, of which nothing has come
  bool closing_ = false;    // after the answer under way
};

}  // namespace serval::deploy
