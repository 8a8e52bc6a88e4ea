// A bundle behind HTTP and WebSocket: docs/serve.md says what it answers.
//
// One thread reads and writes all connections; others score. What waits is bounded by the limits below, and what is
// beyond them is refused by name, never lost in silence.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "serval/deploy/predictor.h"

namespace serval::deploy {

struct ServerOptions {
  std::string host = "127.0.0.1";  // an address of this machine
  int port = 8080;                 // 0: any that is free
  // What a request's Host may say besides localhost and any address: names that another site cannot claim.
  std::vector<std::string> names;
  int threads = 0;  // that score; 0: every processor

  int max_connections = 256;
  int max_uploads = 8;   // being read or scored
  int max_streams = 64;  // open
  int max_header_kib = 16;
  int max_body_mib = 32;
  double max_duration_s = 600;      // of a recording
  double max_window_s = 30;         // of a stream
  double min_hop_s = 0.1;           // of a stream
  int max_stream_kib_per_s = 1024;  // of samples at their rate
  double max_behind_s = 5;          // of a stream's samples that wait to be scored
  double max_stream_s = 43200;      // of a stream's samples

  double header_s = 10;  // until a request's head, or a stream's start message, has come
  double body_s = 60;    // until its body has
  double idle_s = 60;    // without a byte, in or out
  double drain_s = 10;   // for what is under way when the server is told to end
};

class Server {
 public:
  // Listens from here on. `predictor` must outlive it. Throws ConfigError for an address that cannot be had.
  Server(const Predictor& predictor, const ServerOptions& options);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  int port() const;
  std::string url() const;

  // Serves until interrupted() (core/interrupt.h) or stop(); then takes nothing new, finishes what is under way
  // within drain_s, and returns.
  void run();
  void stop();  // from any thread

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace serval::deploy
