// The first message of a stream: what the samples are, and what is wanted of them.
#pragma once

#include <string>

#include "serval/core/settings.h"
#include "serval/deploy/server.h"
#include "serval/deploy/stream.h"

namespace serval::deploy {

struct StartMessage {
  std::string type = "start";
  PcmFormat format;
  StreamOptions options;
  double min_confidence = 0;
  // Samples come as they are heard: when they come faster than they are scored, the stream ends. Otherwise it pauses.
  bool live = true;

  double bytes_per_s() const {
    return static_cast<double>(format.rate_hz) * static_cast<double>(format.frame_bytes());
  }
};

void describe(SettingsVisitor& v, StartMessage& s);

// Throws ConfigError: no JSON, an unknown key, a value out of its range or beyond the server's limits.
StartMessage read_start(const std::string& text, const ServerOptions& limits);

}  // namespace serval::deploy
