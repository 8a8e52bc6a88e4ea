#include "spectra.h"

#include <cmath>
#include <numbers>

namespace serval::deploy::onnx {

using features::Padding;
using features::detail::FramePlan;

namespace {

// Frames of n samples, as FramePlan::frames counts.
Name frames_of(Graph& g, const FramePlan& plan, const Name& n) {
  const Name hop = g.integer(plan.hop);
  if (plan.padding == Padding::kMirror) return divide(g, add(g, n, g.integer(plan.hop / 2)), hop);
  const std::int64_t needed = plan.padding == Padding::kNone ? plan.needed : 0;
  const Name room = subtract(g, n, g.integer(needed));
  const Name count = add(g, divide(g, at_least(g, room, 0), hop), g.integer(1));
  return where(g, less(g, room, g.integer(0)), g.integer(0), count);
}

}  // namespace

Spectra::Spectra(Graph& graph, const FramePlan& plan, const Sound& sound)
    : g_(graph), plan_(plan), sound_(sound) {
  frames_ = frames_of(g_, plan, sound.lengths);
  time_ = reduce(g_, "ReduceMax", frames_, {0}, true);
}

const Name& Spectra::mask() {
  if (mask_.empty()) {
    const Name rows = unsqueeze(g_, range(g_, time_), {0});
    mask_ = unsqueeze(g_, less(g_, rows, unsqueeze(g_, frames_, {1})), {2});
  }
  return mask_;
}

// Place p of it is sample p + lead of the clip, or what features::detail::source_sample takes for it.
Name Spectra::padded() {
  if (!padded_.empty()) return padded_;
  const Name hops = multiply(g_, subtract(g_, time_, g_.integer(1)), g_.integer(plan_.hop));
  const Name places =
      add(g_, range(g_, add(g_, hops, g_.integer(plan_.window_length))), g_.integer(plan_.lead));
  const Name at = unsqueeze(g_, places, {0});
  const Name count = unsqueeze(g_, sound_.lengths, {1});
  Name index = clamped(g_, at, count);  // [batch, place]
  const bool repeats = plan_.padding == Padding::kMirror;
  if (repeats || plan_.padding == Padding::kReflect) {
    // There and back again; the ends once or twice.
    const Name turn = repeats ? count : at_least(g_, subtract(g_, count, g_.integer(1)), 1);
    const Name period = multiply(g_, turn, g_.integer(2));
    const Name in_period = g_.op("Mod", {at, period});
    const Name back = subtract(g_, subtract(g_, period, in_period), g_.integer(repeats ? 1 : 0));
    index = clamped(g_, smaller(g_, in_period, back), count);
  }
  padded_ = g_.op("GatherElements", {sound_.samples, index}, {{"axis", std::int64_t{1}}});
  if (plan_.padding == Padding::kZero || plan_.padding == Padding::kNone)
    padded_ = where(g_, inside(g_, at, count), padded_, g_.number(0));
  return padded_;
}

// [2 bins, 1, window]: cosines, then sines, of the transform of n_fft samples in which the window lies.
std::vector<float> Spectra::kernels() const {
  const int length = plan_.window_length;
  const double scale = plan_.sample_scale, emphasis = plan_.preemphasis;
  std::vector<double> turns(static_cast<std::size_t>(plan_.n_fft));
  for (int n = 0; n < plan_.n_fft; ++n)
    turns[static_cast<std::size_t>(n)] = 2 * std::numbers::pi * n / plan_.n_fft;
  std::vector<float> out;
  out.reserve(2 * static_cast<std::size_t>(plan_.bins()) * static_cast<std::size_t>(length));
  std::vector<double> row(static_cast<std::size_t>(length));
  for (const bool sine : {false, true}) {
    for (int k = 0; k < plan_.bins(); ++k) {
      const auto weight = [&](int n) {
        const auto turn =
            static_cast<std::size_t>(static_cast<std::int64_t>(k) * (n + plan_.window_offset) % plan_.n_fft);
        const double wave = sine ? -std::sin(turns[turn]) : std::cos(turns[turn]);
        return static_cast<double>(plan_.window[static_cast<std::size_t>(n)]) * wave;
      };
      double sum = 0;
      for (int n = 0; n < length; ++n) {
        // Sample n is read by itself and, times the emphasis, by the next one; the first is its own predecessor.
        double value = weight(n);
        if (n + 1 < length) value -= emphasis * weight(n + 1);
        if (n == 0) value -= emphasis * weight(0);
        row[static_cast<std::size_t>(n)] = value;
        sum += value;
      }
      const double mean = plan_.remove_dc ? sum / length : 0;
      for (const double value : row) out.push_back(static_cast<float>(scale * (value - mean)));
    }
  }
  return out;
}

Name Spectra::power() {
  if (!power_.empty()) return power_;
  const std::int64_t bins = plan_.bins();
  const Name kernel = g_.floats({2 * bins, 1, plan_.window_length}, kernels());
  const Name waves = g_.op("Conv", {unsqueeze(g_, padded(), {1}), kernel},
                           {{"kernel_shape", Ints{plan_.window_length}}, {"strides", Ints{plan_.hop}}});
  const Name squares = multiply(g_, waves, waves);
  power_ = add(g_, slice(g_, squares, 1, 0, bins), slice(g_, squares, 1, bins, 2 * bins));
  return power_;
}

Name Spectra::magnitude() {
  if (magnitude_.empty()) magnitude_ = g_.op("Sqrt", {power()});
  return magnitude_;
}

Name Spectra::windows() {
  if (!windows_.empty()) return windows_;
  Ints offsets;
  for (std::int64_t n = 0; n < plan_.window_length; ++n) offsets.push_back(n);
  const Name starts = unsqueeze(g_, multiply(g_, range(g_, time_), g_.integer(plan_.hop)), {1});
  const Name index = add(g_, starts, g_.table({1, plan_.window_length}, offsets));
  windows_ = g_.op("Gather", {padded(), index}, {{"axis", std::int64_t{1}}});
  return windows_;
}

}  // namespace serval::deploy::onnx
