// What is in a folder of recordings, and what is odd about it. It decodes everything, which is why it lives
// here and not beside the corpus descriptions.
#pragma once

#include <string>
#include <vector>

#include "serval/core/json.h"

namespace serval::audio {

enum class FindingKind {
  kUnreadable,
  kTruncated,
  kSilent,    // peak below -60 dB
  kTooShort,  // below 0.3 s
  kUnknownLabel,
  kWrongContainer,  // AIFF in a .wav
  kNotMono,
  kUnusualRate,  // not the rate of most of the corpus
  kDuplicate,    // same samples as another recording, by pcm_hash
  kFullScale,    // touches full scale: probably clipped
  kQuiet,        // peak below -36 dB
  kExtraChunks,  // a WAV or AIFF with more than sound in it
  kOddName,      // read, but the name has an odd form
  kIgnored,      // named like the corpus' other recordings, and left out on purpose
  kStray,        // near the corpus' recordings, but the name fits no form
  kCopy,         // same name and same bytes as another file
  kRemark,       // what the corpus' description says of this recording
};
const char* to_string(FindingKind kind);  // "unreadable", ...

struct Finding {
  FindingKind kind = FindingKind::kUnreadable;
  std::string path;  // relative to the folder that was checked
  std::string detail;
};

struct CorpusReport {
  std::string corpus;
  std::string title;
  std::vector<std::string> folders;  // relative to the folder that was checked; "." is that folder
  bool synthetic = false;
  int found = 0;     // recordings by name, copies not counted
  int expected = 0;  // in the complete release; 0: not known
  std::vector<std::string> actors;
  std::vector<std::string> absent_actors;
  // Takes that at least half of the actors found have and one has not; empty when they outnumber the files.
  std::vector<std::string> missing;
  double hours = 0;
  int rate_hz = 0;                // of most of the recordings
  double quietest_peak_db = 0;    // of those that are not silent
  std::vector<Finding> findings;  // by kind, then by path
};

struct CheckReport {
  std::string folder;
  std::vector<CorpusReport> corpora;
  std::vector<std::string> unknown;  // files with a recording's ending that fit no corpus
  bool clean() const;  // nothing unreadable, truncated, silent or of an unknown label, and nothing unknown
};

// Looks for every known corpus in `folder` and everything below it. Recordings of one corpus in two folders
// of `folder` are one report, or two when the folders share names (two copies or makes of the corpus). A
// folder marked synthetic is taken for synthetic corpora only, any other folder for the others only.
// Throws ConfigError when the folder is missing, DataError when it holds no recording of a known corpus.
CheckReport check_corpora(const std::string& folder, int threads);

std::string check_text(const CheckReport& report);  // for people; a few examples of each kind
JsonValue check_json(const CheckReport& report);    // everything

}  // namespace serval::audio
