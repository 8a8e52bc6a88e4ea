// What a benchmark measured, as JSON and as text.
#include <cstdio>
#include <string>

#include "serval/core/version.h"
#include "serval/experiment/bench_features.h"

namespace serval::experiment {

namespace {

struct Rates {
  Spread seconds;
  double clips_per_s, frames_per_s, real_time, bytes_per_s, of_copy;
};

Rates rates_of(const BenchReport& report, const BenchStage& stage) {
  const Spread seconds = spread_of(stage.seconds);
  const double bytes_per_s = static_cast<double>(stage.bytes) / seconds.median;
  return {seconds,
          static_cast<double>(report.clips) / seconds.median,
          static_cast<double>(report.frames) / seconds.median,
          report.seconds / seconds.median,
          bytes_per_s,
          bytes_per_s / report.copy_bytes_per_s};
}

JsonValue clips_json(const BenchReport& report) {
  JsonValue clips = JsonValue::object();
  clips.set("source", JsonValue::of(report.source))
      .set("count", JsonValue::of(report.clips))
      .set("skipped", JsonValue::of(report.skipped))
      .set("seconds", JsonValue::of(report.seconds))
      .set("shortest_s", JsonValue::of(report.shortest_s))
      .set("longest_s", JsonValue::of(report.longest_s))
      .set("sample_rate_hz", JsonValue::of(report.sample_rate_hz))
      .set("frames", JsonValue::of(report.frames));
  return clips;
}

JsonValue stage_json(const BenchReport& report, const BenchStage& stage) {
  const Rates rates = rates_of(report, stage);
  JsonValue seconds = JsonValue::object();
  seconds.set("median", JsonValue::of(rates.seconds.median))
      .set("min", JsonValue::of(rates.seconds.min))
      .set("max", JsonValue::of(rates.seconds.max));
  JsonValue out = JsonValue::object();
  out.set("name", JsonValue::of(stage.name))
      .set("includes", JsonValue::of(stage.includes))
      .set("seconds", std::move(seconds))
      .set("clips_per_s", JsonValue::of(rates.clips_per_s))
      .set("frames_per_s", JsonValue::of(rates.frames_per_s))
      .set("audio_hours_per_s", JsonValue::of(rates.real_time / 3600))
      .set("times_real_time", JsonValue::of(rates.real_time))
      .set("bytes_moved", JsonValue::of(stage.bytes))
      .set("gb_per_s", JsonValue::of(rates.bytes_per_s / 1e9))
      .set("share_of_copy", JsonValue::of(rates.of_copy));
  return out;
}

JsonValue memory_json(const BenchMemory& memory) {
  JsonValue out = JsonValue::object();
  out.set("clips", JsonValue::of(memory.clips))
      .set("input_bytes", JsonValue::of(memory.input_bytes))
      .set("output_bytes", JsonValue::of(memory.output_bytes))
      .set("growth_bytes", JsonValue::of(memory.growth_bytes))
      .set("ratio", JsonValue::of(memory.ratio()));
  return out;
}

template <class... Parts>
std::string format(const char* form, Parts... parts) {
  char line[512];
  std::snprintf(line, sizeof line, form, parts...);
  return line;
}

std::string stage_line(const BenchReport& report, const BenchStage& stage) {
  const Rates rates = rates_of(report, stage);
  return format("%-22s %9.4f %9.4f %9.4f %10.0f %11.0f %9.2f %11.0f %7.2f %6.1f %%\n", stage.name.c_str(),
                rates.seconds.median, rates.seconds.min, rates.seconds.max, rates.clips_per_s,
                rates.frames_per_s, rates.real_time / 3600, rates.real_time, rates.bytes_per_s / 1e9,
                100 * rates.of_copy);
}

}  // namespace

JsonValue bench_json(const BenchReport& report) {
  JsonValue dimensions = JsonValue::object();
  for (const auto& [name, dimension] : report.dimensions) dimensions.set(name, JsonValue::of(dimension));
  JsonValue stages = JsonValue::list();
  for (const BenchStage& stage : report.stages) stages.items.push_back(stage_json(report, stage));
  JsonValue out = JsonValue::object();
  out.set("version", JsonValue::of(kVersion))
      .set("device", JsonValue::of(report.device))
      .set("device_name", JsonValue::of(report.device_name))
      .set("threads", JsonValue::of(report.threads))
      .set("repeats", JsonValue::of(static_cast<std::int64_t>(report.stages.front().seconds.size())))
      .set("clips", clips_json(report))
      .set("dimensions", std::move(dimensions))
      .set("copy_gb_per_s", JsonValue::of(report.copy_bytes_per_s / 1e9))
      .set("copy_is", JsonValue::of(report.copy_is))
      .set("stages", std::move(stages))
      .set("memory", memory_json(report.memory));
  return out;
}

std::string bench_text(const BenchReport& report) {
  const std::size_t repeats = report.stages.front().seconds.size();
  std::string text = format("serval %s on %s (%s), %d thread%s; medians of %zu after a warm-up\n", kVersion,
                            report.device.c_str(), report.device_name.c_str(), report.threads,
                            report.threads == 1 ? "" : "s", repeats);
  text +=
      format("%lld clips (%s) of %.1f to %.1f s at %d Hz, %.1f s in all, %lld frames",
             static_cast<long long>(report.clips), report.source.c_str(), report.shortest_s, report.longest_s,
             report.sample_rate_hz, report.seconds, static_cast<long long>(report.frames));
  if (report.skipped > 0) text += format("; %lld could not be used", static_cast<long long>(report.skipped));
  text += format("\ncopy: %.1f GB/s read and written (%s)\n\n", report.copy_bytes_per_s / 1e9,
                 report.copy_is.c_str());
  text += format("%-22s %9s %9s %9s %10s %11s %9s %11s %7s %8s\n", "stage", "median s", "min s", "max s",
                 "clips/s", "frames/s", "hours/s", "x real time", "GB/s", "of copy");
  for (const BenchStage& stage : report.stages) text += stage_line(report, stage);
  text += "\n";
  for (const BenchStage& stage : report.stages)
    text += format("%s: %s\n", stage.name.c_str(), stage.includes.c_str());
  const BenchMemory& memory = report.memory;
  text += format(
      "memory: %.1f MB of samples, %.1f MB of features of %lld clips; resident memory grew by %.1f MB, "
      "so %.2f times input and output\n",
      static_cast<double>(memory.input_bytes) / 1e6, static_cast<double>(memory.output_bytes) / 1e6,
      static_cast<long long>(memory.clips), static_cast<double>(memory.growth_bytes) / 1e6, memory.ratio());
  return text;
}

}  // namespace serval::experiment
