#include "start_message.h"

#include "serval/audio/decode.h"
#include "serval/core/error.h"
#include "serval/core/settings_io.h"

namespace serval::deploy {

void describe(SettingsVisitor& v, StartMessage& s) {
  v.text("type", s.type, {.text = "start"});
  v.check(s.type == "start", "type", "the first message has the type \"start\"");
  v.integer("rate", s.format.rate_hz, {.min = audio::kSlowestHz, .max = audio::kFastestHz},
            {.text = "of the samples", .unit = "Hz"});
  v.choice<PcmEncoding>("encoding", s.format.encoding,
                        {{"s16le", PcmEncoding::kS16le}, {"f32le", PcmEncoding::kF32le}},
                        {.text = "of the samples"});
  v.integer("channels", s.format.channels, {.min = 1, .max = kMostPcmChannels}, {.text = "interleaved"});
  v.real("window_s", s.options.window_s, {.min = 0, .max = kLongestWindow_s, .above_min = true},
         {.text = "that a result is of", .unit = "s"});
  v.real("hop_s", s.options.hop_s, {.min = 0, .max = kLongestWindow_s, .above_min = true},
         {.text = "from a result to the next", .unit = "s"});
  v.real("gate_db", s.options.gate_db, {.min = -1000, .max = 1000},
         {.text = "windows below are silent", .unit = "dB"});
  v.real("smoothing", s.options.smoothing, {.min = 0, .max = 0.999}, {.text = "share of the scores before"});
  v.real("min_confidence", s.min_confidence, {.min = 0, .max = 1}, {.text = "no label below"});
  v.flag("live", s.live, {.text = "whether samples come as they are heard"});
}

StartMessage read_start(const std::string& text, const ServerOptions& limits) {
  std::vector<std::string> errors;
  auto out = read_settings<StartMessage>(parse_json(text, "start message"), errors);
  if (errors.empty() && out.options.window_s > limits.max_window_s)
    errors.push_back(cat("window_s: at most ", limits.max_window_s, " here"));
  if (errors.empty() && out.options.hop_s < limits.min_hop_s)
    errors.push_back(cat("hop_s: at least ", limits.min_hop_s, " here"));
  if (errors.empty() && out.bytes_per_s() > limits.max_stream_kib_per_s * 1024.0)
    errors.push_back(cat("rate, channels and encoding make ", out.bytes_per_s(), " bytes a second, at most ",
                         limits.max_stream_kib_per_s, " KiB are taken here"));
  if (!errors.empty()) throw ConfigError(join(errors, "\n"));
  check_options(out.options, out.format.rate_hz);
  return out;
}

}  // namespace serval::deploy
