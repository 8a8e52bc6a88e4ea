// What all connections share. Everything but the pool is for the thread of the connections alone.
#pragma once

#include <set>

#include <boost/asio/io_context.hpp>

#include "serval/deploy/predictor.h"
#include "serval/deploy/server.h"

#include "metrics.h"
#include "scorer_pool.h"

namespace serval::deploy {

// A connection, in whatever it is doing.
class Connection {
 public:
  virtual ~Connection() = default;
  virtual void drain() = 0;  // to end once what is under way is done
  virtual void abort() = 0;  // to end now
};

struct ServerState {
  const Predictor& predictor;
  ServerOptions options;
  std::set<Connection*> connections;
  int uploads = 0, streams = 0;
  bool draining = false;
  Metrics metrics;
  // After those: handlers that end with it hold connections, which take themselves out of the set.
  boost::asio::io_context io;
  ScorerPool pool;  // last: its jobs use all the others

  ServerState(const Predictor& scorer, const ServerOptions& server_options, int threads)
      : predictor(scorer), options(server_options), io(1), pool(threads) {}

  bool full() const { return connections.size() > static_cast<std::size_t>(options.max_connections); }
  Gauges now() const { return {connections.size(), uploads, streams, pool.waiting()}; }
};

// Counts a thing for as long as it lives.
class Counted {
 public:
  explicit Counted(int& count) : count_(&count) { ++count; }
  Counted(Counted&& other) noexcept : count_(other.count_) { other.count_ = nullptr; }
  Counted& operator=(Counted&&) = delete;
  ~Counted() {
    if (count_ != nullptr) --*count_;
  }

 private:
  int* count_;
};

}  // namespace serval::deploy
