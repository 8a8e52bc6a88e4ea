#include "presets.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <set>

#include "serval/core/error.h"
#include "serval/folds/fold.h"

namespace serval::folds {

namespace {

struct Preset {
  std::string name;
  std::string corpus;
  std::vector<std::vector<int>> groups;  // actor numbers
};

const std::vector<Preset>& presets() {
  static const std::vector<Preset> all = {
      // Six folds of four consecutive actors, two of each gender.
      {"ravdess_6x4",
       "ravdess",
       {{1, 2, 3, 4}, {5, 6, 7, 8}, {9, 10, 11, 12}, {13, 14, 15, 16}, {17, 18, 19, 20}, {21, 22, 23, 24}}},
      // Luna-Jimenez et al., Applied Sciences 2022: five folds.
      {"ravdess_luna_5",
       "ravdess",
       {{2, 5, 14, 15, 16}, {3, 6, 7, 13, 18}, {10, 11, 12, 19, 20}, {8, 17, 21, 23, 24}, {1, 4, 9, 22}}},
      // Ma et al., EmoBox, Interspeech 2024: six folds.
      {"ravdess_emobox_6",
       "ravdess",
       {{1, 11, 20, 21}, {4, 10, 12, 14}, {8, 9, 19, 23}, {3, 5, 7, 24}, {2, 15, 16, 18}, {6, 13, 17, 22}}},
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

std::string choose_corpus(const Preset& preset, const corpus::Manifest& manifest) {
  std::set<std::string> corpora;
  for (const corpus::Recording& recording : manifest.recordings) corpora.insert(recording.corpus);
  if (corpora.count(preset.corpus) > 0) return preset.corpus;
  if (corpora.size() == 1) return *corpora.begin();
  throw ConfigError(cat("folds: preset ", preset.name, " is for the corpus ", preset.corpus,
                        "; the recordings are of ", join({corpora.begin(), corpora.end()}, ", ")));
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

std::vector<std::vector<std::string>> preset_groups(const std::string& name,
                                                    const corpus::Manifest& manifest) {
  const Preset& preset = find_preset(name);
  const std::string corpus = choose_corpus(preset, manifest);

  std::set<std::string> unused;
  std::map<int, std::string> actor_of;
  for (const corpus::Recording& recording : manifest.recordings) {
    if (recording.corpus != corpus) continue;
    unused.insert(recording.actor);
    actor_of.emplace(actor_number(recording.actor, corpus), recording.actor);
  }

  std::vector<std::string> missing;
  std::vector<std::vector<std::string>> groups;
  for (const std::vector<int>& numbers : preset.groups) {
    std::vector<std::string>& group = groups.emplace_back();
    for (const int number : numbers) {
      const auto found = actor_of.find(number);
      if (found == actor_of.end()) {
        missing.push_back(numbered_actor(corpus, number));
        continue;
      }
      group.push_back(found->second);
      unused.erase(found->second);
    }
  }
  std::sort(missing.begin(), missing.end(), natural_less);

  std::vector<std::string> problems;
  if (!missing.empty()) problems.push_back("has no recording of " + join(missing, ", "));
  if (!unused.empty()) {
    problems.push_back("has actors that the preset does not place: " +
                       join({unused.begin(), unused.end()}, ", "));
  }
  if (!problems.empty()) {
    throw ConfigError(cat("folds: preset ", preset.name, " does not fit: the corpus ", corpus, " ",
                          join(problems, ", and "),
                          "; set folds.preset to \"\" for consecutive groups of actors"));
  }
  return groups;
}

}  // namespace serval::folds
