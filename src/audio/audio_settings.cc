#include "serval/audio/audio_settings.h"

namespace serval::audio {

void describe(SettingsVisitor& v, AudioSettings& s) {
  v.integer("sample_rate_hz", s.sample_rate_hz, {.min = 1000, .max = 192000},
            {.text = "every recording is resampled to this rate", .unit = "Hz"});
  v.real("offset_s", s.offset_s, {.min = 0, .max = 1e6}, {.text = "start of the crop", .unit = "s"});
  v.optional_real(
      "duration_s", s.duration_s, {.min = 0, .max = 1e6, .above_min = true},
      {.text = "length of the crop; a shorter recording is taken whole; null: to the end", .unit = "s"});
  v.choice<Resampler>(
      "resampler", s.resampler,
      {{"soxr_hq", Resampler::kSoxrHq},
       {"soxr_vhq", Resampler::kSoxrVhq},
       {"kaiser_fast", Resampler::kKaiserFast}},
      {.text = "soxr at its high or very high quality, or the short windowed sinc of older studies"});
  v.optional_real(
      "trim_db", s.trim_db, {.min = 0, .max = 200, .above_min = true},
      {.text = "silence at both ends is cut: frames (2048 samples every 512, at sample_rate_hz) this "
               "far or more below the loudest one; null: nothing is cut",
       .unit = "dB"});
  v.variants<Level>("level", s.level, {{"none", Level::kNone}, {"peak", Level::kPeak}, {"rms", Level::kRms}},
                    {.text = "each recording is scaled until its peak or its RMS is at level_db"},
                    [&s](SettingsVisitor& inner) {
                      if (s.level == Level::kNone) return;
                      inner.real(
                          "level_db", s.level_db, {.min = -100, .max = 20},
                          {.text = "level against full scale; nothing is clipped above it", .unit = "dB"});
                    });
  v.optional_real(
      "length_s", s.length_s, {.min = 0, .max = 1e6, .above_min = true},
      {.text = "cut or filled up with zeros at the end to this length; null: as it is", .unit = "s"});
  v.real("min_duration_s", s.min_duration_s, {.min = 0, .max = 1e6},
         {.text = "a recording with less sound than this, after trimming, is a bad one", .unit = "s"});
  v.real("silence_db", s.silence_db, {.min = -300, .max = 0},
         {.text = "a recording whose peak stays below this is silent, which is a bad one", .unit = "dB"});
  v.choice<OnBadRecording>("on_bad_recording", s.on_bad_recording,
                           {{"stop", OnBadRecording::kStop}, {"skip", OnBadRecording::kSkip}},
                           {.text = "stop with its name, or go on without it and list it"});
}

}  // namespace serval::audio
