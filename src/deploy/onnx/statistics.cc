#include "statistics.h"

#include "serval/core/error.h"
#include "serval/features/detail/frame_math.h"

namespace serval::deploy::onnx {

using features::DeltaMethod;
using features::Statistic;
using features::StatisticKind;
using features::detail::DeltaPlan;

namespace {

// Rows of the frames that `at` [frame] plus or minus something names, held within each recording: [batch, count, column].
Name rows_within(Graph& g, const Name& columns, const Name& index, const Name& low, const Name& high) {
  const Name held = larger(g, smaller(g, index, high), low);
  return gather_rows(g, columns, at_least(g, held, 0));
}

// sum over k of taps[k] x[f + k], the taps [batch or 1, 1, 1] each.
Name weighed(Graph& g, const Name& x, const std::vector<Name>& taps, const Name& time) {
  Name total;
  for (std::size_t k = 0; k < taps.size(); ++k) {
    const Name begin = g.integers({static_cast<std::int64_t>(k)});
    const Name term = multiply(g, slice(g, x, 1, begin, add(g, time, begin)), taps[k]);
    total = k == 0 ? term : add(g, total, term);
  }
  return total;
}

// HTK's regression: the clip's ends repeat.
Name regression(Graph& g, const DeltaPlan& plan, const Name& source, Spectra& frames) {
  const std::int64_t half = plan.width / 2;
  const Name places = range(g, add(g, frames.time(), g.integer(2 * half)));
  const Name at = unsqueeze(g, subtract(g, places, g.integer(half)), {0});
  const Name last = unsqueeze(g, subtract(g, frames.frames(), g.integer(1)), {1});
  std::vector<Name> taps;
  for (const float tap : plan.taps_of(1)) taps.push_back(g.number(tap));
  return weighed(g, rows_within(g, source, at, g.integer(0), last), taps, frames.time());
}

// Savitzky-Golay: a clip that is too short for the width takes the widest that fits, none at all gives 0; frames near an
// end take the value of the nearest whole neighbourhood.
Name savgol(Graph& g, const DeltaPlan& plan, int order, const Name& source, Spectra& frames) {
  const int widest = plan.width / 2;
  const int most = 2 * widest + 1;
  std::vector<std::vector<float>> by_half(static_cast<std::size_t>(most),
                                          std::vector<float>(static_cast<std::size_t>(widest) + 1, 0.0f));
  for (int half = 1; half <= widest; ++half) {
    for (int k = 0; k < 2 * half + 1; ++k)
      by_half[static_cast<std::size_t>(widest - half + k)][static_cast<std::size_t>(half)] =
          plan.taps_of(order)[static_cast<std::size_t>(features::detail::delta_taps_at(half) + k)];
  }
  const Name room = divide(g, at_least(g, subtract(g, frames.frames(), g.integer(1)), 0), g.integer(2));
  const Name half = smaller(g, room, g.integer(widest));  // [batch]
  std::vector<Name> taps;
  for (const std::vector<float>& of_half : by_half) {
    const Name tap = g.op("Gather", {g.floats({widest + 1}, of_half), half});
    taps.push_back(unsqueeze(g, tap, {1, 2}));
  }
  const Name padded = g.op("Pad", {source, g.integers({0, widest, 0, 0, widest, 0})});
  const Name slopes = weighed(g, padded, taps, frames.time());
  const Name at = unsqueeze(g, range(g, frames.time()), {0});
  const Name low = unsqueeze(g, half, {1});
  const Name high = unsqueeze(g, subtract(g, subtract(g, frames.frames(), g.integer(1)), half), {1});
  return rows_within(g, slopes, at, low, high);
}

}  // namespace

Name write_delta(Graph& g, const DeltaPlan& plan, int order, const Name& source, Spectra& frames) {
  if (plan.method == DeltaMethod::kRegression) return regression(g, plan, source, frames);
  return savgol(g, plan, plan.method == DeltaMethod::kSavgol ? order : 1, source, frames);
}

namespace {

Name counts(Graph& g, Spectra& frames) {  // [batch, 1]
  return unsqueeze(g, cast(g, frames.frames(), Element::kFloat), {1});
}

Name mean_of(Graph& g, const Name& x, Spectra& frames) {
  return divide(g, sum(g, where(g, frames.mask(), x, g.number(0)), {1}), counts(g, frames));
}

// Linear between the sorted values. Frames that are not there are sorted to the end.
Name percentile(Graph& g, double percent, const Name& x, Spectra& frames) {
  const Name kept = where(g, frames.mask(), x, g.number(-kLowest));
  const Name sorted =
      g.ops("TopK", {kept, frames.time()}, {{"axis", std::int64_t{1}}, {"largest", std::int64_t{0}}}, 2)
          .front();
  const Name last =
      subtract(g, cast(g, frames.frames(), Element::kDouble), cast(g, g.number(1), Element::kDouble));
  const Name share = divide(g, cast(g, g.number(static_cast<float>(percent)), Element::kDouble),
                            cast(g, g.number(100), Element::kDouble));
  const Name at = multiply(g, last, share);  // [batch]
  const Name floor = g.op("Floor", {at});
  const Name below = cast(g, floor, Element::kInt64);
  const Name above = smaller(g, add(g, below, g.integer(1)), subtract(g, frames.frames(), g.integer(1)));
  const auto row = [&](const Name& index) {
    return squeeze(g, gather_rows(g, sorted, unsqueeze(g, at_least(g, index, 0), {1})), {1});
  };
  const Name weight = unsqueeze(g, cast(g, subtract(g, at, floor), Element::kFloat), {1});
  const Name first = row(below);
  return add(g, first, multiply(g, weight, subtract(g, row(above), first)));
}

// Moments about the mean. A column that is constant but for rounding has no skewness and no kurtosis.
Name moment(Graph& g, StatisticKind kind, const Name& x, Spectra& frames) {
  const Name mean = mean_of(g, x, frames);
  const Name d = subtract(g, x, unsqueeze(g, mean, {1}));
  const Name d2 = multiply(g, d, d);
  const Name variance = mean_of(g, d2, frames);
  if (kind == StatisticKind::kVariance) return variance;
  const Name deviation = g.op("Sqrt", {variance});
  if (kind == StatisticKind::kStd) return deviation;
  const bool third = kind == StatisticKind::kSkewness;
  const Name higher = mean_of(g, multiply(g, d2, third ? d : d2), frames);
  const Name least = multiply(g, multiply(g, mean, mean), g.number(1e-13f));
  const Name constant = g.op("LessOrEqual", {variance, least});
  const Name scale = where(g, constant, g.number(1), multiply(g, variance, third ? deviation : variance));
  const Name value = divide(g, higher, scale);
  return where(g, constant, g.number(0), third ? value : subtract(g, value, g.number(3)));
}

}  // namespace

Name write_statistic(Graph& g, const Statistic& statistic, const Name& columns, std::int64_t count,
                     Spectra& frames) {
  const auto extreme = [&](const char* op, float outside) {
    return reduce(g, op, where(g, frames.mask(), columns, g.number(outside)), {1});
  };
  switch (statistic.kind) {
    case StatisticKind::kMean:
      return mean_of(g, columns, frames);
    case StatisticKind::kAllMean:
      return divide(g, sum(g, mean_of(g, columns, frames), {1}, true), g.number(static_cast<float>(count)));
    case StatisticKind::kMin:
      return extreme("ReduceMin", -kLowest);
    case StatisticKind::kMax:
      return extreme("ReduceMax", kLowest);
    case StatisticKind::kRange:
      return subtract(g, extreme("ReduceMax", kLowest), extreme("ReduceMin", -kLowest));
    case StatisticKind::kPercentile:
      return percentile(g, statistic.percent, columns, frames);
    case StatisticKind::kVariance:
    case StatisticKind::kStd:
    case StatisticKind::kSkewness:
    case StatisticKind::kKurtosis:
      break;
  }
  return moment(g, statistic.kind, columns, frames);
}

}  // namespace serval::deploy::onnx
