#include "serval/folds/protocol.h"

#include <algorithm>
#include <set>

#include "serval/core/error.h"

namespace serval::folds {

namespace {

struct Entry {
  Leak leak;
  const char* name;
  const char* meaning;
};
constexpr Entry kEntries[] = {
    {Leak::kSharedActors, "shared_actors",
     "actors of the test side are heard in training, so the figures say nothing about new speakers"},
    {Leak::kSharedValidationActors, "shared_validation_actors",
     "validation recordings are of actors who also train, so epochs are chosen for known speakers"},
    {Leak::kSharedAudio, "shared_audio", "the same sound is on two sides of a fold"},
    {Leak::kNormaliserOnAll, "normaliser_on_all",
     "features are normalised by the mean and deviation of all recordings, those of the test side too"},
    {Leak::kSpeakerStatistics, "speaker_statistics",
     "each actor's features are normalised by that actor's own recordings, those of test actors too"},
    {Leak::kCopiesBeforeSplit, "copies_before_split", "augmented copies of test recordings train"},
    {Leak::kTestSelection, "test_selection", "the test side chose the epoch that it is scored by"},
    {Leak::kFusionOnTest, "fusion_on_test", "the test side chose the weights of the fusion"},
    {Leak::kForeignWeights, "foreign_weights",
     "networks start from weights of a file that heard actors of their test side"},
};

const Entry& entry_of(Leak leak) {
  for (const Entry& entry : kEntries) {
    if (entry.leak == leak) return entry;
  }
  throw InternalError("a leak without a name");
}

}  // namespace

const char* to_string(Leak leak) { return entry_of(leak).name; }
const char* explain(Leak leak) { return entry_of(leak).meaning; }

const std::vector<Leak>& all_leaks() {
  static const std::vector<Leak> all = [] {
    std::vector<Leak> leaks;
    for (const Entry& entry : kEntries) leaks.push_back(entry.leak);
    return leaks;
  }();
  return all;
}

bool ProtocolSettings::has(Leak leak) const {
  return std::find(leaks.begin(), leaks.end(), to_string(leak)) != leaks.end();
}

void describe(SettingsVisitor& v, ProtocolSettings& settings) {
  v.texts("leaks", settings.leaks,
          {"leaks of a paper's protocol that this experiment has on purpose; each stamps every result"});
  std::vector<std::string> names;
  for (const Leak leak : all_leaks()) names.emplace_back(to_string(leak));
  for (const std::string& name : settings.leaks) {
    const std::string near = nearest_word(name, names);
    v.check(std::find(names.begin(), names.end(), name) != names.end(), "leaks",
            cat("unknown leak \"", name, "\"; ",
                near.empty() ? "there are " + join(names, ", ") : cat("did you mean \"", near, "\"?")));
  }
  v.check(std::set<std::string>(settings.leaks.begin(), settings.leaks.end()).size() == settings.leaks.size(),
          "leaks", "a leak is named twice");
}

std::vector<std::string> protocol_stamps(const ProtocolSettings& settings) {
  std::vector<std::string> stamps;
  for (const Leak leak : all_leaks()) {
    if (settings.has(leak)) stamps.push_back(cat("leaking protocol, ", to_string(leak), ": ", explain(leak)));
  }
  return stamps;
}

}  // namespace serval::folds
