// From a file's name to what is known of the recording.
#pragma once

#include <filesystem>
#include <regex>
#include <string>
#include <vector>

#include "serval/corpus/description.h"
#include "serval/corpus/manifest.h"

namespace serval::corpus {

struct ParsedName {
  enum class Kind {
    kRecording,     // `recording` is filled, but for its path and content hash
    kUnknownLabel,  // the form fits, the label does not; `note` is the label
    kIgnored,       // left out on purpose; `note` says why
    kStray,         // no form fits
  };
  Kind kind = Kind::kStray;
  Recording recording;
  std::string note;  // for a recording: its quirk, or ""
};

// A description's forms of names, ready for use. Throws ConfigError for a form with an unknown field, a bad
// regular expression or no label or actor.
class NameReader {
 public:
  explicit NameReader(const CorpusDescription& description);

  bool accepts_ending(const std::filesystem::path& path) const;
  ParsedName parse(const std::filesystem::path& path) const;
  std::string remark(const std::filesystem::path& path) const;  // "" where there is none
  const CorpusDescription& description() const { return description_; }

 private:
  struct Form {
    std::regex pattern;
    std::vector<std::string> fields;  // field of each group
    int folders = 0;                  // how many folders above the file take part
    std::size_t index = 0;            // in description_.names
  };
  Form compile(const NameForm& form) const;
  std::string expression_of(const std::string& field, const NameForm& form) const;
  void fill(Recording& recording, const NamedList<std::string>& values) const;
  // One spelling for each actor: where case does not count, that of the description, else small letters.
  std::string spelling_of(const std::string& actor) const;
  Gender gender_of(const std::string& actor) const;

  CorpusDescription description_;
  std::vector<Form> forms_;
  std::vector<std::pair<std::string, std::regex>> ignored_;  // why, names
};

}  // namespace serval::corpus
