#include "serval/corpus/manifest_csv.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <numeric>
#include <set>
#include <utility>

#include "serval/core/csv.h"
#include "serval/core/error.h"
#include "serval/core/files.h"
#include "serval/core/text.h"

namespace serval::corpus {
namespace fs = std::filesystem;

namespace {

const std::vector<std::string> kColumns = {
    "id",       "path",      "corpus",     "actor", "gender",       "label_raw", "label",
    "sentence", "intensity", "repetition", "group", "derived_from", "synthetic", "content_hash"};

// One row, seen by the columns' names. Blanks around a field are nobody's name.
class Row {
 public:
  Row(const CsvTable& table, const CsvRow& row) : table_(table), row_(row) {}
  int line() const { return row_.line; }
  std::string operator[](const char* column) const {
    const int index = table_.column(column);
    return index < 0 ? "" : trimmed(row_.fields[static_cast<std::size_t>(index)]);
  }

 private:
  const CsvTable& table_;
  const CsvRow& row_;
};

Gender gender_of(const Row& row, LineErrors& errors) {
  const std::string word = lower(row["gender"]);
  if (word == "female" || word == "f") return Gender::kFemale;
  if (word == "male" || word == "m") return Gender::kMale;
  if (!word.empty() && word != "unknown") {
    errors.add(row.line(), cat("gender \"", row["gender"], "\"; must be female, male, unknown or empty"));
  }
  return Gender::kUnknown;
}

bool synthetic_of(const Row& row, LineErrors& errors) {
  const std::string word = lower(row["synthetic"]);
  if (word == "true" || word == "1") return true;
  if (!word.empty() && word != "false" && word != "0") {
    errors.add(row.line(), cat("synthetic \"", row["synthetic"], "\"; must be true or false"));
  }
  return false;
}

using Corpora = std::set<std::string>;  // names, of all lines

std::string prefixed(const std::string& corpus, const std::string& value) {
  return value.empty() || value.starts_with(corpus + "/") ? value : corpus + "/" + value;
}

// The same for what lines of several corpora may share, such as a person: a value with another corpus' name in front stays.
std::string shared_prefixed(const Corpora& corpora, const std::string& corpus, const std::string& value) {
  const std::size_t slash = value.find('/');
  return slash != std::string::npos && corpora.count(value.substr(0, slash)) > 0 ? value
                                                                                 : prefixed(corpus, value);
}

std::string corpus_of(const Row& row, const std::string& default_corpus) {
  return row["corpus"].empty() ? default_corpus : row["corpus"];
}

Recording recording_of(const Row& row, const std::string& default_corpus, const Corpora& corpora,
                       const fs::path& folder, LineErrors& errors) {
  for (const char* needed : {"path", "actor", "label"}) {
    if (row[needed].empty()) errors.add(row.line(), cat("the field ", needed, " is empty"));
  }
  Recording recording;
  const fs::path path = row["path"];
  recording.path = (path.is_absolute() ? path : folder / path).lexically_normal().string();
  recording.corpus = corpus_of(row, default_corpus);
  const auto shared = [&](const char* column) {
    return shared_prefixed(corpora, recording.corpus, row[column]);
  };
  recording.id = prefixed(recording.corpus, row["id"].empty() ? path.stem().string() : row["id"]);
  recording.actor = shared("actor");
  recording.gender = gender_of(row, errors);
  recording.label = row["label"];
  recording.label_raw = row["label_raw"].empty() ? recording.label : row["label_raw"];
  recording.sentence = shared("sentence");
  recording.intensity = row["intensity"];
  recording.repetition = row["repetition"];
  recording.group = shared("group");
  recording.derived_from = shared("derived_from");
  recording.synthetic = synthetic_of(row, errors);
  recording.content_hash = row["content_hash"];
  return recording;
}

void check_columns(const CsvTable& table, LineErrors& errors) {
  for (const char* needed : {"path", "actor", "label"}) {
    if (table.column(needed) < 0) errors.add(1, cat("the header lacks the column ", needed));
  }
  for (const std::string& column : table.columns) {
    if (std::find(kColumns.begin(), kColumns.end(), column) == kColumns.end()) {
      const std::string near = nearest_word(column, kColumns);
      errors.add(1, cat("unknown column \"", column, "\"",
                        near.empty() ? cat("; known: ", join(kColumns, ", "))
                                     : cat("; did you mean \"", near, "\"?")));
    }
  }
  errors.throw_if_any();
}

// A copy of something that is not there, of itself, or of a copy in a ring.
void check_sources(const std::vector<Recording>& recordings, const std::vector<int>& lines,
                   LineErrors& errors) {
  std::map<std::string, std::size_t> number;
  for (std::size_t i = 0; i < recordings.size(); ++i) number.emplace(recordings[i].id, i);
  for (std::size_t i = 0; i < recordings.size(); ++i) {
    std::size_t at = i;
    for (std::size_t steps = 0; !recordings[at].derived_from.empty(); ++steps) {
      const auto source = number.find(recordings[at].derived_from);
      if (source == number.end()) {
        if (at == i)
          errors.add(lines[i], cat("derived_from \"", recordings[i].derived_from, "\" is the id of no line"));
        break;
      }
      at = source->second;
      if (steps > recordings.size() || at == i) {
        errors.add(lines[i], cat(recordings[i].id, " is derived from itself"));
        break;
      }
    }
  }
}

void check_ids(const std::vector<Recording>& recordings, const std::vector<int>& lines, LineErrors& errors) {
  std::vector<std::size_t> by_id(recordings.size());
  std::iota(by_id.begin(), by_id.end(), std::size_t{0});
  std::stable_sort(by_id.begin(), by_id.end(),
                   [&](std::size_t a, std::size_t b) { return recordings[a].id < recordings[b].id; });
  std::vector<std::pair<std::size_t, std::size_t>> again;  // recording, the first one of its id
  for (std::size_t i = 0, first = 0; i < by_id.size(); ++i) {
    if (recordings[by_id[i]].id != recordings[by_id[first]].id) first = i;
    if (i > first) again.emplace_back(by_id[i], by_id[first]);
  }
  std::sort(again.begin(), again.end());
  for (const auto& [recording, first] : again) {
    errors.add(lines[recording], cat("the id ", recordings[recording].id, " is that of line ", lines[first],
                                     "; give each recording its own in a column id"));
  }
}

}  // namespace

std::string manifest_csv(const std::vector<Recording>& recordings) {
  std::string out = join(kColumns, ",") + "\n";
  for (const Recording& r : recordings) {
    const std::array<std::string, 14> fields = {r.id,
                                                r.path,
                                                r.corpus,
                                                r.actor,
                                                to_string(r.gender),
                                                r.label_raw,
                                                r.label,
                                                r.sentence,
                                                r.intensity,
                                                r.repetition,
                                                r.group,
                                                r.derived_from,
                                                r.synthetic ? "true" : "false",
                                                r.content_hash};
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if (i > 0) out += ',';
      out += csv_field(fields[i]);
    }
    out += '\n';
  }
  return out;
}

void write_manifest_csv(const std::vector<Recording>& recordings, const std::string& path) {
  write_atomically(path, manifest_csv(recordings));
}

std::vector<Recording> read_manifest_csv(const std::string& path, const std::string& folder) {
  const fs::path file = fs::absolute(path);
  CsvTable table = parse_csv(read_text(path), path);
  LineErrors errors(path);
  check_columns(table, errors);
  const fs::path start = folder.empty() ? file.parent_path() : fs::absolute(folder);
  std::vector<Recording> recordings;
  recordings.reserve(table.rows.size());
  std::vector<int> lines;  // [recording]
  Corpora corpora;
  for (const CsvRow& fields : table.rows) corpora.insert(corpus_of(Row(table, fields), file.stem().string()));
  for (CsvRow& fields : table.rows) {
    recordings.push_back(recording_of(Row(table, fields), file.stem().string(), corpora, start, errors));
    lines.push_back(fields.line);
    std::vector<std::string>().swap(fields.fields);  // a large manifest is not held twice
  }
  check_ids(recordings, lines, errors);
  check_sources(recordings, lines, errors);
  errors.throw_if_any();
  if (recordings.empty()) throw DataError(cat(path, ": names no recording"));
  return recordings;
}

}  // namespace serval::corpus
