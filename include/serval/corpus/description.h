// How a corpus names its recordings, and what the names mean: one JSON file a corpus (data/corpora/*.json).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "serval/core/settings.h"
#include "serval/corpus/manifest.h"

namespace serval::corpus {

// One form of file name, without its ending: "{actor}_{sentence}_{label}". Each {field} stands for the text
// that its regular expression matches. "/" in a form takes in folders: "{actor}/{label}{sentence}".
struct NameForm {
  std::string form;
  NamedList<std::string> fields;  // field -> regular expression, before those of the whole description
  NamedList<std::string> set;     // field -> value that the name does not give; may hold {other field}
  std::string quirk;              // why a name has this form and not the usual one
};

enum class GenderRule { kUnknown, kFemale, kMale, kOddMale, kActorTable };

struct CorpusDescription {
  std::string name;     // "ravdess"; starts every id, actor and sentence
  std::string title;    // for people
  std::string licence;  // one line
  bool synthetic = false;
  bool ignore_case = false;        // of names, actors and labels
  std::vector<NameForm> names;     // the first that fits counts
  NamedList<std::string> fields;   // field -> regular expression
  NamedList<std::string> labels;   // label as in the name -> harmonised label
  NamedList<std::string> ignored;  // why -> regular expression of names to leave out
  NamedList<std::string> remarks;  // name -> what is known of this one recording
  GenderRule gender = GenderRule::kUnknown;
  std::string actor_table;          // CSV with the columns actor,gender
  std::vector<std::string> actors;  // all that the corpus has, if known
  std::vector<std::string> endings = {".wav", ".flac", ".opus", ".ogg", ".mp3", ".aiff", ".aif"};
  std::int64_t recordings = 0;  // in the complete release; 0: not known

  std::vector<std::pair<std::string, Gender>> actor_genders;  // read from actor_table
};

void describe(SettingsVisitor& v, NameForm& s);
void describe(SettingsVisitor& v, CorpusDescription& s);

// Reads the JSON file, and the actor table where it names one. Throws ConfigError with every mistake.
CorpusDescription read_description(const std::string& path);

// The description named `name` in <data folder>/corpora; throws ConfigError listing those that there are.
CorpusDescription find_description(const std::string& name);

// All of <data folder>/corpora, by name.
std::vector<CorpusDescription> known_descriptions();

}  // namespace serval::corpus
