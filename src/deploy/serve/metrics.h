// What the server has done, in the text form that Prometheus reads. For the thread of the connections alone.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <utility>

namespace serval::deploy {

// Seconds in buckets, each of which counts what is at most its bound.
class Histogram {
 public:
  void add(double seconds);
  std::string text(const std::string& name) const;

 private:
  static constexpr std::array<double, 9> kBounds = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 30};
  std::array<std::int64_t, kBounds.size() + 1> counts_{};
  double sum_ = 0;
};

struct Gauges {  // what is now
  std::size_t connections = 0;
  int uploads = 0, streams = 0;
  std::size_t waiting = 0;
};

struct Metrics {
  std::map<std::pair<std::string, int>, std::int64_t> answers;  // by path and status
  std::map<std::string, std::int64_t> refused;                  // by the limit that was met
  std::int64_t stream_results = 0;
  double upload_audio_s = 0, stream_audio_s = 0;  // scored, received
  Histogram upload_s, window_s;                   // from all bytes being there to the scores

  std::string text(const Gauges& now) const;
};

}  // namespace serval::deploy
