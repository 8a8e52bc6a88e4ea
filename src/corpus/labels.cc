#include "serval/corpus/labels.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "serval/core/error.h"
#include "serval/core/log.h"

namespace serval::corpus {

namespace {

const std::vector<std::string> kHarmonised = {"angry", "calm",    "disgust", "fear",
                                              "happy", "neutral", "sad",     "surprise"};

const Options<LabelSetName> kSetNames = {{"eight", LabelSetName::kEight},
                                         {"seven", LabelSetName::kSeven},
                                         {"six", LabelSetName::kSix},
                                         {"four", LabelSetName::kFour},
                                         {"custom", LabelSetName::kCustom}};

const std::string* find(const NamedList<std::string>& map, const std::string& name) {
  for (const auto& [key, value] : map) {
    if (key == name) return &value;
  }
  return nullptr;
}

int index_of(const std::vector<std::string>& classes, const std::string& name) {
  const auto found = std::find(classes.begin(), classes.end(), name);
  return found == classes.end() ? -1 : static_cast<int>(found - classes.begin());
}

void check_set(const LabelSet& set) {
  const std::set<std::string> unique(set.classes.begin(), set.classes.end());
  if (unique.size() != set.classes.size()) throw ConfigError("classes: a class is named twice");
  if (unique.count("") > 0) throw ConfigError("classes: a class needs a name");
  if (set.classes.size() < 2) throw ConfigError("classes: at least two classes are needed");
  for (const auto& [label, name] : set.map) {
    if (!name.empty() && unique.count(name) == 0) {
      throw ConfigError(
          cat("label_map.", label, ": \"", name, "\" is not in classes: ", join(set.classes, ", ")));
    }
  }
}

// The set without the classes that nothing belongs to; `class_of` is renumbered.
void drop_empty_classes(const LabelSet& set, Manifest& manifest) {
  std::vector<int> count(set.classes.size(), 0);
  for (const int c : manifest.class_of) ++count[static_cast<std::size_t>(c)];
  std::vector<int> renumbered(set.classes.size(), -1);
  std::vector<std::string> empty;
  for (std::size_t c = 0; c < set.classes.size(); ++c) {
    if (count[c] == 0) {
      empty.push_back(set.classes[c]);
      continue;
    }
    renumbered[c] = static_cast<int>(manifest.classes.size());
    manifest.classes.push_back(set.classes[c]);
  }
  if (empty.empty()) return;
  if (set.name == "custom") throw ConfigError(cat("classes: no recording belongs to ", join(empty, ", ")));
  log_info(cat("labels \"", set.name, "\": no recording is ", join(empty, " or "), "; ",
               manifest.classes.size(), " classes remain"));
  for (int& c : manifest.class_of) c = renumbered[static_cast<std::size_t>(c)];
}

void check_unique(const std::vector<Recording>& recordings) {
  std::vector<const Recording*> by_id;
  by_id.reserve(recordings.size());
  for (const Recording& recording : recordings) by_id.push_back(&recording);
  std::stable_sort(by_id.begin(), by_id.end(),
                   [](const Recording* a, const Recording* b) { return a->id < b->id; });
  const auto twice = std::adjacent_find(
      by_id.begin(), by_id.end(), [](const Recording* a, const Recording* b) { return a->id == b->id; });
  if (twice == by_id.end()) return;
  throw DataError(
      cat("two recordings have the id ", twice[0]->id, ":\n  ", twice[0]->path, "\n  ", twice[1]->path));
}

}  // namespace

void describe(SettingsVisitor& v, LabelSettings& s) {
  v.variants<LabelSetName>(
      "labels", s.labels, kSetNames,
      {.text = "classes: eight, seven (calm is neutral), six (no calm, no surprise), four "
               "(angry, happy, neutral, sad), or custom"},
      [&s](SettingsVisitor& inner) {
        if (s.labels != LabelSetName::kCustom) return;
        inner.texts("classes", s.classes,
                    {.text = "names of the classes, in order", .need = Need::kRequired});
        inner.text_map("label_map", s.label_map,
                       {.text = "label, raw or harmonised -> class; null leaves it out"});
      });
}

LabelSet label_set(const LabelSettings& settings) {
  LabelSet set;
  for (const auto& [name, value] : kSetNames) {
    if (value == settings.labels) set.name = name;
  }
  set.classes = kHarmonised;
  const auto leave_out = [&set](const std::string& label, const std::string& instead) {
    std::erase(set.classes, label);
    set.map.emplace_back(label, instead);
  };
  switch (settings.labels) {
    case LabelSetName::kEight:
      break;
    case LabelSetName::kSeven:
      leave_out("calm", "neutral");
      break;
    case LabelSetName::kSix:
      for (const char* label : {"calm", "surprise"}) leave_out(label, "");
      break;
    case LabelSetName::kFour:
      for (const char* label : {"calm", "disgust", "fear", "surprise"}) leave_out(label, "");
      break;
    case LabelSetName::kCustom:
      set.classes = settings.classes;
      set.map = settings.label_map;
      break;
  }
  check_set(set);
  return set;
}

int class_of(const LabelSet& set, const Recording& recording) {
  const std::string* mapped = find(set.map, recording.label_raw);
  if (mapped == nullptr) mapped = find(set.map, recording.label);
  if (mapped != nullptr) return mapped->empty() ? -1 : index_of(set.classes, *mapped);
  const int same = index_of(set.classes, recording.label);
  if (same >= 0) return same;
  throw ConfigError(
      cat("labels \"", set.name, "\" say nothing of \"", recording.label, "\" (", recording.id,
          "); use \"labels\": \"custom\" with a label_map that gives its class, or null to leave it out"));
}

Manifest build_manifest(std::vector<Recording> recordings, const LabelSet& set) {
  check_unique(recordings);
  check_actor_names(recordings);
  std::map<std::string, std::size_t> corpus_order;
  for (const Recording& recording : recordings) corpus_order.emplace(recording.corpus, corpus_order.size());
  Manifest manifest;
  manifest.recordings = std::move(recordings);
  const auto before = [&](const Recording& a, const Recording& b) {
    const std::size_t left = corpus_order[a.corpus];
    const std::size_t right = corpus_order[b.corpus];
    return left != right ? left < right : a.id < b.id;
  };
  // Mostly they are in order already, and sorting would hold half of them twice.
  if (!std::is_sorted(manifest.recordings.begin(), manifest.recordings.end(), before))
    std::stable_sort(manifest.recordings.begin(), manifest.recordings.end(), before);
  std::erase_if(manifest.recordings,
                [&](const Recording& recording) { return class_of(set, recording) < 0; });
  for (const Recording& recording : manifest.recordings)
    manifest.class_of.push_back(class_of(set, recording));
  drop_empty_classes(set, manifest);
  if (manifest.classes.size() < 2) {
    throw DataError(cat("only ", manifest.classes.size(), " of the classes ", join(set.classes, ", "),
                        " has recordings; at least two are needed"));
  }
  return manifest;
}

}  // namespace serval::corpus
