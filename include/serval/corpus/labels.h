// Which labels become which classes.
#pragma once

#include <string>
#include <vector>

#include "serval/core/settings.h"
#include "serval/corpus/manifest.h"

namespace serval::corpus {

enum class LabelSetName { kEight, kSeven, kSix, kFour, kCustom };

// "labels": "eight"  angry calm disgust fear happy neutral sad surprise
//           "seven"  the same with calm counted as neutral
//           "six"    the same without calm and surprise
//           "four"   angry happy neutral sad; the others are left out
//           "custom" with "classes": [...] and "label_map": {"label": "class", "other label": null}
struct LabelSettings {
  LabelSetName labels = LabelSetName::kEight;
  std::vector<std::string> classes;
  NamedList<std::string> label_map;  // "": left out
};
void describe(SettingsVisitor& v, LabelSettings& s);

struct LabelSet {
  std::string name;                  // "eight"
  std::vector<std::string> classes;  // class c is classes[c]
  NamedList<std::string> map;        // label, raw or harmonised -> class; "": left out
};

// Throws ConfigError for a map to a class not in `classes`, a class named twice, fewer than two classes.
LabelSet label_set(const LabelSettings& settings);

// The class of a label: the map's entry for the raw label, else for the harmonised one, else the class that
// is named like the harmonised label. -1: left out. Throws ConfigError when none of these exists.
int class_of(const LabelSet& set, const Recording& recording);

// Recordings by corpus in the given order, then by id; those whose label is left out are gone. Classes of a
// named set that no recording has are dropped with a line in the log; of a custom set they are a ConfigError.
// Throws DataError for two recordings with one id, for one actor in two spellings (check_actor_names) and for
// fewer than two classes.
Manifest build_manifest(std::vector<Recording> recordings, const LabelSet& set);

}  // namespace serval::corpus
