#include "serval/corpus/description.h"

#include <algorithm>
#include <filesystem>

#include "serval/core/csv.h"
#include "serval/core/error.h"
#include "serval/core/files.h"
#include "serval/core/settings_io.h"
#include "serval/corpus/data_folder.h"
#include "serval/corpus/file_name.h"

namespace serval::corpus {
namespace fs = std::filesystem;

void describe(SettingsVisitor& v, NameForm& s) {
  v.text("form", s.form,
         {.text = "file name without ending; {field} stands for what the field's regular expression matches",
          .need = Need::kRequired});
  v.text_map("fields", s.fields, {.text = "regular expressions of fields, for this form only"});
  v.text_map("set", s.set, {.text = "values of fields that the name does not give; may hold {field}"});
  v.text("quirk", s.quirk, {.text = "what is odd about names of this form; corpus check reports it"});
}

void describe(SettingsVisitor& v, CorpusDescription& s) {
  v.text("name", s.name, {.text = "starts every id, actor and sentence", .need = Need::kRequired});
  v.check(s.name.find('/') == std::string::npos && !s.name.empty(), "name", "must be one word without \"/\"");
  v.text("title", s.title, {.text = "full name, for people"});
  v.text("licence", s.licence, {.text = "under which terms the recordings may be used, in one line"});
  v.flag("synthetic", s.synthetic, {.text = "made by a program, not spoken by people"});
  v.flag("ignore_case", s.ignore_case, {.text = "capital and small letters in names are the same"});
  v.list("names", s.names,
         {.text = "forms of file names; the first that fits counts", .need = Need::kRequired});
  v.text_map("fields", s.fields, {.text = "regular expression of each field in the forms"});
  v.text_map("labels", s.labels,
             {.text = "label as in the file name -> harmonised label", .need = Need::kRequired});
  v.text_map("ignored", s.ignored, {.text = "why -> regular expression of names to leave out"});
  v.text_map("remarks", s.remarks, {.text = "file name without ending -> what is known of that recording"});
  v.variants<GenderRule>(
      "gender", s.gender,
      {{"unknown", GenderRule::kUnknown},
       {"female", GenderRule::kFemale},
       {"male", GenderRule::kMale},
       {"odd_male", GenderRule::kOddMale},
       {"actor_table", GenderRule::kActorTable}},
      {.text = "how the actors' gender is known; odd_male: odd numbers male, even ones female"},
      [&s](SettingsVisitor& inner) {
        if (s.gender != GenderRule::kActorTable) return;
        inner.path("actor_table", s.actor_table,
                   {.text = "CSV file with the columns actor,gender", .need = Need::kRequired});
      });
  v.texts("actors", s.actors, {.text = "every actor of the complete release; an actor_table gives them too"});
  v.texts("endings", s.endings, {.text = "file endings that are looked at, in small letters"});
  v.integer("recordings", s.recordings, {.min = 0},
            {.text = "number of recordings in the complete release; 0: not known"});
}

namespace {

Gender gender_of_word(const std::string& word, int line, LineErrors& errors) {
  if (word == "female") return Gender::kFemale;
  if (word == "male") return Gender::kMale;
  errors.add(line, cat("gender \"", word, "\"; must be female or male"));
  return Gender::kUnknown;
}

void read_actor_table(CorpusDescription& description) {
  const std::string& path = description.actor_table;
  const CsvTable table = parse_csv(read_text(path), path);
  LineErrors errors(path);
  const int actor = table.column("actor");
  const int gender = table.column("gender");
  if (actor < 0 || gender < 0) errors.add(1, "the header must name the columns actor and gender");
  errors.throw_if_any();
  for (const CsvRow& row : table.rows) {
    description.actor_genders.emplace_back(
        row.fields[static_cast<std::size_t>(actor)],
        gender_of_word(row.fields[static_cast<std::size_t>(gender)], row.line, errors));
  }
  errors.throw_if_any();
  if (!description.actors.empty()) return;
  for (const auto& [name, unused] : description.actor_genders) description.actors.push_back(name);
}

std::vector<std::string> description_files(const fs::path& folder) {
  std::vector<std::string> paths;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".json") paths.push_back(entry.path().string());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

}  // namespace

CorpusDescription read_description(const std::string& path) {
  std::vector<std::string> errors;
  CorpusDescription description = read_settings<CorpusDescription>(parse_json_file(path), errors);
  if (!errors.empty()) throw ConfigError(join(errors, "\n"));
  try {
    if (!description.actor_table.empty()) read_actor_table(description);
    const NameReader checked(description);  // its forms and expressions must make sense
  } catch (const Error& error) {
    throw ConfigError(cat(path, ": ", error.what()));
  }
  return description;
}

CorpusDescription find_description(const std::string& name) {
  const fs::path folder = fs::path(data_folder()) / "corpora";
  const fs::path path = folder / (name + ".json");
  if (!name.empty() && name.find('/') == std::string::npos && fs::exists(path)) {
    return read_description(path.string());
  }
  std::vector<std::string> known;
  for (const std::string& file : description_files(folder)) known.push_back(fs::path(file).stem().string());
  const std::string near = nearest_word(name, known);
  throw ConfigError(cat("no corpus is named \"", name, "\"",
                        near.empty() ? "" : cat("; did you mean \"", near, "\"?"), near.empty() ? "; " : " ",
                        "Known: ", join(known, ", "),
                        ". A corpus of your own is named by the path of its description or CSV file"));
}

std::vector<CorpusDescription> known_descriptions() {
  std::vector<CorpusDescription> all;
  for (const std::string& path : description_files(fs::path(data_folder()) / "corpora")) {
    all.push_back(read_description(path));
  }
  return all;
}

}  // namespace serval::corpus
