#include "serval/audit/near_duplicates.h"

#include <algorithm>
#include <array>
#include <set>

#include "serval/core/log.h"
#include "serval/core/parallel.h"

namespace serval::audit {

namespace {

using audio::SoundPrint;

// Below this, no copy was found among those with noise, cut ends or codecs; two recordings drawn at random are at 0.6.
constexpr float kAlike = 0.8f;
// Where spectra are worth comparing: copies with other phases lie above.
constexpr float kVeryAlike = 0.985f;
constexpr double kSameWaveform = 0.75, kSameSpectrum = 0.955;
constexpr std::size_t kBlock = 64;  // recordings whose descriptions stay in the cache together

struct Neighbour {
  float alike;
  std::int64_t recording;
};

// Several sums at once, so that a compiler can keep them in vectors without changing their order.
float product(const float* a, const float* b) {
  constexpr std::size_t kSums = 16;
  static_assert(SoundPrint::kSize % kSums == 0);
  std::array<float, kSums> sums{};
  for (std::size_t i = 0; i < SoundPrint::kSize; i += kSums) {
    for (std::size_t k = 0; k < kSums; ++k) sums[k] += a[i + k] * b[i + k];
  }
  float out = 0;
  for (const float sum : sums) out += sum;
  return out;
}

// The nearest of each recording in [begin, end), at least kAlike; by likeness, then by number.
std::vector<std::vector<Neighbour>> nearest(const std::vector<SoundPrint>& prints, std::size_t begin,
                                            std::size_t end) {
  std::vector<std::vector<Neighbour>> out(end - begin);
  for (std::size_t other = 0; other < prints.size(); ++other) {
    if (prints[other].silent()) continue;
    const float* description = prints[other].description.data();
    for (std::size_t i = begin; i < end; ++i) {
      if (i == other || prints[i].silent()) continue;
      const float alike = product(prints[i].description.data(), description);
      if (alike < kAlike) continue;
      std::vector<Neighbour>& own = out[i - begin];
      if (own.size() == kNeighbours && alike <= own.back().alike) continue;
      const auto at = std::find_if(own.begin(), own.end(),
                                   [&](const Neighbour& neighbour) { return alike > neighbour.alike; });
      own.insert(at, {alike, static_cast<std::int64_t>(other)});
      if (own.size() > kNeighbours) own.pop_back();
    }
  }
  return out;
}

}  // namespace

std::vector<NearDuplicate> find_near_duplicates(const std::vector<SoundPrint>& prints, int threads) {
  const std::size_t blocks = (prints.size() + kBlock - 1) / kBlock;
  std::vector<std::vector<std::vector<Neighbour>>> found(blocks);
  parallel_for(blocks, threads, [&](std::size_t block) {
    found[block] = nearest(prints, block * kBlock, std::min(prints.size(), (block + 1) * kBlock));
  });
  struct Candidate {
    std::int64_t first, second;
    float alike;
    bool operator<(const Candidate& other) const {
      return first != other.first ? first < other.first : second < other.second;
    }
  };
  std::set<Candidate> unique;
  for (std::size_t block = 0; block < blocks; ++block) {
    for (std::size_t i = 0; i < found[block].size(); ++i) {
      const auto own = static_cast<std::int64_t>(block * kBlock + i);
      for (const Neighbour& neighbour : found[block][i])
        unique.insert(
            {std::min(own, neighbour.recording), std::max(own, neighbour.recording), neighbour.alike});
    }
  }
  const std::vector<Candidate> candidates(unique.begin(), unique.end());
  std::vector<double> correlations(candidates.size());
  Progress progress("comparing sounds", static_cast<std::int64_t>(candidates.size()));
  parallel_for(candidates.size(), threads, [&](std::size_t i) {
    const SoundPrint& a = prints[static_cast<std::size_t>(candidates[i].first)];
    const SoundPrint& b = prints[static_cast<std::size_t>(candidates[i].second)];
    const double waveform = audio::waveform_correlation(a, b, kSameWaveform);
    if (waveform >= kSameWaveform) {
      correlations[i] = waveform;
    } else if (candidates[i].alike >= kVeryAlike) {
      const double spectrum = audio::spectrum_correlation(a, b);
      if (spectrum >= kSameSpectrum) correlations[i] = spectrum;
    }
    progress.advance(1, "");
  });
  std::vector<NearDuplicate> out;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    if (correlations[i] > 0) out.push_back({candidates[i].first, candidates[i].second, correlations[i]});
  }
  return out;
}

}  // namespace serval::audit
