// Ways of evaluating that papers use and that leak: what is heard in the test was heard in training. Each has a name, must be
// asked for by it, and stamps every figure that comes of it.
#pragma once

#include <string>
#include <vector>

#include "serval/core/settings.h"

namespace serval::folds {

enum class Leak {
  kSharedActors,            // actors of the test side also train: random and unshuffled splits
  kSharedValidationActors,  // validation recordings are of actors who also train
  kSharedAudio,             // the same sound is on two sides
  kNormaliserOnAll,         // features are normalised by statistics of all recordings
  kSpeakerStatistics,       // features are first normalised by each actor's own statistics, those tested too
  kCopiesBeforeSplit,       // augmented copies of test recordings train
  kTestSelection,           // the test side is the validation side: it chooses the epoch
  kFusionOnTest,            // the test side chooses the weights of a fusion
  kForeignWeights,          // networks start from weights of a file that heard test actors
};
// As in the experiment file: "shared_actors".
const char* to_string(Leak leak);
// What it means for the figures, in one sentence.
const char* explain(Leak leak);
const std::vector<Leak>& all_leaks();

struct ProtocolSettings {
  std::vector<std::string> leaks;  // by name; empty: nothing may leak

  bool has(Leak leak) const;
};
void describe(SettingsVisitor& v, ProtocolSettings& settings);

// One line a leak, for results, tables and pages; empty for an honest protocol.
std::vector<std::string> protocol_stamps(const ProtocolSettings& settings);

}  // namespace serval::folds
