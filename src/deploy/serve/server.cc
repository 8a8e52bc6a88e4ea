#include "serval/deploy/server.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <utility>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include "serval/core/error.h"
#include "serval/core/interrupt.h"
#include "serval/core/log.h"
#include "serval/core/parallel.h"
#include "serval/deploy/stream.h"

#include "http_session.h"
#include "server_state.h"

namespace serval::deploy {
namespace net = boost::asio;
using net::ip::tcp;
using ErrorCode = boost::system::error_code;

namespace {

// Connections over the limit that are told so at a time; others wait in the system's queue.
constexpr std::size_t kMostRefused = 64;
constexpr std::chrono::milliseconds kTick(50);  // until a signal is noticed

void check(const ServerOptions& o) {
  const auto need = [](bool holds, const char* what) {
    if (!holds) throw ConfigError(what);
  };
  need(o.port >= 0 && o.port <= 65535, "a port is 0 to 65535");
  need(o.max_connections >= 1 && o.max_uploads >= 1 && o.max_streams >= 1 && o.max_header_kib >= 1 &&
           o.max_body_mib >= 1 && o.max_stream_kib_per_s >= 1,
       "limits of the server are at least 1");
  need(o.max_body_mib <= 4096 && o.max_header_kib <= 1024,
       "at most 4096 MiB of a body and 1024 KiB of a head");
  for (const double seconds : {o.max_duration_s, o.max_window_s, o.min_hop_s, o.max_behind_s, o.max_stream_s,
                               o.header_s, o.body_s, o.idle_s, o.drain_s})
    need(seconds > 0 && seconds < 1e9, "times of the server are above 0");
  need(o.max_window_s <= kLongestWindow_s, "the longest window is 600 s");
}

}  // namespace

struct Server::Impl {
  ServerState state;
  tcp::acceptor acceptor;
  net::steady_timer tick;
  std::atomic<bool> stop{false};
  bool accepting = false;
  std::chrono::steady_clock::time_point last_moment;

  Impl(const Predictor& predictor, const ServerOptions& options)
      : state(predictor, options, options.threads > 0 ? options.threads : hardware_threads()),
        acceptor(state.io),
        tick(state.io) {}

  void listen() {
    ErrorCode error;
    const net::ip::address address = net::ip::make_address(state.options.host, error);
    if (error) throw ConfigError(cat(state.options.host, ": is no address; 127.0.0.1 and :: are"));
    const tcp::endpoint endpoint(address, static_cast<unsigned short>(state.options.port));
    const auto need = [&] {
      if (error)
        throw ConfigError(cat(state.options.host, ", port ", state.options.port, ": ", error.message()));
    };
    acceptor.open(endpoint.protocol(), error);
    need();
    acceptor.set_option(tcp::acceptor::reuse_address(true), error);
    need();
    acceptor.bind(endpoint, error);
    need();
    acceptor.listen(net::socket_base::max_listen_connections, error);
    need();
  }

  void accept() {
    if (accepting || state.draining) return;
    if (state.connections.size() >= static_cast<std::size_t>(state.options.max_connections) + kMostRefused)
      return;
    accepting = true;
    acceptor.async_accept([this](const ErrorCode& error, tcp::socket socket) {
      accepting = false;
      if (error) {
        // Out of descriptors: the tick tries again.
        if (error != net::error::operation_aborted)
          log_warning(cat("a connection cannot be taken: ", error.message()));
        return;
      }
      ErrorCode ignored;
      socket.set_option(tcp::no_delay(true), ignored);
      std::make_shared<HttpSession>(state, std::move(socket))->start();
      accept();
    });
  }

  // Copies, since those that end leave the set.
  std::vector<Connection*> open() const { return {state.connections.begin(), state.connections.end()}; }

  void on_tick() {
    if (!state.draining && (stop || interrupted())) {
      log_info("ending, once what is under way is done");
      state.draining = true;
      ErrorCode ignored;
      acceptor.close(ignored);
      last_moment = std::chrono::steady_clock::now() +
                    std::chrono::milliseconds(static_cast<std::int64_t>(state.options.drain_s * 1000));
      for (Connection* connection : open()) connection->drain();
    }
    if (state.draining) {
      if (state.connections.empty()) return state.io.stop();
      if (std::chrono::steady_clock::now() >= last_moment) {
        log_warning(cat(state.connections.size(), " connections were cut, since they took too long to end"));
        return state.io.stop();
      }
    }
    accept();
    wait();
  }

  void wait() {
    tick.expires_after(kTick);
    tick.async_wait([this](const ErrorCode& error) {
      if (!error) on_tick();
    });
  }
};

Server::Server(const Predictor& predictor, const ServerOptions& options) {
  check(options);
  impl_ = std::make_unique<Impl>(predictor, options);
  impl_->listen();
}
Server::~Server() = default;

int Server::port() const { return impl_->acceptor.local_endpoint().port(); }

std::string Server::url() const {
  const auto endpoint = impl_->acceptor.local_endpoint();
  const std::string address = endpoint.address().to_string();
  return cat("http://", endpoint.address().is_v6() ? "[" + address + "]" : address, ":", endpoint.port(),
             "/");
}

void Server::run() {
  impl_->accept();
  impl_->wait();
  for (;;) {
    try {
      impl_->state.io.run();
      return;
    } catch (const std::exception& error) {
      // What one connection met, such as memory that is not there, ends it and no other.
      log_warning(cat("a connection was dropped: ", error.what()));
    }
  }
}

void Server::stop() { impl_->stop = true; }

}  // namespace serval::deploy
