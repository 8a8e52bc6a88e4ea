#include "serval/audio/augment.h"
#include "serval/core/error.h"

namespace serval::audio {

namespace {

const Options<EffectType>& effect_types() {
  static const Options<EffectType> types{
      {"pitch", EffectType::kPitch},      {"stretch", EffectType::kStretch}, {"speed", EffectType::kSpeed},
      {"noise", EffectType::kNoise},      {"roll", EffectType::kRoll},       {"gain", EffectType::kGain},
      {"low_pass", EffectType::kLowPass}, {"room", EffectType::kRoom}};
  return types;
}

void describe_noise(SettingsVisitor& v, EffectSettings& s) {
  v.variants<NoiseKind>(
      "noise", s.noise,
      {{"white", NoiseKind::kWhite},
       {"pink", NoiseKind::kPink},
       {"recordings", NoiseKind::kRecordings},
       {"peak", NoiseKind::kPeak}},
      {"white or pink (1/f) noise, a part of a recording, or white noise measured against the peak"},
      [&s](SettingsVisitor& inner) {
        if (s.noise == NoiseKind::kPeak) {
          inner.real("amount", s.amount, {.min = 0, .max = 10, .above_min = true},
                     {"the noise's deviation is amount * U(0, 1) * the largest sample"});
          return;
        }
        inner.interval("snr_db", s.snr_db, {.min = -60, .max = 120},
                       {"ratio of the sound to the noise", "dB"});
        if (s.noise == NoiseKind::kRecordings) {
          inner.path("folder", s.noise_folder,
                     {"recordings of noise, in this folder or below it", "", Need::kRequired});
        }
      });
}

void describe_room(SettingsVisitor& v, EffectSettings& s) {
  v.variants<RoomKind>(
      "room", s.room, {{"synthetic", RoomKind::kSynthetic}, {"file", RoomKind::kFile}},
      {"a room's response made of decaying noise, or a recorded one"}, [&s](SettingsVisitor& inner) {
        if (s.room == RoomKind::kFile) {
          inner.path("file", s.response_file,
                     {"recording of the room's impulse response", "", Need::kRequired});
          return;
        }
        inner.interval("rt60_s", s.rt60_s, {.min = 0.01, .max = 20},
                       {"time in which the sound falls by 60 dB", "s"});
        inner.interval("direct_to_reverberant_db", s.direct_to_reverberant_db, {.min = -60, .max = 60},
                       {"energy of the direct sound to that of all that follows", "dB"});
      });
}

}  // namespace

const char* to_string(EffectType type) {
  for (const auto& [name, value] : effect_types()) {
    if (value == type) return name;
  }
  throw InternalError("unknown effect");
}

void describe(SettingsVisitor& v, EffectSettings& s) {
  v.variants<EffectType>(
      "type", s.type, effect_types(), {"what is done to the waveform", "", Need::kRequired},
      [&s](SettingsVisitor& inner) {
        switch (s.type) {
          case EffectType::kPitch:
            inner.interval("semitones", s.semitones, {.min = -24, .max = 24}, {"up at the same length"});
            break;
          case EffectType::kStretch:
            inner.interval("rate", s.stretch_rate, {.min = 0.25, .max = 4}, {"above 1 is faster"});
            break;
          case EffectType::kSpeed:
            inner.interval("rate", s.speed_rate, {.min = 0.25, .max = 4}, {"above 1 is faster"});
            break;
          case EffectType::kNoise:
            describe_noise(inner, s);
            break;
          case EffectType::kRoll:
            inner.interval("shift_samples", s.shift_samples, {.min = -1e9, .max = 1e9},
                           {"whole numbers: later, and what leaves the end comes in at the start"});
            inner.check(
                s.shift_samples.low == static_cast<double>(static_cast<std::int64_t>(s.shift_samples.low)) &&
                    s.shift_samples.high ==
                        static_cast<double>(static_cast<std::int64_t>(s.shift_samples.high)),
                "shift_samples", "must be whole numbers");
            break;
          case EffectType::kGain:
            inner.interval("gain_db", s.gain_db, {.min = -60, .max = 60},
                           {"louder; nothing is clipped", "dB"});
            break;
          case EffectType::kLowPass:
            inner.interval("cutoff_hz", s.cutoff_hz, {.min = 0, .max = 96000, .above_min = true},
                           {"of a Butterworth filter of order 4; below half the sample rate", "Hz"});
            break;
          case EffectType::kRoom:
            describe_room(inner, s);
            break;
        }
      });
  v.real("probability", s.probability, {.min = 0, .max = 1, .above_min = true},
         {"that it is applied at all"});
}

void describe(SettingsVisitor& v, AugmentSettings& s) {
  v.integer("copies", s.copies, {.min = 1, .max = 1000},
            {"changed copies of each training recording, which train beside it"});
  v.choice<Choose>("choose", s.choose, {{"one", Choose::kOne}, {"all", Choose::kAll}},
                   {"a copy gets one of the effects, drawn, or all of them in their order"});
  v.choice<Redraw>("redraw", s.redraw, {{"once", Redraw::kOnce}, {"every_epoch", Redraw::kEveryEpoch}},
                   {"the same copies in every epoch, or new ones"});
  v.list("effects", s.effects, {"none: nothing is augmented"});
}

}  // namespace serval::audio
