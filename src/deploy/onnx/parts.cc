#include "parts.h"

#include <cmath>

#include "serval/core/error.h"

namespace serval::deploy::onnx {

using features::detail::BankPlan;
using features::detail::LogRule;
using features::detail::PartPlan;

PartWriter::PartWriter(Graph& graph, const features::detail::ExtractionPlan& plan,
                       std::vector<Spectra>& spectra, Problems& problems, std::string name)
    : g_(graph),
      plan_(plan),
      spectra_(spectra),
      problems_(problems),
      name_(std::move(name)),
      banks_(plan.banks.size()) {}

Name PartWriter::write(const PartPlan& part) {
  return std::visit([&](const auto& body) { return of(part, body); }, part.body);
}

void PartWriter::refuse(const std::string& what) {
  problems_.add(cat("features ", name_, ": ", what, " has no form in ONNX"));
}

template <class Other>
Name PartWriter::of(const PartPlan& part, const Other&) {
  if (!part.names.empty()) refuse(cat("\"", part.names.front(), "\""));
  return "";
}

// scale * log(max(x, floor)), and the clip's peak as reference or as what the floor is counted from.
Name PartWriter::log_scaled(const Name& values, const LogRule& rule, Spectra& frames) {
  if (rule.kind == features::LogScale::kNone) return values;
  const Name logs =
      multiply(g_, g_.op("Log", {larger(g_, values, g_.number(rule.floor))}), g_.number(rule.scale));
  if (!rule.needs_peak()) return logs;
  const Name peak = reduce(g_, "ReduceMax", where(g_, frames.mask(), logs, g_.number(kLowest)), {1, 2}, true);
  const Name kept = rule.has_top_db ? larger(g_, logs, subtract(g_, peak, g_.number(rule.top_db))) : logs;
  return rule.from_peak ? subtract(g_, kept, peak) : kept;
}

Name PartWriter::bank(int index) {
  Name& out = banks_[static_cast<std::size_t>(index)];
  if (!out.empty()) return out;
  const BankPlan& bank = plan_.banks[static_cast<std::size_t>(index)];
  Spectra& frames = spectra_[static_cast<std::size_t>(bank.framing)];
  const std::int64_t bins = frames.plan().bins();
  std::vector<float> filters(static_cast<std::size_t>(bank.n_mels * bins), 0.0f);
  for (int m = 0; m < bank.n_mels; ++m) {
    const auto at = static_cast<std::size_t>(m);
    for (std::int32_t i = bank.offset[at]; i < bank.offset[at + 1]; ++i)
      filters[static_cast<std::size_t>(m * bins + bank.first_bin[at] + i - bank.offset[at])] =
          bank.weights[static_cast<std::size_t>(i)];
  }
  const Name spectrum = bank.power == 2 ? frames.power() : frames.magnitude();
  const Name bands = product(g_, g_.floats({bank.n_mels, bins}, filters), spectrum);
  out = log_scaled(transpose(g_, bands, {0, 2, 1}), bank.log, frames);
  return out;
}

Name PartWriter::of(const PartPlan& part, const features::detail::BankPart& body) {
  const Name bands = bank(part.bank);
  if (!body.cosine) return bands;
  const std::int64_t n_mels = plan_.banks[static_cast<std::size_t>(part.bank)].n_mels;
  const Name cosines = g_.floats({part.n_static, n_mels}, part.tables);
  return product(g_, bands, transpose(g_, cosines, {1, 0}));
}

// --- of samples

Name PartWriter::scaled_windows(const PartPlan& part, float scale, bool remove_dc) {
  const Name x = multiply(g_, frames(part).windows(), g_.number(scale));
  return remove_dc ? subtract(g_, x, reduce(g_, "ReduceMean", x, {2}, true)) : x;
}

Name PartWriter::of(const PartPlan& part, const features::detail::EnergyPart& body) {
  Name x = scaled_windows(part, body.sample_scale, body.remove_dc);
  if (body.windowed) {
    const std::int64_t length = frames(part).plan().window_length;
    const Name before = join(g_, {slice(g_, x, 2, 0, 1), slice(g_, x, 2, 0, length - 1)}, 2);
    x = subtract(g_, x, multiply(g_, before, g_.number(body.preemphasis)));
    x = multiply(g_, x, g_.floats({length}, part.tables));
  }
  const Name energy = sum(g_, multiply(g_, x, x), {2}, true);
  return g_.op("Log", {larger(g_, energy, g_.number(body.floor))});
}

Name PartWriter::of(const PartPlan& part, const features::detail::WaveformPart&) {
  return unsqueeze(g_, squeeze(g_, frames(part).windows(), {2}), {2});
}

Name PartWriter::of(const PartPlan& part, const features::detail::ZcrPart& body) {
  const Name x = scaled_windows(part, body.samples.scale, body.samples.remove_dc);
  const std::int64_t length = frames(part).plan().window_length;
  const Name below = less(g_, x, g_.number(static_cast<float>(-body.threshold)));
  const Name crossed = g_.op("Xor", {slice(g_, below, 2, 0, length - 1), slice(g_, below, 2, 1, length)});
  const Name count = sum(g_, cast(g_, crossed, Element::kFloat), {2}, true);
  return divide(g_, count, g_.number(static_cast<float>(length)));
}

Name PartWriter::of(const PartPlan& part, const features::detail::RmsPart& body) {
  const Name x = scaled_windows(part, body.samples.scale, body.samples.remove_dc);
  return g_.op("Sqrt", {reduce(g_, "ReduceMean", multiply(g_, x, x), {2}, true)});
}

Name PartWriter::of(const PartPlan& part, const features::detail::TeagerPart& body) {
  const Name x = frames(part).windows();
  const std::int64_t length = frames(part).plan().window_length;
  const Name middle = slice(g_, x, 2, 1, length - 1);
  const Name around = multiply(g_, slice(g_, x, 2, 0, length - 2), slice(g_, x, 2, 2, length));
  Name energy = subtract(g_, multiply(g_, middle, middle), around);
  if (body.value != features::TeagerValue::kMean) energy = g_.op("Abs", {energy});
  const Name mean = reduce(g_, "ReduceMean", energy, {2}, true);
  if (body.value != features::TeagerValue::kLogMeanAbs) return mean;
  return g_.op("Log", {larger(g_, mean, g_.number(body.floor))});
}

// --- of spectra

Name PartWriter::bins_of(const PartPlan& part, int power) {
  return transpose(g_, power == 2 ? frames(part).power() : frames(part).magnitude(), {0, 2, 1});
}

Name PartWriter::of(const PartPlan& part, const features::detail::SpectrumPart& body) {
  return log_scaled(bins_of(part, body.power), body.log, frames(part));
}

namespace {

// a / b, 0 where b is 0.
Name share(Graph& g, const Name& a, const Name& b) {
  const Name zero = g.op("Not", {g.op("Greater", {b, g.number(0)})});
  return where(g, zero, g.number(0), divide(g, a, where(g, zero, g.number(1), b)));
}

// The numbers 0 to count - 1, times `step`.
Name ramp(Graph& g, std::int64_t count, double step) {
  std::vector<float> values;
  for (std::int64_t k = 0; k < count; ++k)
    values.push_back(static_cast<float>(static_cast<double>(k) * step));
  return g.floats({count}, values);
}

}  // namespace

Name PartWriter::centroid(const PartPlan& part, const features::detail::BinWeights& weights) {
  const Name s = bins_of(part, weights.power);
  const Name hz = ramp(g_, frames(part).plan().bins(), weights.bin_hz);
  return share(g_, sum(g_, multiply(g_, s, hz), {2}, true), sum(g_, s, {2}, true));
}

Name PartWriter::of(const PartPlan& part, const features::detail::CentroidPart& body) {
  return centroid(part, body.weights);
}

Name PartWriter::of(const PartPlan& part, const features::detail::BandwidthPart& body) {
  const Name s = bins_of(part, body.weights.power);
  const Name hz = ramp(g_, frames(part).plan().bins(), body.weights.bin_hz);
  const Name distance = g_.op("Abs", {subtract(g_, hz, centroid(part, body.weights))});
  const Name p = g_.number(static_cast<float>(body.p));
  const Name spread = sum(g_, multiply(g_, s, g_.op("Pow", {distance, p})), {2}, true);
  const Name of_all = body.normalised ? share(g_, spread, sum(g_, s, {2}, true)) : spread;
  return g_.op("Pow", {of_all, g_.number(static_cast<float>(1 / body.p))});
}

// The first bin up to which the sum reaches the share: as many bins lie below it as fall short.
Name PartWriter::of(const PartPlan& part, const features::detail::RolloffPart& body) {
  const Name s = cast(g_, bins_of(part, body.weights.power), Element::kDouble);
  const Name below = g_.op("CumSum", {s, g_.integer(2)});
  const Name share = cast(g_, g_.number(static_cast<float>(body.share)), Element::kDouble);
  const Name wanted = multiply(g_, sum(g_, s, {2}, true), share);
  const Name count = sum(g_, cast(g_, less(g_, below, wanted), Element::kFloat), {2}, true);
  const Name last = g_.number(static_cast<float>(frames(part).plan().bins() - 1));
  return multiply(g_, smaller(g_, count, last), g_.number(static_cast<float>(body.weights.bin_hz)));
}

Name PartWriter::of(const PartPlan& part, const features::detail::FlatnessPart& body) {
  const Name power = bins_of(part, 2);
  const Name raised = body.half_exponent == 1
                          ? power
                          : g_.op("Pow", {power, g_.number(static_cast<float>(body.half_exponent))});
  const Name floored = larger(g_, raised, g_.number(static_cast<float>(body.floor)));
  const Name geometric = g_.op("Exp", {reduce(g_, "ReduceMean", g_.op("Log", {floored}), {2}, true)});
  return divide(g_, geometric, reduce(g_, "ReduceMean", floored, {2}, true));
}

Name PartWriter::of(const PartPlan& part, const features::detail::ChromaPart& body) {
  if (body.tuned) {
    refuse(cat("\"", part.names.front(), "\" with a tuning that is estimated (set \"tuning\")"));
    return "";
  }
  const std::int64_t bins = frames(part).plan().bins();
  const Name s = bins_of(part, body.weights.power);
  const Name classes = product(g_, s, g_.floats({bins, body.n_chroma}, part.tables));
  switch (body.norm) {
    case features::ChromaNorm::kInf:
      return share(g_, classes, reduce(g_, "ReduceMax", classes, {2}, true));
    case features::ChromaNorm::kL1:
      return share(g_, classes, sum(g_, classes, {2}, true));
    case features::ChromaNorm::kL2:
      return share(g_, classes, reduce(g_, "ReduceL2", classes, {2}, true));
    case features::ChromaNorm::kNone:
      break;
  }
  return classes;
}

}  // namespace serval::deploy::onnx
