#include <algorithm>
#include <map>

#include "fold_draft.h"

namespace serval::folds {

namespace {

using corpus::Manifest;
using corpus::Recording;

std::string or_did_you_mean(const std::string& word, const Actors& known) {
  const std::string near = nearest_word(word, known);
  return near.empty() ? "" : cat("; did you mean \"", near, "\"?");
}

std::vector<FoldDraft> explicit_drafts(const std::vector<TestGroup>& wanted, const Actors& actors) {
  std::vector<std::string> problems;
  std::map<std::string, std::size_t> tested_in;
  std::vector<FoldDraft> drafts;
  for (std::size_t k = 0; k < wanted.size(); ++k) {
    if (wanted[k].test.empty()) problems.push_back(cat("groups[", k, "] tests no actor"));
    for (const std::string& actor : wanted[k].test) {
      const auto [previous, fresh] = tested_in.emplace(actor, k);
      if (!fresh)
        problems.push_back(cat("groups[", k, "]: ", actor, " is already in groups[", previous->second, "]"));
    }
    std::map<std::string, const char*> side_of;
    const std::pair<const char*, const Actors*> sides[] = {
        {"test", &wanted[k].test}, {"validation", &wanted[k].validation}, {"train", &wanted[k].train}};
    for (const auto& [side, named] : sides) {
      for (const std::string& actor : *named) {
        if (!contains(actors, actor))
          problems.push_back(cat("groups[", k, "]: no recording is of actor \"", actor, "\"",
                                 or_did_you_mean(actor, actors)));
        const auto [other, fresh] = side_of.emplace(actor, side);
        if (!fresh && std::string(other->second) != side)
          problems.push_back(cat("groups[", k, "]: ", actor, " is in ", other->second, " and ", side));
      }
    }
    drafts.push_back({wanted[k].test, wanted[k].validation, wanted[k].train});
  }
  if (!problems.empty()) fail_folds(problems);
  return drafts;
}

std::vector<FoldDraft> drafts_of(const std::vector<Actors>& groups) {
  std::vector<FoldDraft> drafts;
  for (const Actors& group : groups) drafts.push_back({group});
  return drafts;
}

using Groups = std::map<std::string, Actors, bool (*)(const std::string&, const std::string&)>;

// The actors of each value that `value_of` gives, in natural order; each actor is in one of them.
template <class ValueOf>
Groups groups_of(const Manifest& manifest, const char* what, ValueOf value_of) {
  Groups groups(natural_less);
  std::map<std::string, std::string> group_of;
  std::vector<std::string> problems;
  for (const Recording& recording : manifest.recordings) {
    const std::string& value = value_of(recording);
    if (value.empty()) {
      problems.push_back(cat("no ", what, " is known of ", recording.id));
      if (problems.size() == 5) fail_folds(problems);
      continue;
    }
    const auto [known, fresh] = group_of.emplace(recording.actor, value);
    if (!fresh && known->second != value)
      problems.push_back(
          cat(recording.actor, ": its ", what, " is ", known->second, " and ", value, "; it must be one"));
    if (fresh) groups[value].push_back(recording.actor);
    if (problems.size() == 5) fail_folds(problems);
  }
  if (!problems.empty()) fail_folds(problems);
  return groups;
}

const std::string& corpus_of(const Recording& recording) { return recording.corpus; }

// One fold for each value.
template <class ValueOf>
std::vector<FoldDraft> leave_one_out(const Manifest& manifest, const char* what, ValueOf value_of) {
  const Groups groups = groups_of(manifest, what, value_of);
  if (groups.size() < 2) fail_folds({cat("there is only one ", what, ", ", groups.begin()->first)});
  std::vector<FoldDraft> drafts;
  for (const auto& [value, actors] : groups) drafts.push_back({.test = actors, .name = value});
  return drafts;
}

std::vector<FoldDraft> cross_corpus(const FoldSettings& settings, const Manifest& manifest) {
  Groups actors = groups_of(manifest, "corpus", corpus_of);
  std::vector<std::string> all, problems;
  for (const auto& [corpus, names] : actors) all.push_back(corpus);
  const auto chosen = [&](const std::vector<std::string>& named, const char* setting) {
    for (const std::string& corpus : named) {
      if (actors.count(corpus) == 0)
        problems.push_back(cat(setting, ": no recording is of corpus \"", corpus, "\"",
                               or_did_you_mean(corpus, all), "; there are ", join(all, ", ")));
    }
    return named.empty() ? all : named;
  };
  const std::vector<std::string> train = chosen(settings.train_corpora, "train_corpora");
  const std::vector<std::string> test = chosen(settings.test_corpora, "test_corpora");
  if (!problems.empty()) fail_folds(problems);
  std::vector<FoldDraft> drafts;
  for (const std::string& from : train) {
    for (const std::string& to : test) {
      if (from == to) continue;
      drafts.push_back({.test = actors[to], .train = actors[from], .name = cat(from, " -> ", to)});
    }
  }
  if (drafts.empty())
    fail_folds({cat("cross_corpus needs two corpora at least; there is ", join(all, ", "))});
  return drafts;
}

}  // namespace

bool contains(const Actors& actors, const std::string& actor) {
  return std::find(actors.begin(), actors.end(), actor) != actors.end();
}

void sort_actors(Actors& actors) { std::sort(actors.begin(), actors.end(), natural_less); }

std::vector<Actors> consecutive_groups(const Actors& actors, std::size_t count) {
  std::vector<Actors> groups;
  for (std::size_t k = 0; k < count; ++k) {
    const std::size_t whole = actors.size() / count, more = actors.size() % count;
    const std::size_t first = k * whole + std::min(k, more);
    const std::size_t size = whole + (k < more ? 1 : 0);
    groups.emplace_back(actors.begin() + static_cast<std::ptrdiff_t>(first),
                        actors.begin() + static_cast<std::ptrdiff_t>(first + size));
  }
  return groups;
}

std::vector<FoldDraft> actor_drafts(const FoldSettings& settings, const Manifest& manifest,
                                    const Actors& actors) {
  if (!settings.groups.empty()) return explicit_drafts(settings.groups, actors);
  if (!settings.preset.empty()) {
    if (settings.scheme != Scheme::kActors)
      fail_folds({"a preset lists its own folds; scheme must be \"actors\""});
    return preset_drafts(settings.preset, manifest);
  }
  switch (settings.scheme) {
    case Scheme::kLeaveOneActorOut:
      if (actors.size() < 2)
        fail_folds({cat("leave_one_actor_out needs at least 2 actors; there is ", actors.front())});
      return drafts_of(consecutive_groups(actors, actors.size()));
    case Scheme::kLeaveOneGroupOut:
      return leave_one_out(manifest, "group",
                           [](const Recording& r) -> const std::string& { return r.group; });
    case Scheme::kLeaveOneCorpusOut:
      return leave_one_out(manifest, "corpus", corpus_of);
    case Scheme::kCrossCorpus:
      return cross_corpus(settings, manifest);
    default:
      break;
  }
  if (settings.count < 2) fail_folds({cat("count is ", settings.count, "; it must be at least 2")});
  const auto count = static_cast<std::size_t>(settings.count);
  if (actors.size() < count) {
    fail_folds({cat(count, " folds need at least as many actors; there are ", actors.size(), ": ",
                    join(actors, ", "))});
  }
  return drafts_of(settings.scheme == Scheme::kBalancedActors ? balanced_groups(manifest, actors, count)
                                                              : consecutive_groups(actors, count));
}

}  // namespace serval::folds
