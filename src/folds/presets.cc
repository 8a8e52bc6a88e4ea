#include <algorithm>
#include <cstdio>
#include <map>
#include <set>

#include "serval/core/error.h"
#include "serval/folds/fold.h"

#include "fold_draft.h"

namespace serval::folds {

namespace {

// Actors of one corpus, numbered as in the preset from `first` on; `last` is the last of them.
struct NumberedCorpus {
  std::string corpus;
  int first = 0, last = 0;  // numbers of the preset
  int own_first = 0;        // what the corpus calls the first one
  Actors names = {};        // instead of numbers: what the corpus calls them, one after another
};

struct NumberedFold {
  std::vector<int> test, validation = {};
};

struct Preset {
  std::string name;
  std::vector<NumberedCorpus> corpora;
  std::vector<NumberedFold> folds;
};

std::vector<int> from_to(int first, int last) {
  std::vector<int> out;
  for (int number = first; number <= last; ++number) out.push_back(number);
  return out;
}

std::vector<NumberedFold> runs_of(int first, int last, int length) {
  std::vector<NumberedFold> out;
  for (int start = first; start <= last; start += length) out.push_back({from_to(start, start + length - 1)});
  return out;
}

const std::vector<Preset>& presets() {
  static const std::vector<NumberedCorpus> ravdess = {{"ravdess", 1, 24, 1}};
  static const std::vector<NumberedCorpus> crema_d = {{"crema_d", 1001, 1091, 1001}};
  static const std::vector<Preset> all = {
      // Six folds of four consecutive actors, two of each gender.
      {"ravdess_6x4", ravdess, runs_of(1, 24, 4)},
      // Luna-Jimenez et al., Applied Sciences 2022: five folds.
      {"ravdess_luna_5",
       ravdess,
       {{{2, 5, 14, 15, 16}},
        {{3, 6, 7, 13, 18}},
        {{10, 11, 12, 19, 20}},
        {{8, 17, 21, 23, 24}},
        {{1, 4, 9, 22}}}},
      // Ma et al., EmoBox, Interspeech 2024: six folds.
      {"ravdess_emobox_6",
       ravdess,
       {{{1, 11, 20, 21}},
        {{4, 10, 12, 14}},
        {{8, 9, 19, 23}},
        {{3, 5, 7, 24}},
        {{2, 15, 16, 18}},
        {{6, 13, 17, 22}}}},
      // Wu et al., EMO-SUPERB, 2024: five sets of consecutive ids, of which the next one validates.
      {"crema_d_emo_superb_5",
       crema_d,
       {{from_to(1001, 1018), from_to(1019, 1036)},
        {from_to(1019, 1036), from_to(1037, 1054)},
        {from_to(1037, 1054), from_to(1055, 1072)},
        {from_to(1055, 1072), from_to(1073, 1091)},
        {from_to(1073, 1091), from_to(1001, 1018)}}},
      // Niizumi et al., EVAR, 2021, which has it from TensorFlow Datasets: one fold.
      {"crema_d_evar",
       crema_d,
       {{{1001, 1004, 1017, 1019, 1020, 1025, 1026, 1029, 1033, 1035, 1042, 1044, 1050, 1053, 1056, 1058,
          1060, 1069, 1083},
         {1009, 1011, 1022, 1034, 1039, 1047, 1066, 1070, 1082}}}},
      // The four corpora numbered from 1 to 121, eleven folds of eleven consecutive numbers. The last one has 28 % of the
      // recordings; scheme "balanced_actors" with count 11 is the even alternative.
      {"superset_11x11",
       {{"ravdess", 1, 24, 1},
        {"crema_d", 25, 115, 1001},
        {"tess", 116, 117, 0, {"OAF", "YAF"}},
        {"savee", 118, 121, 0, {"DC", "JE", "JK", "KL"}}},
       runs_of(1, 121, 11)},
  };
  return all;
}

const Preset& find_preset(const std::string& name) {
  const auto found = std::find_if(presets().begin(), presets().end(),
                                  [&](const Preset& preset) { return preset.name == name; });
  if (found == presets().end()) {
    throw ConfigError(cat("folds: unknown preset \"", name, "\"; there are ", join(preset_names(), ", ")));
  }
  return *found;
}

// The manifest's own name of each of the preset's corpora: the same, or that of its only corpus.
std::map<std::string, std::string> corpus_names(const Preset& preset, const corpus::Manifest& manifest) {
  std::set<std::string> there, wanted;
  for (const corpus::Recording& recording : manifest.recordings) there.insert(recording.corpus);
  std::map<std::string, std::string> names;
  for (const NumberedCorpus& own : preset.corpora) {
    wanted.insert(own.corpus);
    names[own.corpus] = own.corpus;
  }
  if (preset.corpora.size() == 1 && there.size() == 1 && there != wanted) {
    names.begin()->second = *there.begin();
  } else if (!std::includes(there.begin(), there.end(), wanted.begin(), wanted.end())) {
    throw ConfigError(cat("folds: preset ", preset.name, " is for ",
                          wanted.size() == 1 ? "the corpus " : "the corpora ",
                          join({wanted.begin(), wanted.end()}, ", "), "; the recordings are of ",
                          join({there.begin(), there.end()}, ", ")));
  }
  return names;
}

// The number of "demo/07" is 7; -1 where the name behind the corpus is not a number.
int actor_number(const std::string& actor, const std::string& corpus) {
  constexpr std::size_t kMostDigits = 6;
  const std::string name = actor.substr(std::min(actor.size(), corpus.size() + 1));
  const bool digits = !name.empty() && name.find_first_not_of("0123456789") == std::string::npos;
  return digits && name.size() <= kMostDigits ? std::stoi(name) : -1;
}

std::string numbered_actor(const std::string& corpus, int number) {
  char digits[16];
  std::snprintf(digits, sizeof digits, "%02d", number);
  return corpus + "/" + digits;
}

}  // namespace

std::vector<std::string> preset_names() {
  std::vector<std::string> names;
  for (const Preset& preset : presets()) names.push_back(preset.name);
  return names;
}

std::vector<FoldDraft> preset_drafts(const std::string& name, const corpus::Manifest& manifest) {
  const Preset& preset = find_preset(name);
  const std::map<std::string, std::string> names = corpus_names(preset, manifest);
  std::map<std::pair<std::string, int>, std::string> numbered;  // corpus and number in it -> actor
  std::set<std::string> unused;
  for (const corpus::Recording& recording : manifest.recordings) {
    const bool of_preset = std::any_of(names.begin(), names.end(),
                                       [&](const auto& own) { return own.second == recording.corpus; });
    if (!of_preset) continue;
    unused.insert(recording.actor);
    numbered.emplace(std::pair(recording.corpus, actor_number(recording.actor, recording.corpus)),
                     recording.actor);
  }

  Actors missing;
  // The actor with this number of the preset; "" and a line in `missing` where there is none.
  const auto actor_of = [&](int number) -> std::string {
    for (const NumberedCorpus& own : preset.corpora) {
      if (number < own.first || number > own.last) continue;
      const std::string& corpus = names.at(own.corpus);
      if (!own.names.empty()) {
        const std::string actor = cat(corpus, "/", own.names[static_cast<std::size_t>(number - own.first)]);
        if (unused.count(actor) > 0) return actor;
        missing.push_back(actor);
        return "";
      }
      const int own_number = number - own.first + own.own_first;
      const auto found = numbered.find({corpus, own_number});
      if (found != numbered.end()) return found->second;
      missing.push_back(numbered_actor(corpus, own_number));
      return "";
    }
    throw InternalError(cat("preset ", preset.name, " has no number ", number));
  };
  std::vector<FoldDraft> drafts;
  Actors placed;
  for (const NumberedFold& fold : preset.folds) {
    FoldDraft& draft = drafts.emplace_back();
    for (const int number : fold.test) draft.test.push_back(actor_of(number));
    placed.insert(placed.end(), draft.test.begin(), draft.test.end());
    for (const int number : fold.validation) draft.validation.push_back(actor_of(number));
  }
  sort_actors(missing);
  missing.erase(std::unique(missing.begin(), missing.end()), missing.end());
  // One fold trains on whom it does not name; several name everybody once.
  if (preset.folds.size() > 1) {
    for (const std::string& actor : placed) unused.erase(actor);
  } else {
    unused.clear();
  }

  std::vector<std::string> problems;
  if (!missing.empty()) problems.push_back("has no recording of " + join(missing, ", "));
  if (!unused.empty()) {
    problems.push_back("has actors that the preset does not place: " +
                       join({unused.begin(), unused.end()}, ", "));
  }
  if (problems.empty()) return drafts;
  std::vector<std::string> used;
  for (const auto& [own, there] : names) used.push_back(there);
  throw ConfigError(cat("folds: preset ", preset.name, " does not fit: the ",
                        used.size() == 1 ? "corpus " : "corpora ", join(used, ", "), " ",
                        join(problems, ", and "),
                        "; set folds.preset to \"\" for consecutive groups of actors"));
}

}  // namespace serval::folds
