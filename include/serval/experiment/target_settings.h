// What networks learn besides the classes of the labels.
//
//   "targets": {
//     "votes":  { "type": "votes", "file": "votes.csv", "label_map": { "A": "angry", "N": "neutral" } },
//     "affect": { "type": "numbers", "file": "affect.csv", "columns": ["valence", "arousal"], "standardise": true },
//     "voice":  { "type": "attribute", "attribute": "gender" } }
#pragma once

#include <string>
#include <vector>

#include "serval/core/settings.h"

namespace serval::experiment {

enum class TargetType { kVotes, kNumbers, kAttribute };
enum class ExtraRows { kRefuse, kLeaveOut };
enum class Attribute { kGender, kCorpus, kLabel, kSentence, kIntensity, kRepetition };
const char* to_string(Attribute attribute);

struct TargetSettings {
  TargetType type = TargetType::kVotes;
  // A CSV file with a row a recording; of votes with `vote`, a row a vote. Rows name their recording as items of
  // features made elsewhere do (store/external.h).
  std::string file;
  std::string
      recording;  // the column that names it; "": one called recording, id, file, filename, name or path
  ExtraRows extra_rows = ExtraRows::kRefuse;  // rows of recordings that the experiment does not have

  // votes: shares of the classes. Each class has columns with its votes, or `vote` is a column with one vote's class.
  std::string vote;
  NamedList<std::string> label_map;  // column, or word in `vote`, to class; "": left out

  std::vector<std::string> columns;  // numbers
  bool standardise = false;          // by the mean and deviation of the fold's training recordings

  Attribute attribute = Attribute::kGender;  // of the manifest; its values are the classes
};
void describe(SettingsVisitor& v, TargetSettings& settings);

struct ExperimentSettings;
// That models and targets fit each other, as far as can be told without the data.
void check_targets(SettingsVisitor& v, const ExperimentSettings& settings);

}  // namespace serval::experiment
