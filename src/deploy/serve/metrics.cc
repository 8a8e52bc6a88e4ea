#include "metrics.h"

#include <fstream>

#include <unistd.h>

#include "serval/core/error.h"
#include "serval/core/json.h"

namespace serval::deploy {

namespace {

std::string head(const std::string& name, const char* type, const char* help) {
  return cat("# HELP ", name, " ", help, "\n# TYPE ", name, " ", type, "\n");
}

template <class Number>
std::string single(const std::string& name, const char* type, const char* help, Number value) {
  return head(name, type, help) + cat(name, " ", json_number(static_cast<double>(value)), "\n");
}

// Of this process; 0 where the system does not say.
std::int64_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::int64_t size = 0, resident = 0;
  statm >> size >> resident;
  return resident * ::sysconf(_SC_PAGESIZE);
}

}  // namespace

void Histogram::add(double seconds) {
  std::size_t bucket = 0;
  while (bucket < kBounds.size() && seconds > kBounds[bucket]) ++bucket;
  ++counts_[bucket];
  sum_ += seconds;
}

std::string Histogram::text(const std::string& name) const {
  std::string out;
  std::int64_t count = 0;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    count += counts_[i];
    const std::string bound = i < kBounds.size() ? json_number(kBounds[i]) : "+Inf";
    out += cat(name, "_bucket{le=\"", bound, "\"} ", count, "\n");
  }
  return out + cat(name, "_sum ", json_number(sum_), "\n", name, "_count ", count, "\n");
}

std::string Metrics::text(const Gauges& now) const {
  std::string out = head("serval_http_answers_total", "counter", "Answers by path and status.");
  for (const auto& [key, count] : answers)
    out +=
        cat("serval_http_answers_total{path=\"", key.first, "\",status=\"", key.second, "\"} ", count, "\n");
  out += head("serval_refused_total", "counter", "What was refused, by the limit that was met.");
  for (const auto& [limit, count] : refused)
    out += cat("serval_refused_total{limit=\"", limit, "\"} ", count, "\n");
  out += single("serval_stream_results_total", "counter", "Results sent to streams.", stream_results);
  out += single("serval_upload_audio_seconds_total", "counter", "Sound in recordings that were scored.",
                upload_audio_s);
  out +=
      single("serval_stream_audio_seconds_total", "counter", "Sound received from streams.", stream_audio_s);
  out += head("serval_upload_seconds", "histogram", "From a recording's last byte to its scores.");
  out += upload_s.text("serval_upload_seconds");
  out += head("serval_window_seconds", "histogram", "From a stream's window being due to its scores.");
  out += window_s.text("serval_window_seconds");
  out += single("serval_connections", "gauge", "Open connections.", now.connections);
  out += single("serval_uploads", "gauge", "Recordings being read or scored.", now.uploads);
  out += single("serval_streams", "gauge", "Open streams.", now.streams);
  out +=
      single("serval_waiting_jobs", "gauge", "Windows and recordings that wait for a thread.", now.waiting);
  out += single("process_resident_memory_bytes", "gauge", "Memory of this process.", resident_bytes());
  return out;
}

}  // namespace serval::deploy
