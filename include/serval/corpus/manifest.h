// Which recordings there are, and what is known of each.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace serval::corpus {

enum class Gender { kUnknown, kFemale, kMale };
const char* to_string(Gender gender);  // "unknown", "female", "male"

struct Recording {
  std::string path;    // where the file is
  std::string id;      // unique over all corpora: "<corpus>/<file name without ending>"
  std::string corpus;  // "ravdess"
  std::string actor;   // always prefixed, so that two corpora's "01" stay apart: "ravdess/01"
  Gender gender = Gender::kUnknown;
  std::string label_raw;  // as the file name or CSV says: "05", "ANG"
  std::string label;      // harmonised: angry calm disgust fear happy neutral sad surprise
  std::string sentence;   // prefixed like the actor: "ravdess/01"
  std::string intensity;  // "" where the corpus has none
  std::string repetition;
  std::string group;  // a session, a room: what may stay apart besides actors; "" where there is none
  std::string
      derived_from;        // id of the recording that this one was made from: a changed copy; "": an original
  bool synthetic = false;  // made by a program, not spoken by a person
  std::string content_hash;  // of the file's bytes; "" until computed
};

// Throws DataError naming two actors whose names differ only in case or blanks: one person under two names
// could be on both sides of a fold.
void check_actor_names(const std::vector<Recording>& recordings);

// Recordings in a fixed order (by corpus as listed, then by id), and the classes of the experiment.
struct Manifest {
  std::vector<Recording> recordings;
  std::vector<std::string> classes;         // class c is classes[c]
  std::vector<int> class_of;                // [recording]
  std::vector<std::string> actors() const;  // sorted, unique
  // The same of these recordings, by their numbers.
  std::vector<std::string> actors_of(const std::vector<std::int64_t>& numbers) const;
  bool any_synthetic() const;
};

}  // namespace serval::corpus
