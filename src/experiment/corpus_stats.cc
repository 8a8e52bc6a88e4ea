#include "serval/experiment/corpus_stats.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>

#include "serval/audio/decode.h"
#include "serval/audio/prepare.h"
#include "serval/core/error.h"
#include "serval/core/interrupt.h"
#include "serval/core/log.h"
#include "serval/core/parallel.h"
#include "serval/evaluate/scores.h"

namespace serval::experiment {

namespace {

constexpr int kMostBins = 40;

struct Measured {
  double duration_s = 0, rms_db = 0, peak_db = 0;
  std::string problem;  // "": none
};

Measured measure(const corpus::Recording& recording) {
  Measured out;
  try {
    const audio::Waveform waveform = audio::decode(recording.path);
    out.duration_s = waveform.seconds();
    out.rms_db = audio::to_db(audio::rms(waveform));
    out.peak_db = audio::to_db(audio::peak(waveform));
  } catch (const DataError& error) {
    out.problem = error.what();
  }
  return out;
}

// 1, 2 or 5 times a power of ten, the first that needs no more than kMostBins bins.
double bin_width(double range) {
  if (range <= 0) return 1;
  const double unit = std::pow(10, std::floor(std::log10(range / kMostBins)));
  for (const double step : {1.0, 2.0, 5.0, 10.0}) {
    if (range / (step * unit) <= kMostBins - 1) return step * unit;
  }
  return 20 * unit;
}

GroupStats group_stats(const std::string& name, const std::vector<const corpus::Recording*>& recordings,
                       const std::vector<const Measured*>& measured) {
  GroupStats out;
  out.name = name;
  out.recordings = static_cast<std::int64_t>(recordings.size());
  std::set<std::string> actors;
  std::vector<double> duration, rms, peak;
  for (std::size_t i = 0; i < recordings.size(); ++i) {
    actors.insert(recordings[i]->actor);
    duration.push_back(measured[i]->duration_s);
    if (!std::isfinite(measured[i]->peak_db)) continue;
    rms.push_back(measured[i]->rms_db);
    peak.push_back(measured[i]->peak_db);
  }
  out.actors = static_cast<std::int64_t>(actors.size());
  out.duration_s = distribution(std::move(duration));
  out.rms_db = distribution(std::move(rms));
  out.peak_db = distribution(std::move(peak));
  return out;
}

}  // namespace

Distribution distribution(std::vector<double> values) {
  Distribution out;
  if (values.empty()) return out;
  std::sort(values.begin(), values.end());
  out.count = static_cast<std::int64_t>(values.size());
  out.mean = std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
  out.least = values.front();
  out.p5 = evaluate::quantile(values, 0.05);
  out.p25 = evaluate::quantile(values, 0.25);
  out.median = evaluate::quantile(values, 0.5);
  out.p75 = evaluate::quantile(values, 0.75);
  out.p95 = evaluate::quantile(values, 0.95);
  out.most = values.back();
  out.width = bin_width(out.most - out.least);
  out.first_edge = std::floor(out.least / out.width) * out.width;
  const auto bin_of = [&](double value) {
    return static_cast<std::size_t>(std::floor((value - out.first_edge) / out.width));
  };
  out.bins.resize(bin_of(out.most) + 1);
  for (const double value : values) ++out.bins[bin_of(value)];
  // The largest alone on its edge belongs to the bin below.
  if (out.bins.size() > 1 &&
      out.most == out.first_edge + out.width * static_cast<double>(out.bins.size() - 1)) {
    out.bins[out.bins.size() - 2] += out.bins.back();
    out.bins.pop_back();
  }
  return out;
}

CorpusStats corpus_stats(const std::vector<corpus::Recording>& recordings, int threads) {
  std::vector<Measured> measured(recordings.size());
  {
    Progress progress("measuring recordings", static_cast<std::int64_t>(recordings.size()));
    parallel_for(recordings.size(), threads, [&](std::size_t i) {
      check_interrupted();
      measured[i] = measure(recordings[i]);
      progress.advance();
    });
  }
  CorpusStats out;
  using Key = std::string (*)(const corpus::Recording&);
  const auto grouped = [&](Key key) {
    std::map<std::string, std::pair<std::vector<const corpus::Recording*>, std::vector<const Measured*>>>
        groups;
    for (std::size_t i = 0; i < recordings.size(); ++i) {
      if (!measured[i].problem.empty()) continue;
      auto& [members, values] = groups[key(recordings[i])];
      members.push_back(&recordings[i]);
      values.push_back(&measured[i]);
    }
    std::vector<GroupStats> stats;
    for (const auto& [name, group] : groups) stats.push_back(group_stats(name, group.first, group.second));
    return stats;
  };
  for (std::size_t i = 0; i < recordings.size(); ++i) {
    if (!measured[i].problem.empty()) {
      out.unreadable.push_back(measured[i].problem);
    } else if (!std::isfinite(measured[i].peak_db)) {
      out.silent.push_back(recordings[i].id);
    }
  }
  std::vector<GroupStats> all = grouped([](const corpus::Recording&) { return std::string("all"); });
  if (all.empty()) throw DataError(cat("none of ", recordings.size(), " recordings can be read"));
  out.all = std::move(all.front());
  out.corpora = grouped([](const corpus::Recording& r) { return r.corpus; });
  out.classes = grouped([](const corpus::Recording& r) { return r.label; });
  out.genders = grouped([](const corpus::Recording& r) { return std::string(to_string(r.gender)); });
  out.actors = grouped([](const corpus::Recording& r) { return r.actor; });
  return out;
}

}  // namespace serval::experiment
