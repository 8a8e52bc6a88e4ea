// Logarithms of values, and the clip's peak as their reference or their floor.
#pragma once

#include <cmath>
#include <cstdint>

#include "serval/core/team.h"
#include "serval/features/detail/frame_math.h"
#include "serval/features/detail/frame_plan.h"

namespace serval::features::detail {

SERVAL_HD inline float log_of(float value, const LogRule& rule) {
  return rule.kind == LogScale::kNone ? value : log_value(value, rule.floor, rule.scale);
}

// A value on the rule's scale, given the largest of its clip.
SERVAL_HD inline float against_peak(float value, float peak, const LogRule& rule) {
  const float lowest = rule.has_top_db ? peak - rule.top_db : -INFINITY;
  const float kept = value > lowest ? value : lowest;
  return rule.from_peak ? kept - peak : kept;
}

// against_peak over `columns` [frame, count], rows `stride` apart.
template <class Team>
SERVAL_HD void apply_peak(const Team& team, const LogRule& rule, float* columns, std::int64_t frames,
                          int count, std::int64_t stride) {
  if (!rule.needs_peak()) return;
  float peak = -INFINITY;
  for (std::int64_t i = team.rank(); i < frames * count; i += team.size()) {
    const float value = columns[i / count * stride + i % count];
    peak = value > peak ? value : peak;
  }
  peak = team.max(peak);
  for (std::int64_t i = team.rank(); i < frames * count; i += team.size()) {
    float& value = columns[i / count * stride + i % count];
    value = against_peak(value, peak, rule);
  }
}

}  // namespace serval::features::detail
