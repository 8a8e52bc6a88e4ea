// A corpus as an experiment names it.
#pragma once

#include <string>
#include <vector>

#include "serval/core/settings.h"
#include "serval/corpus/manifest.h"

namespace serval::corpus {

struct CorpusUse {
  std::string use;   // name of a known corpus: "ravdess"
  std::string file;  // or a description (.json) or manifest (.csv) of your own
  std::string path;  // folder of the recordings; for a manifest it may be "": paths start at the CSV file
  std::vector<std::string> actors;  // only these, with or without the corpus in front; empty: all
  int most_per_class = 0;           // of each actor and label at most so many, the first ones by id; 0: all
};
void describe(SettingsVisitor& v, CorpusUse& s);

// `what` is the name of a known corpus, or the path of a description (.json) or manifest (.csv).
CorpusUse corpus_use(const std::string& what, const std::string& folder);

// The recordings, sorted by id. What the scan left out or found odd goes to the log.
// Throws ConfigError for an unknown corpus, folder or actor, DataError for what is wrong with the recordings.
std::vector<Recording> find_recordings(const CorpusUse& use);

}  // namespace serval::corpus
