#include "items.h"

#include <cmath>

#include "serval/core/error.h"
#include "serval/features/segments.h"

namespace serval::deploy::onnx {

using features::InputSettings;
using features::SegmentSettings;
using features::Tail;

namespace {

// Segments of one length: [batch, place] each.
struct Cuts {
  Name start, real, used;
  std::int64_t length = 0;
};

// The fewest real frames with which a padded tail is kept.
std::int64_t least_real(const SegmentSettings& settings, std::int64_t length) {
  std::int64_t real = 0;
  while (static_cast<double>(real) < settings.min_real_share * static_cast<double>(length)) ++real;
  return real;
}

// As features/segments.h cuts n frames [batch]; short recordings are padded.
Cuts cut(Graph& g, const SegmentSettings& settings, std::int64_t length, std::int64_t shift, const Name& n) {
  const Name room = subtract(g, n, g.integer(length));
  const Name is_short = less(g, room, g.integer(0));
  const Name fits = at_least(g, room, 0);
  const Name full = add(g, divide(g, fits, g.integer(shift)), g.integer(1));
  const Name rest = subtract(g, n, multiply(g, full, g.integer(shift)));  // behind the last full shift
  const Name has_tail = g.op("Greater", {g.op("Mod", {fits, g.integer(shift)}), g.integer(0)});
  Name tails = g.integer(0);
  if (settings.tail == Tail::kShiftBack) tails = cast(g, has_tail, Element::kInt64);
  if (settings.tail == Tail::kPad) {
    const Name enough = g.op("GreaterOrEqual", {rest, g.integer(least_real(settings, length))});
    tails = cast(g, g.op("And", {has_tail, enough}), Element::kInt64);
  }
  const Name count = where(g, is_short, g.integer(1), add(g, full, tails));
  const Name most = at_least(g, reduce(g, "ReduceMax", count, {0}, true), 1);
  const Name place = unsqueeze(g, range(g, most), {0});
  Cuts out;
  out.length = length;
  out.used = less(g, place, unsqueeze(g, count, {1}));
  Name start = multiply(g, place, g.integer(shift));
  const Name by_recording = unsqueeze(g, n, {1});
  if (settings.tail == Tail::kShiftBack)
    start = smaller(g, start, at_least(g, subtract(g, by_recording, g.integer(length)), 0));
  out.start = smaller(g, start, at_least(g, subtract(g, by_recording, g.integer(1)), 0));
  out.real = at_least(g, smaller(g, subtract(g, by_recording, out.start), g.integer(length)), 1);
  return out;
}

// `count` frames of hop `of` in frames of hop `hop`, halves rounded up.
Name at_hop(Graph& g, const Name& count, std::int64_t of, std::int64_t hop) {
  return divide(g, add(g, multiply(g, count, g.integer(2 * of)), g.integer(hop)), g.integer(2 * hop));
}
std::int64_t at_hop(std::int64_t count, std::int64_t of, std::int64_t hop) {
  return (2 * count * of + hop) / (2 * hop);
}

// The same stretches in another input, as features/aligned_inputs.h follows them.
Cuts follow(Graph& g, const Cuts& first, std::int64_t first_hop, std::int64_t hop, const Name& n) {
  Cuts out;
  out.used = first.used;
  out.length = std::max<std::int64_t>(1, at_hop(first.length, first_hop, hop));
  const Name by_recording = unsqueeze(g, n, {1});
  out.start = smaller(g, at_hop(g, first.start, first_hop, hop),
                      at_least(g, subtract(g, by_recording, g.integer(1)), 0));
  out.real = at_least(g, smaller(g, subtract(g, by_recording, out.start), g.integer(out.length)), 1);
  return out;
}

ItemFrames gathered(Graph& g, const Cuts& cuts, const Sheet& sheet) {
  ItemFrames out;
  Ints offsets;
  for (std::int64_t i = 0; i < cuts.length; ++i) offsets.push_back(i);
  const Name places = add(g, unsqueeze(g, cuts.start, {2}), g.table({1, 1, cuts.length}, offsets));
  const Name index = clamped(g, places, sheet.time);
  const Name flat = reshape(g, index, {0, -1});  // [batch, place * frame]
  const Name rows = gather_rows(g, sheet.values, flat);
  out.values = reshape(g, rows, {-1, cuts.length, sheet.columns});
  out.real = reshape(g, cuts.real, {-1});
  out.frames = g.op("Expand", {g.integer(cuts.length), g.op("Shape", {out.real})});
  return out;
}

ItemFrames whole(Graph& g, const InputSettings& input, const Sheet& sheet) {
  const Name real = at_least(g, sheet.frames, 1);
  const ItemFrames out{sheet.values, real, real};
  const bool cuts = input.fit && input.fit->fit == features::Fit::kPadOrCut;
  return cuts ? padded_or_cut(g, out, input.fit->frames) : out;
}

}  // namespace

std::vector<Items> write_items(Graph& g, const std::string& model, const NamedList<InputSettings>& inputs,
                               const std::vector<Sheet>& sheets, Problems& problems) {
  const InputSettings& first = inputs.front().second;
  std::vector<Items> out;
  if (first.whole()) {
    Items& items = out.emplace_back();
    for (std::size_t i = 0; i < inputs.size(); ++i)
      items.inputs.push_back(whole(g, inputs[i].second, sheets[i]));
    items.used = unsqueeze(g, g.op("Greater", {sheets.front().frames, g.integer(0)}), {1});
    return out;
  }
  if (first.key_segments > 0) {
    problems.add(cat("model ", model, ": key_segments are found by clustering, which has no form in ONNX"));
    return out;
  }
  const std::vector<std::int64_t> shifts = features::shifts(first.segments);
  for (std::size_t scale = 0; scale < shifts.size(); ++scale) {
    Items& items = out.emplace_back();
    const Cuts cuts =
        cut(g, first.segments, first.segments.segment_frames[scale], shifts[scale], sheets.front().frames);
    items.used = cuts.used;
    items.inputs.push_back(gathered(g, cuts, sheets.front()));
    for (std::size_t i = 1; i < inputs.size(); ++i)
      items.inputs.push_back(
          gathered(g, follow(g, cuts, sheets.front().hop, sheets[i].hop, sheets[i].frames), sheets[i]));
  }
  return out;
}

ItemFrames padded_or_cut(Graph& g, const ItemFrames& items, std::int64_t frames) {
  ItemFrames out;
  out.real = smaller(g, items.real, g.integer(frames));
  const Name padded = g.op("Pad", {items.values, g.integers({0, 0, 0, 0, frames, 0})});
  out.values = slice(g, padded, 1, 0, frames);
  out.frames = g.op("Expand", {g.integer(frames), g.op("Shape", {out.real})});
  return out;
}

namespace {

Name normalised(Graph& g, const Name& x, const NamedArray& mean, const NamedArray& scale) {
  const auto columns = static_cast<std::int64_t>(mean.values.size());
  return multiply(g, subtract(g, x, g.floats({columns}, mean.values)), g.floats({columns}, scale.values));
}

}  // namespace

NetworkInput write_sequence(Graph& g, const ItemFrames& items, const NamedArray& mean,
                            const NamedArray& scale) {
  return {transpose(g, normalised(g, items.values, mean, scale), {1, 0, 2}), items.real};
}

NetworkInput write_vector(Graph& g, const ItemFrames& items, const NamedArray& mean,
                          const NamedArray& scale) {
  return {normalised(g, squeeze(g, slice(g, items.values, 1, 0, 1), {1}), mean, scale), ""};
}

}  // namespace serval::deploy::onnx
