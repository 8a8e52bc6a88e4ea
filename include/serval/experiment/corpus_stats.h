// What a set of recordings is like: how many of each class, actor and gender, how long, how loud.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "serval/core/json.h"
#include "serval/corpus/manifest.h"
#include "serval/report/gnuplot.h"

namespace serval::experiment {

// Quantiles interpolate between neighbours, as numpy.quantile does.
struct Distribution {
  std::int64_t count = 0;
  double mean = 0, least = 0, p5 = 0, p25 = 0, median = 0, p75 = 0, p95 = 0, most = 0;
  // bins[b] values lie in [first_edge + b width, first_edge + (b + 1) width); the last bin has its upper edge too.
  double first_edge = 0, width = 0;
  std::vector<std::int64_t> bins;
};
Distribution distribution(std::vector<double> values);  // of none: all zero, no bins

struct GroupStats {
  std::string name;
  std::int64_t recordings = 0, actors = 0;
  Distribution duration_s, rms_db, peak_db;  // of the group's recordings
};

struct CorpusStats {
  GroupStats all;
  std::vector<GroupStats> corpora, classes, genders, actors;  // by name
  std::vector<std::string> unreadable;                        // "<path>: <reason>"; counted nowhere else
  std::vector<std::string> silent;  // ids; they have no level, which is 20 log10 of 0
};

// Decodes every recording at its own rate; levels are in dB below full scale.
CorpusStats corpus_stats(const std::vector<corpus::Recording>& recordings, int threads);

std::string corpus_stats_text(const CorpusStats& stats);
JsonValue corpus_stats_json(const CorpusStats& stats);
// Bars of classes, actors and genders, histograms of duration and level. Bytes of the picture.
std::string corpus_stats_picture(const CorpusStats& stats, report::PictureFormat format);

}  // namespace serval::experiment
