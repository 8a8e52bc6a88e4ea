// What a client of the server says and hears.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>

#include "serval/core/json.h"

namespace serval::testing_support {

namespace beast = boost::beast;
namespace http = beast::http;
using tcp = boost::asio::ip::tcp;

using HttpAnswer = http::response<http::string_body>;
using Fields = std::map<std::string, std::string>;

// A connection that sends bytes as they are.
class RawClient {
 public:
  explicit RawClient(int port) : socket_(io_) {
    socket_.connect({boost::asio::ip::address_v4::loopback(), static_cast<unsigned short>(port)});
  }
  void send(const std::string& bytes) { boost::asio::write(socket_, boost::asio::buffer(bytes)); }
  // All until the other side closes, or as much as comes in that time.
  std::string receive(double seconds = 10) {
    const timeval patience{
        static_cast<time_t>(seconds),
        static_cast<suseconds_t>((seconds - static_cast<double>(static_cast<time_t>(seconds))) * 1e6)};
    ::setsockopt(socket_.native_handle(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    std::string out;
    char block[4096];
    for (ssize_t n = 0; (n = ::recv(socket_.native_handle(), block, sizeof block, 0)) > 0;)
      out.append(block, static_cast<std::size_t>(n));
    return out;
  }
  void half_close() { socket_.shutdown(tcp::socket::shutdown_send); }
  tcp::socket& socket() { return socket_; }

 private:
  boost::asio::io_context io_;
  tcp::socket socket_;
};

// The status of an answer as text, 0 where there is none.
inline int status_of(const std::string& answer) {
  return answer.rfind("HTTP/1.1 ", 0) == 0 ? std::stoi(answer.substr(9, 3)) : 0;
}

inline HttpAnswer ask(int port, http::verb method, const std::string& target, const std::string& body = "",
                      const Fields& fields = {}) {
  boost::asio::io_context io;
  tcp::socket socket(io);
  socket.connect({boost::asio::ip::address_v4::loopback(), static_cast<unsigned short>(port)});
  http::request<http::string_body> request{method, target, 11};
  request.set(http::field::host, "127.0.0.1:" + std::to_string(port));
  for (const auto& [name, value] : fields) request.set(name, value);
  request.body() = body;
  request.prepare_payload();
  request.keep_alive(false);
  http::write(socket, request);
  beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.body_limit(1ull << 30);
  if (method == http::verb::head) parser.skip(true);
  http::read(socket, buffer, parser);
  return parser.release();
}
inline HttpAnswer get(int port, const std::string& target, const Fields& fields = {}) {
  return ask(port, http::verb::get, target, "", fields);
}

// What a wish for a WebSocket is answered: 101 where it is granted.
inline int upgrade_status(int port, const std::string& target, const Fields& fields = {}) {
  std::string text = "GET " + target + " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(port) +
                     "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                     "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n";
  for (const auto& [name, value] : fields) text += name + ": " + value + "\r\n";
  RawClient client(port);
  client.send(text + "\r\n");
  return status_of(client.receive(0.3));
}

// A WebSocket, one message at a time.
class SocketClient {
 public:
  SocketClient(int port, const std::string& target, const Fields& fields = {}) : socket_(io_) {
    beast::get_lowest_layer(socket_).connect(
        {boost::asio::ip::address_v4::loopback(), static_cast<unsigned short>(port)});
    socket_.set_option(
        beast::websocket::stream_base::decorator([fields](beast::websocket::request_type& request) {
          for (const auto& [name, value] : fields) request.set(name, value);
        }));
    socket_.read_message_max(1u << 30);
    socket_.handshake("127.0.0.1:" + std::to_string(port), target);
  }
  void send(const std::string& text) {
    socket_.text(true);
    socket_.write(boost::asio::buffer(text));
  }
  void send_bytes(const std::string& bytes) {
    socket_.binary(true);
    socket_.write(boost::asio::buffer(bytes));
  }
  // Whether there was still somebody to take them.
  bool try_send_bytes(const std::string& bytes) {
    beast::error_code error;
    socket_.binary(true);
    socket_.write(boost::asio::buffer(bytes), error);
    return !error;
  }
  // None once the other side has closed.
  std::optional<JsonValue> next() {
    beast::flat_buffer buffer;
    beast::error_code error;
    socket_.read(buffer, error);
    if (error) return {};
    return parse_json(beast::buffers_to_string(buffer.data()), "message");
  }
  int close_code() const { return socket_.reason().code; }
  tcp::socket& socket() { return beast::get_lowest_layer(socket_).socket(); }

 private:
  boost::asio::io_context io_;
  beast::websocket::stream<beast::tcp_stream> socket_;
};

}  // namespace serval::testing_support
