#include "serval/features/key_segments.h"

#include <algorithm>
#include <cmath>

#include "serval/core/error.h"

#include "segment_planning.h"

namespace serval::features {

namespace {

constexpr int kMostRounds = 100;

// Of `count` segments, k(a, b), row by row.
class Kernel {
 public:
  Kernel(const std::vector<double>& rows, std::int64_t count) : count_(static_cast<std::size_t>(count)) {
    const std::size_t columns = rows.size() / count_;
    const std::vector<double> weights = inverse_variances(rows, columns);
    values_.resize(count_ * count_, 1.0);
    for (std::size_t a = 0; a < count_; ++a) {
      for (std::size_t b = 0; b < a; ++b) {
        double squares = 0;
        for (std::size_t c = 0; c < columns; ++c) {
          const double distance = rows[a * columns + c] - rows[b * columns + c];
          squares += distance * distance * weights[c];
        }
        values_[a * count_ + b] = values_[b * count_ + a] =
            std::exp(-squares / (2 * static_cast<double>(columns)));
      }
    }
  }

  std::size_t count() const { return count_; }
  double operator()(std::size_t a, std::size_t b) const { return values_[a * count_ + b]; }

 private:
  // A column that never changes tells nothing.
  std::vector<double> inverse_variances(const std::vector<double>& rows, std::size_t columns) const {
    std::vector<double> out(columns);
    for (std::size_t c = 0; c < columns; ++c) {
      double mean = 0, squares = 0;
      for (std::size_t a = 0; a < count_; ++a) mean += rows[a * columns + c] / static_cast<double>(count_);
      for (std::size_t a = 0; a < count_; ++a) {
        const double distance = rows[a * columns + c] - mean;
        squares += distance * distance / static_cast<double>(count_);
      }
      out[c] = squares > 1e-12 ? 1 / squares : 0;
    }
    return out;
  }

  std::size_t count_;
  std::vector<double> values_;
};

// The place of the largest, of equal ones the first.
std::size_t largest(const std::vector<double>& values) {
  return static_cast<std::size_t>(std::max_element(values.begin(), values.end()) - values.begin());
}
std::size_t smallest(const std::vector<double>& values) {
  return static_cast<std::size_t>(std::min_element(values.begin(), values.end()) - values.begin());
}

// The cluster of each segment, by the segment that it starts from which is most like it.
std::vector<std::size_t> first_clusters(const Kernel& k, std::size_t clusters) {
  std::vector<double> likeness(k.count());
  for (std::size_t a = 0; a < k.count(); ++a) {
    for (std::size_t b = 0; b < k.count(); ++b) likeness[a] += k(a, b);
  }
  std::size_t start = largest(likeness);
  std::vector<std::size_t> out(k.count());
  for (std::size_t a = 0; a < k.count(); ++a) likeness[a] = k(a, start);
  for (std::size_t cluster = 1; cluster < clusters; ++cluster) {
    start = smallest(likeness);
    for (std::size_t a = 0; a < k.count(); ++a) {
      if (k(a, start) <= likeness[a]) continue;
      likeness[a] = k(a, start);
      out[a] = cluster;
    }
  }
  return out;
}

// [segment][cluster]: squared distance from the centre; an empty cluster has none.
std::vector<std::vector<double>> distances(const Kernel& k, const std::vector<std::size_t>& cluster_of,
                                           std::size_t clusters) {
  std::vector<double> sizes(clusters), within(clusters);
  std::vector<std::vector<double>> out(k.count(), std::vector<double>(clusters));
  for (std::size_t a = 0; a < k.count(); ++a) {
    ++sizes[cluster_of[a]];
    for (std::size_t b = 0; b < k.count(); ++b) out[a][cluster_of[b]] += k(a, b);
  }
  for (std::size_t a = 0; a < k.count(); ++a) within[cluster_of[a]] += out[a][cluster_of[a]];
  for (std::size_t a = 0; a < k.count(); ++a) {
    for (std::size_t c = 0; c < clusters; ++c) {
      out[a][c] = sizes[c] > 0 ? 1 - 2 * out[a][c] / sizes[c] + within[c] / (sizes[c] * sizes[c]) : INFINITY;
    }
  }
  return out;
}

// The mean of each column over a segment's real frames.
void add_mean(const Segment& segment, const float* recording, std::int64_t dimension,
              std::vector<double>& rows) {
  for (std::int64_t d = 0; d < dimension; ++d) {
    double sum = 0;
    for (std::int64_t t = 0; t < segment.real_frames; ++t)
      sum += static_cast<double>(recording[(segment.first_frame + t) * dimension + d]);
    rows.push_back(sum / static_cast<double>(segment.real_frames));
  }
}

}  // namespace

std::vector<std::int64_t> key_rows(const std::vector<double>& rows, std::int64_t count,
                                   std::int64_t clusters) {
  SERVAL_CHECK(
      count >= 1 && clusters >= 1 && !rows.empty() && rows.size() % static_cast<std::size_t>(count) == 0,
      rows.size(), " values of ", count, " segments, ", clusters, " clusters");
  std::vector<std::int64_t> out;
  if (count <= clusters) {
    for (std::int64_t a = 0; a < count; ++a) out.push_back(a);
    return out;
  }
  const Kernel kernel(rows, count);
  const auto groups = static_cast<std::size_t>(clusters);
  std::vector<std::size_t> cluster_of = first_clusters(kernel, groups);
  std::vector<std::vector<double>> away = distances(kernel, cluster_of, groups);
  for (int round = 0; round < kMostRounds; ++round) {
    std::vector<std::size_t> next;
    for (const std::vector<double>& from : away) next.push_back(smallest(from));
    if (next == cluster_of) break;
    cluster_of = std::move(next);
    away = distances(kernel, cluster_of, groups);
  }
  for (std::size_t cluster = 0; cluster < groups; ++cluster) {
    std::int64_t key = -1;
    for (std::size_t a = 0; a < kernel.count(); ++a) {
      if (cluster_of[a] != cluster) continue;
      if (key < 0 || away[a][cluster] < away[static_cast<std::size_t>(key)][cluster])
        key = static_cast<std::int64_t>(a);
    }
    if (key >= 0) out.push_back(key);
  }
  std::sort(out.begin(), out.end());
  return out;
}

SegmentIndex key_segments(const SegmentIndex& index, const std::vector<std::int64_t>& offsets,
                          const float* values, std::int64_t dimension, std::int64_t clusters) {
  SERVAL_CHECK(index.offsets.size() == offsets.size(), index.offsets.size(), " and ", offsets.size(),
               " offsets");
  SegmentIndex out;
  out.lengths = index.lengths;
  out.offsets.push_back(0);
  for (std::size_t r = 0; r + 1 < offsets.size(); ++r) {
    const float* recording = values + offsets[r] * dimension;
    auto next = index.segments.begin() + index.offsets[r];
    const auto end = index.segments.begin() + index.offsets[r + 1];
    for (std::size_t scale = 0; scale < index.lengths.size(); ++scale) {
      const auto first = next;
      std::vector<double> rows;
      for (; next != end && next->scale == static_cast<int>(scale); ++next)
        add_mean(*next, recording, dimension, rows);
      const std::size_t kept_before = out.segments.size();
      if (next != first) {
        for (const std::int64_t key : key_rows(rows, next - first, clusters))
          out.segments.push_back(*(first + key));
      }
      note_dropped(static_cast<std::int64_t>(r), frames_of(offsets, r), kept_before, static_cast<int>(scale),
                   out);
    }
    out.offsets.push_back(static_cast<std::int64_t>(out.segments.size()));
  }
  return out;
}

}  // namespace serval::features
