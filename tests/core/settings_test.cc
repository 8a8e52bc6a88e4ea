#include "serval/core/settings.h"

#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serval/core/error.h"
#include "serval/core/settings_io.h"

namespace serval {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

enum class Kind { kRound, kSquare };

struct Inner {
  int sides = 3;
  Kind kind = Kind::kRound;
  double radius = 1;
  double edge = 2;
};
void describe(SettingsVisitor& v, Inner& s) {
  v.integer("sides", s.sides, {.min = 1, .max = 9}, {"number of sides"});
  v.variants("kind", s.kind, Options<Kind>{{"round", Kind::kRound}, {"square", Kind::kSquare}}, {"shape"},
             [&s](SettingsVisitor& inner) {
               if (s.kind == Kind::kRound)
                 inner.real("radius", s.radius, {.min = 0, .above_min = true}, {"radius", "m"});
               if (s.kind == Kind::kSquare) inner.real("edge", s.edge, {.min = 0}, {"edge", "m"});
             });
  v.check(s.sides != 7, "sides", "seven is not lucky here");
}

enum class Edge { kSame, kValid };
struct Outer {
  Edge edge = Edge::kValid;
  std::vector<std::int64_t> edges;
  std::string name;
  std::optional<double> limit_db;
  bool loud = false;
  std::vector<std::int64_t> seeds{1};
  std::vector<Inner> list;
  NamedList<Inner> map;
  std::string folder;
};
void describe(SettingsVisitor& v, Outer& s) {
  v.text("name", s.name, {"name", "", Need::kRequired});
  v.optional_real("limit_db", s.limit_db, {.min = 0, .max = 120}, {"limit", "dB"});
  v.flag("loud", s.loud, {"loud"});
  v.integers("seeds", s.seeds, {.min = 0}, {"seeds"});
  v.list("list", s.list, {"inner things"});
  v.map("map", s.map, {"named inner things"});
  v.path("folder", s.folder, {"a folder"});
  v.word_or_integers("edge", s.edge, Options<Edge>{{"same", Edge::kSame}, {"valid", Edge::kValid}}, s.edges,
                     {.min = 0, .max = 9}, {"a word or numbers"});
}

std::vector<std::string> errors_of(const std::string& text) {
  std::vector<std::string> errors;
  read_settings<Outer>(parse_json(text, "dir/x.json"), errors);
  return errors;
}

TEST(Settings, ReadsEveryKindAndKeepsDefaults) {
  std::vector<std::string> errors;
  setenv("SERVAL_TEST_FOLDER", "/data", 1);
  const Outer s =
      read_settings<Outer>(parse_json(R"({"name": "n", "limit_db": 40, "loud": true, "seeds": [3, 4],
                     "list": [{"kind": "square", "edge": 5}], "map": {"b": {}, "a": {"sides": 4}},
                     "folder": "${SERVAL_TEST_FOLDER}/x"})",
                                      "x.json"),
                           errors);
  EXPECT_THAT(errors, IsEmpty());
  EXPECT_EQ(s.limit_db, 40);
  EXPECT_TRUE(s.loud);
  EXPECT_THAT(s.seeds, ElementsAre(3, 4));
  ASSERT_EQ(s.list.size(), 1u);
  EXPECT_EQ(s.list[0].kind, Kind::kSquare);
  EXPECT_EQ(s.list[0].edge, 5);
  EXPECT_EQ(s.list[0].sides, 3);
  ASSERT_EQ(s.map.size(), 2u);
  EXPECT_EQ(s.map[0].first, "b");
  EXPECT_EQ(s.map[1].second.sides, 4);
  EXPECT_EQ(s.folder, "/data/x");
}

TEST(Settings, PathsStartAtTheFileThatNamesThem) {
  std::vector<std::string> errors;
  const Outer s =
      read_settings<Outer>(parse_json(R"({"name": "n", "folder": "../y"})", "/etc/serval/x.json"), errors);
  EXPECT_EQ(s.folder, "/etc/y");
}

TEST(Settings, ResolvedJsonReadsBackEqual) {
  std::vector<std::string> errors;
  const Outer first = read_settings<Outer>(
      parse_json(R"({"name": "n", "list": [{"radius": 0.1}], "map": {"k": {"kind": "square"}}})", "x.json"),
      errors);
  const std::string text = write_json(settings_to_json(first));
  const Outer second = read_settings<Outer>(parse_json(text, "y.json"), errors);
  EXPECT_THAT(errors, IsEmpty());
  EXPECT_EQ(write_json(settings_to_json(second)), text);
  EXPECT_THAT(text, HasSubstr("\"limit_db\": null"));
}

