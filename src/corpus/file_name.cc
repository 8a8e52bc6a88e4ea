#include "serval/corpus/file_name.h"

#include <algorithm>
#include <cctype>
#include <set>

#include "serval/core/error.h"
#include "serval/core/text.h"

namespace serval::corpus {
namespace fs = std::filesystem;

namespace {

const std::string* find(const NamedList<std::string>& list, const std::string& name) {
  for (const auto& [key, value] : list) {
    if (key == name) return &value;
  }
  return nullptr;
}

// A form cut into its plain text and its {fields}, in turn.
struct Piece {
  std::string text;
  bool is_field = false;
};

std::vector<Piece> pieces_of(const std::string& form) {
  std::vector<Piece> pieces;
  std::size_t at = 0;
  while (at < form.size()) {
    const std::size_t open = form.find('{', at);
    if (open != at) pieces.push_back({form.substr(at, open - at), false});
    if (open == std::string::npos) break;
    const std::size_t close = form.find('}', open);
    if (close == std::string::npos) throw ConfigError(cat("the form \"", form, "\" lacks a closing }"));
    pieces.push_back({form.substr(open + 1, close - open - 1), true});
    at = close + 1;
  }
  return pieces;
}

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (std::string_view(".^$|()[]{}*+?\\").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

std::regex compiled(const std::string& expression, bool ignore_case, const std::string& where) {
  try {
    return std::regex(expression,
                      ignore_case ? std::regex::ECMAScript | std::regex::icase : std::regex::ECMAScript);
  } catch (const std::regex_error& error) {
    throw ConfigError(cat(where, ": \"", expression, "\" is no regular expression: ", error.what()));
  }
}

std::string filled(const std::string& form, const NamedList<std::string>& values) {
  std::string out;
  for (const Piece& piece : pieces_of(form)) {
    const std::string* value = piece.is_field ? find(values, piece.text) : &piece.text;
    if (value == nullptr) {
      throw ConfigError(
          cat("\"", form, "\" asks for the field ", piece.text, ", which the form does not give"));
    }
    out += *value;
  }
  return out;
}

// The file's name without ending, after the names of `folders` folders above it.
std::string name_with_folders(const fs::path& path, int folders) {
  std::string name = path.stem().string();
  fs::path folder = path.parent_path();
  for (int i = 0; i < folders; ++i, folder = folder.parent_path()) {
    name = folder.filename().string() + "/" + name;
  }
  return name;
}

}  // namespace

std::string NameReader::expression_of(const std::string& field, const NameForm& form) const {
  const std::string* own = find(form.fields, field);
  const std::string* expression = own != nullptr ? own : find(description_.fields, field);
  if (expression == nullptr) {
    throw ConfigError(cat("the form \"", form.form, "\" names {", field, "}, which is not in fields"));
  }
  // A group would shift the fields' own groups.
  if (compiled(*expression, false, cat("fields.", field)).mark_count() > 0) {
    throw ConfigError(cat("fields.", field, ": \"", *expression, "\" must use (?:...) instead of (...)"));
  }
  return *expression;
}

NameReader::Form NameReader::compile(const NameForm& form) const {
  Form out;
  std::string expression;
  std::set<std::string> given;
  for (const Piece& piece : pieces_of(form.form)) {
    if (!piece.is_field) {
      expression += escaped(piece.text);
      continue;
    }
    expression += cat("(", expression_of(piece.text, form), ")");
    out.fields.push_back(piece.text);
    if (!given.insert(piece.text).second) {
      throw ConfigError(cat("the form \"", form.form, "\" names {", piece.text, "} twice"));
    }
  }
  NamedList<std::string> values;
  for (const std::string& field : given) values.emplace_back(field, "");
  for (const auto& [field, value] : form.set) {
    filled(value, values);
    given.insert(field);
  }
  for (const char* needed : {"actor", "label"}) {
    if (given.count(needed) == 0)
      throw ConfigError(cat("the form \"", form.form, "\" does not give {", needed, "}"));
  }
  out.pattern = compiled(expression, description_.ignore_case, cat("the form \"", form.form, "\""));
  out.folders = static_cast<int>(std::count(form.form.begin(), form.form.end(), '/'));
  return out;
}

NameReader::NameReader(const CorpusDescription& description) : description_(description) {
  if (description_.names.empty()) throw ConfigError("names: at least one form of file name is needed");
  if (description_.labels.empty()) throw ConfigError("labels: at least one label is needed");
  for (std::size_t i = 0; i < description_.names.size(); ++i) {
    forms_.push_back(compile(description_.names[i]));
    forms_.back().index = i;
  }
  for (const auto& [why, names] : description_.ignored) {
    ignored_.emplace_back(why, compiled(names, description_.ignore_case, cat("ignored.", why)));
  }
}

bool NameReader::accepts_ending(const fs::path& path) const {
  const std::string ending = lower(path.extension().string());
  return std::find(description_.endings.begin(), description_.endings.end(), ending) !=
         description_.endings.end();
}

std::string NameReader::remark(const fs::path& path) const {
  const std::string* text = find(description_.remarks, path.stem().string());
  return text == nullptr ? "" : *text;
}

Gender NameReader::gender_of(const std::string& actor) const {
  switch (description_.gender) {
    case GenderRule::kFemale:
      return Gender::kFemale;
    case GenderRule::kMale:
      return Gender::kMale;
    case GenderRule::kOddMale:
      if (actor.empty() || !std::isdigit(static_cast<unsigned char>(actor.back()))) return Gender::kUnknown;
      return (actor.back() - '0') % 2 == 1 ? Gender::kMale : Gender::kFemale;
    case GenderRule::kActorTable:
      for (const auto& [name, gender] : description_.actor_genders) {
        if (name == actor) return gender;
      }
      return Gender::kUnknown;
    case GenderRule::kUnknown:
      break;
  }
  return Gender::kUnknown;
}

std::string NameReader::spelling_of(const std::string& actor) const {
  if (!description_.ignore_case) return actor;
  for (const std::string& known : description_.actors) {
    if (lower(known) == lower(actor)) return known;
  }
  for (const auto& [known, gender] : description_.actor_genders) {
    if (lower(known) == lower(actor)) return known;
  }
  return lower(actor);
}

void NameReader::fill(Recording& recording, const NamedList<std::string>& values) const {
  const auto value = [&](const char* field) {
    const std::string* found = find(values, field);
    return found == nullptr ? std::string() : *found;
  };
  const std::string prefix = description_.name + "/";
  const std::string actor = spelling_of(value("actor"));
  recording.actor = prefix + actor;
  recording.gender = gender_of(actor);
  recording.label_raw = description_.ignore_case ? lower(value("label")) : value("label");
  if (const std::string sentence = value("sentence"); !sentence.empty()) {
    recording.sentence = prefix + (description_.ignore_case ? lower(sentence) : sentence);
  }
  recording.intensity = value("intensity");
  recording.repetition = value("repetition");
  if (const std::string group = value("group"); !group.empty()) recording.group = prefix + group;
}

ParsedName NameReader::parse(const fs::path& path) const {
  ParsedName out;
  const std::string stem = path.stem().string();
  for (const auto& [why, names] : ignored_) {
    if (!std::regex_match(stem, names)) continue;
    out.kind = ParsedName::Kind::kIgnored;
    out.note = why;
    return out;
  }
  for (const Form& form : forms_) {
    std::string name = name_with_folders(path, form.folders);
    std::smatch match;
    if (!std::regex_match(name, match, form.pattern)) continue;
    NamedList<std::string> values;
    for (std::size_t i = 0; i < form.fields.size(); ++i)
      values.emplace_back(form.fields[i], match[i + 1].str());
    const NameForm& source = description_.names[form.index];
    const NamedList<std::string> given = values;
    for (const auto& [field, value] : source.set) {
      std::erase_if(values, [&, key = field](const auto& entry) { return entry.first == key; });
      values.emplace_back(field, filled(value, given));
    }
    Recording& recording = out.recording;
    fill(recording, values);
    std::replace(name.begin(), name.end(), '/', '_');
    recording.id = description_.name + "/" + name;
    recording.corpus = description_.name;
    recording.synthetic = description_.synthetic;
    const std::string* label = find(description_.labels, recording.label_raw);
    out.kind = label == nullptr ? ParsedName::Kind::kUnknownLabel : ParsedName::Kind::kRecording;
    out.note = label == nullptr ? recording.label_raw : source.quirk;
    if (label != nullptr) recording.label = *label;
    return out;
  }
  return out;
}

}  // namespace serval::corpus
