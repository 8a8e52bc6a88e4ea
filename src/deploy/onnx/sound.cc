#include "sound.h"

#include <cmath>

#include "serval/core/error.h"

namespace serval::deploy::onnx {

using audio::AudioSettings;
using audio::Level;

namespace {

constexpr std::int64_t kFrame = 2048, kHop = 512;  // of trimming, as audio/prepare.cc has them
constexpr float kRmsFloor = 1e-5f;

Name time_of(Graph& g, const Sound& sound) { return reduce(g, "ReduceMax", sound.lengths, {0}, true); }

// Which samples are there: bool [batch, sample].
Name there(Graph& g, const Sound& sound) {
  return less(g, unsqueeze(g, range(g, size_of(g, sound.samples, 1)), {0}), unsqueeze(g, sound.lengths, {1}));
}

// Samples [begin, begin + lengths) of each recording, with zeros behind them.
Sound taken(Graph& g, const Sound& sound, const Name& begin, const Name& lengths) {
  Sound out{"", lengths};
  const Name places = unsqueeze(g, range(g, at_least(g, time_of(g, out), 1)), {0});
  const Name index = clamped(g, add(g, places, unsqueeze(g, begin, {1})), size_of(g, sound.samples, 1));
  const Name samples = g.op("GatherElements", {sound.samples, index}, {{"axis", std::int64_t{1}}});
  out.samples = where(g, less(g, places, unsqueeze(g, lengths, {1})), samples, g.number(0));
  return out;
}

// From the first to the last frame that is louder than `below_db` under the loudest.
Sound trimmed(Graph& g, const Sound& sound, double below_db) {
  const Name halves = g.integers({0, kFrame / 2, 0, kFrame / 2});
  const Name squares = g.op("Pad", {multiply(g, sound.samples, sound.samples), halves});
  const Name hops = divide(g, size_of(g, sound.samples, 1), g.integer(kHop));
  const Name count = add(g, hops, g.integer(1));
  // Frames are four hops; one more is put behind, so that the last of them is whole.
  const Name padded = g.op("Pad", {squares, g.integers({0, 0, 0, kHop})});
  const Name means = squeeze(g,
                             g.op("AveragePool", {unsqueeze(g, padded, {1})},
                                  {{"kernel_shape", Ints{kFrame}}, {"strides", Ints{kHop}}}),
                             {1});
  const Name rms = larger(g, g.op("Sqrt", {slice(g, means, 1, g.integers({0}), count)}), g.number(kRmsFloor));
  const Name frames = add(g, divide(g, sound.lengths, g.integer(kHop)), g.integer(1));
  const Name index = unsqueeze(g, range(g, count), {0});
  const Name own = less(g, index, unsqueeze(g, frames, {1}));
  const Name loud = where(g, own, rms, g.number(0));
  const Name least = multiply(g, reduce(g, "ReduceMax", loud, {1}, true),
                              g.number(static_cast<float>(std::pow(10.0, -below_db / 20))));
  const Name sounds = g.op("Greater", {loud, least});
  const Name first = reduce(g, "ReduceMin", where(g, sounds, index, count), {1});
  const Name last = reduce(g, "ReduceMax", where(g, sounds, index, g.integer(0)), {1});
  const auto sample = [&](const Name& frame) {
    return smaller(g, multiply(g, frame, g.integer(kHop)), sound.lengths);
  };
  const Name begin = sample(first);
  return taken(g, sound, begin, subtract(g, sample(add(g, last, g.integer(1))), begin));
}

// x[n] - c x[n - 1]; the first is 3 x[0] - x[1].
Sound pre_emphasised(Graph& g, const Sound& sound, double coefficient) {
  const Name& x = sound.samples;
  const Name last = size_of(g, x, 1);
  const Name rest = subtract(g, slice(g, x, 1, g.integers({1}), last),
                             multiply(g, slice(g, x, 1, g.integers({0}), subtract(g, last, g.integer(1))),
                                      g.number(static_cast<float>(coefficient))));
  const Name first = subtract(g, multiply(g, slice(g, x, 1, 0, 1), g.number(3)), slice(g, x, 1, 1, 2));
  const Sound out{join(g, {first, rest}, 1), sound.lengths};
  return {where(g, there(g, out), out.samples, g.number(0)), sound.lengths};
}

Sound levelled(Graph& g, const Sound& sound, const AudioSettings& settings) {
  const Name x = cast(g, sound.samples, Element::kDouble);  // zeros past the end
  Name now = reduce(g, "ReduceMax", g.op("Abs", {x}), {1}, true);
  if (settings.level == Level::kRms) {
    const Name count = cast(g, unsqueeze(g, sound.lengths, {1}), Element::kDouble);
    now = g.op("Sqrt", {divide(g, sum(g, multiply(g, x, x), {1}, true), count)});
  }
  const float wanted = static_cast<float>(std::pow(10.0, settings.level_db / 20));
  const Name gain = divide(g, cast(g, g.number(wanted), Element::kDouble), now);
  return {cast(g, multiply(g, x, gain), Element::kFloat), sound.lengths};
}

// 16 bits with the smallest scale, a power of two, at which every code fits: as audio::quantise, and back.
Sound quantised(Graph& g, const Sound& sound) {
  const Name most = reduce(g, "ReduceMax", sound.samples, {1}, true);
  const Name least = reduce(g, "ReduceMin", sound.samples, {1}, true);
  const Name peak = larger(g, larger(g, most, g.op("Neg", {least})), g.number(1e-30f));
  const Name octave = g.op("Floor", {multiply(g, g.op("Log", {peak}), g.number(1.44269504f))});
  // The logarithm may round to the octave beside.
  const Name exponents = add(g, octave, g.floats({1, 6}, {-17, -16, -15, -14, -13, -12}));
  const Name scales = g.op("Pow", {g.number(2), exponents});
  const Name high = g.op("LessOrEqual", {g.op("Round", {divide(g, most, scales)}), g.number(32767)});
  const Name low = g.op("GreaterOrEqual", {g.op("Round", {divide(g, least, scales)}), g.number(-32768)});
  const Name fits = g.op("And", {high, low});
  const Name scale = reduce(g, "ReduceMin", where(g, fits, scales, g.number(-kLowest)), {1}, true);
  const Name codes = g.op("Round", {divide(g, sound.samples, scale)});
  return {multiply(g, codes, scale), sound.lengths};
}

}  // namespace

Sound write_sound(Graph& g, const AudioSettings& settings, const Sound& in, Problems& problems) {
  if (settings.noise_reduction != audio::NoiseReduction::kNone)
    problems.add("audio.noise_reduction has no form in ONNX");
  if (settings.cut_silence_db) problems.add("audio.cut_silence_db has no form in ONNX");
  const double rate = settings.sample_rate_hz;
  const auto offset = static_cast<std::int64_t>(std::floor(settings.offset_s * rate));
  Name length = at_least(g, subtract(g, in.lengths, g.integer(offset)), 0);
  if (settings.duration_s)
    length =
        smaller(g, length, g.integer(static_cast<std::int64_t>(std::floor(*settings.duration_s * rate))));
  Sound sound = taken(g, in, g.op("Expand", {g.integer(offset), g.op("Shape", {in.lengths})}), length);
  if (settings.trim_db) sound = trimmed(g, sound, *settings.trim_db);
  if (settings.pre_emphasis) sound = pre_emphasised(g, sound, *settings.pre_emphasis);
  if (settings.level != Level::kNone) sound = levelled(g, sound, settings);
  if (settings.length_s) {
    const auto fixed = std::max<std::int64_t>(1, std::llround(*settings.length_s * rate));
    const Name padded = g.op("Pad", {sound.samples, g.integers({0, 0, 0, fixed})});
    sound = {slice(g, padded, 1, 0, fixed),
             g.op("Expand", {g.integer(fixed), g.op("Shape", {sound.lengths})})};
  }
  return quantised(g, sound);
}

}  // namespace serval::deploy::onnx