TEST(Settings, ListsAllErrorsWithPlaceAndPath) {
  EXPECT_THAT(
      errors_of(
          "{\n  \"nane\": \"n\",\n  \"loud\": 1,\n  \"limit_db\": 500,\n  \"map\": {\"a\": {\"side\": 3}},\n"
          "  \"list\": [{\"sides\": 0}, {\"kind\": \"squre\"}, {\"radius\": 0}]\n}"),
      ElementsAre(
          "dir/x.json:1:1: name: is missing (name)",
          "dir/x.json:4:15: limit_db: 500 is out of range [0, 120]",
          "dir/x.json:3:11: loud: must be true or false, not integer",
          "dir/x.json:6:22: list[0].sides: 0 is out of range [1, 9]",
          "dir/x.json:6:35: list[1].kind: \"squre\" is not one of {round, square}; did you mean \"square\"?",
          "dir/x.json:6:56: list[2].radius: 0 is out of range (0, inf]",
          "dir/x.json:5:25: map.a.side: unknown key; did you mean \"sides\"?",
          "dir/x.json:2:11: nane: unknown key; did you mean \"name\"?"));
}

TEST(Settings, AFieldOfAnotherVariantIsUnknown) {
  EXPECT_THAT(errors_of(R"({"name": "n", "list": [{"kind": "round", "edge": 2}]})"),
              ElementsAre(HasSubstr("list[0].edge: unknown key")));
}

TEST(Settings, CrossChecksPointAtTheirField) {
  EXPECT_THAT(errors_of(R"({"name": "n", "list": [{"sides": 7}]})"),
              ElementsAre("dir/x.json:1:34: list[0].sides: seven is not lucky here"));
}

TEST(Settings, NamesAnUnsetEnvironmentVariable) {
  unsetenv("SERVAL_NOT_SET");
  EXPECT_THAT(errors_of(R"({"name": "n", "folder": "${SERVAL_NOT_SET}/x"})"),
              ElementsAre(HasSubstr("folder: the environment variable SERVAL_NOT_SET is not set")));
}

TEST(Settings, WrongKindsAreNamed) {
  EXPECT_THAT(errors_of(R"({"name": 3, "seeds": "1", "list": {}, "map": [], "limit_db": "x"})"),
              ElementsAre(HasSubstr("name: must be text in quotes, not integer"),
                          HasSubstr("limit_db: must be a number, not text"),
                          HasSubstr("seeds: must be an integer or a list of integers, not text"),
                          HasSubstr("list: must be a list, not object"),
                          HasSubstr("map: must be an object, not list")));
}

TEST(Settings, AWordOrIntegers) {
  std::vector<std::string> errors;
  const auto read = [&](const std::string& edge) {
    const Outer s =
        read_settings<Outer>(parse_json(cat(R"({"name": "n", "edge": )", edge, "}"), "x.json"), errors);
    EXPECT_THAT(errors, IsEmpty());
    Outer again = read_settings<Outer>(parse_json(write_json(settings_to_json(s)), "y.json"), errors);
    EXPECT_EQ(again.edge, s.edge);
    EXPECT_EQ(again.edges, s.edges);
    return s;
  };
  EXPECT_EQ(read("\"same\"").edge, Edge::kSame);
  EXPECT_THAT(read("\"same\"").edges, IsEmpty());
  EXPECT_THAT(read("3").edges, ElementsAre(3));
  EXPECT_THAT(read("[1, 0]").edges, ElementsAre(1, 0));
  const auto error = [](const std::string& edge) {
    return errors_of(cat(R"({"name": "n", "edge": )", edge, "}"));
  };
  EXPECT_THAT(error("\"sane\""), ElementsAre(HasSubstr("edge: must be one of {same, valid}, an integer or a "
                                                       "list of integers, not \"sane\"")));
  EXPECT_THAT(error("true"), ElementsAre(HasSubstr("list of integers, not boolean")));
  EXPECT_THAT(error("[1, 10]"), ElementsAre(HasSubstr("10 is out of range [0, 9]")));
  EXPECT_THAT(error("[]"), ElementsAre(HasSubstr("edge: must not be empty")));
}

TEST(Settings, AListOfOneIntegerMayBeTheNumberAlone) {
  std::vector<std::string> errors;
  const auto read = [&](const std::string& json) {
    return read_settings<Outer>(parse_json(json, "dir/x.json"), errors).seeds;
  };
  EXPECT_THAT(read(R"({"name": "n", "seeds": 7})"), ElementsAre(7));
  EXPECT_TRUE(errors.empty());
  EXPECT_TRUE(read(R"({"name": "n", "seeds": -7})").empty());
  EXPECT_THAT(errors, ElementsAre(HasSubstr("seeds: -7 is out of range [0, ")));
}

TEST(Settings, SchemaNamesEveryFieldOfEveryVariant) {
  Outer outer;
  const JsonValue schema = settings_schema([&](SettingsVisitor& v) { describe(v, outer); });
  const std::string text = write_json(schema);
  for (const char* field : {"limit_db", "sides", "radius", "edge", "\"exclusiveMinimum\": 0.0",
                            "\"required\": [\"name\"]", "\"type\": [\"integer\", \"array\"]"}) {
    EXPECT_THAT(text, HasSubstr(field));
  }
  EXPECT_EQ(outer.list.size(), 1u);  // the schema made one element to describe; the struct is a throwaway
}

}  // namespace
}  // namespace serval
