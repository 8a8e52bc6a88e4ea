#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "serval/core/philox.h"

#include "fold_draft.h"

namespace serval::folds {

namespace {

using corpus::Manifest;
using Numbers = std::vector<std::int64_t>;

// [class]: of these recordings, each class in an order drawn by the seed.
std::vector<Numbers> shuffled_classes(const Numbers& recordings, const Manifest& manifest, std::int64_t seed,
                                      int fold) {
  std::vector<Numbers> out(manifest.classes.size());
  for (const std::int64_t r : recordings)
    out[static_cast<std::size_t>(manifest.class_of[static_cast<std::size_t>(r)])].push_back(r);
  for (std::size_t c = 0; c < out.size(); ++c) {
    const RandomStream random{static_cast<std::uint64_t>(seed), static_cast<std::uint32_t>(fold),
                              RandomPurpose::kSplit, 0, static_cast<std::uint32_t>(c)};
    for (std::size_t i = out[c].size(); i > 1; --i)
      std::swap(out[c][i - 1], out[c][random.below(i, static_cast<std::uint32_t>(i))]);
  }
  return out;
}

Numbers all_recordings(const Manifest& manifest) {
  Numbers out;
  for (std::size_t r = 0; r < manifest.recordings.size(); ++r) out.push_back(static_cast<std::int64_t>(r));
  return out;
}

Numbers all_but(const Numbers& all, const Numbers& without) {
  const std::set<std::int64_t> left_out(without.begin(), without.end());
  Numbers out;
  for (const std::int64_t r : all) {
    if (left_out.count(r) == 0) out.push_back(r);
  }
  return out;
}

}  // namespace

Actors actors_of(const Manifest& manifest, const Numbers& recordings) {
  Actors out = manifest.actors_of(recordings);
  sort_actors(out);
  return out;
}

std::vector<Fold> stratified_random(const FoldSettings& settings, const Manifest& manifest) {
  const auto count = static_cast<std::size_t>(settings.count);
  const Numbers all = all_recordings(manifest);
  if (count < 2 || all.size() < count)
    fail_folds({cat("count is ", count, "; it must be from 2 to the number of recordings, ", all.size())});
  std::vector<Fold> folds(count);
  std::size_t next = 0;  // goes on from class to class, so that folds are equal in size too
  for (const Numbers& recordings : shuffled_classes(all, manifest, settings.split_seed, 0)) {
    for (const std::int64_t r : recordings) folds[next++ % count].test.push_back(r);
  }
  for (Fold& fold : folds) {
    std::sort(fold.test.begin(), fold.test.end());
    fold.train = all_but(all, fold.test);
  }
  return folds;
}

std::vector<Fold> unshuffled_tail(const FoldSettings& settings, const Manifest& manifest) {
  const Numbers all = all_recordings(manifest);
  const auto kept =
      static_cast<std::ptrdiff_t>(std::floor(static_cast<double>(all.size()) * (1 - settings.test_share)));
  if (kept == 0 || kept == static_cast<std::ptrdiff_t>(all.size()))
    fail_folds(
        {cat("test_share ", settings.test_share, " leaves one side of ", all.size(), " recordings empty")});
  Fold fold;
  fold.train.assign(all.begin(), all.begin() + kept);
  fold.test.assign(all.begin() + kept, all.end());
  return {fold};
}

void take_validation_share(Fold& fold, const FoldSettings& settings, const Manifest& manifest) {
  for (const Numbers& recordings :
       shuffled_classes(fold.train, manifest, settings.split_seed, fold.index + 1)) {
    const auto taken = static_cast<std::ptrdiff_t>(
        std::lround(static_cast<double>(recordings.size()) * settings.validation_share));
    fold.validation.insert(fold.validation.end(), recordings.begin(), recordings.begin() + taken);
  }
  std::sort(fold.validation.begin(), fold.validation.end());
  fold.train = all_but(fold.train, fold.validation);
}

std::vector<Fold> with_sentences_apart(const std::vector<Fold>& folds, int groups, const Manifest& manifest) {
  Actors sentences;  // their names, in natural order
  std::vector<std::string> problems;
  for (const corpus::Recording& recording : manifest.recordings) {
    if (recording.sentence.empty()) problems.push_back(cat("no sentence is known of ", recording.id));
    if (problems.size() == 5) break;
    sentences.push_back(recording.sentence);
  }
  if (!problems.empty()) fail_folds(problems);
  sort_actors(sentences);
  sentences.erase(std::unique(sentences.begin(), sentences.end()), sentences.end());
  if (static_cast<int>(sentences.size()) < groups)
    fail_folds({cat("sentence_groups is ", groups, ", but there are ", sentences.size(), " sentences")});
  std::map<std::string, int> group_of;
  for (std::size_t i = 0; i < sentences.size(); ++i) group_of[sentences[i]] = static_cast<int>(i) % groups;

  const auto said = [&](const Numbers& recordings, int group, bool in_it) {
    Numbers out;
    for (const std::int64_t r : recordings) {
      const bool of_group = group_of.at(manifest.recordings[static_cast<std::size_t>(r)].sentence) == group;
      if (of_group == in_it) out.push_back(r);
    }
    return out;
  };
  std::vector<Fold> out;
  for (const Fold& fold : folds) {
    for (int group = 0; group < groups; ++group) {
      Fold& part = out.emplace_back(fold);
      part.index = static_cast<int>(out.size()) - 1;
      part.name =
          cat(fold.name.empty() ? cat("actors ", fold.index + 1) : fold.name, ", sentences ", group + 1);
      part.test = said(fold.test, group, true);
      part.validation = said(fold.validation, group, false);
      part.train = said(fold.train, group, false);
      if (part.test.empty())
        problems.push_back(
            cat("fold ", part.index + 1, ": its test actors say no sentence of group ", group + 1));
      for (const auto& [sentence, number] : group_of) {
        if (number == group) part.test_sentences.push_back(sentence);
      }
      sort_actors(part.test_sentences);
    }
  }
  if (!problems.empty()) fail_folds(problems);
  return out;
}

std::vector<Fold> inner_folds(const Fold& fold, const FoldSettings& settings, const Manifest& manifest) {
  Numbers known = fold.train;
  known.insert(known.end(), fold.validation.begin(), fold.validation.end());
  std::sort(known.begin(), known.end());
  const Actors actors = actors_of(manifest, known);
  const auto count = static_cast<std::size_t>(settings.inner_folds);
  if (actors.size() < count) {
    fail_folds({cat("fold ", fold.index + 1, ": ", count, " inner folds need at least as many actors; ",
                    actors.size(), " are not tested")});
  }
  std::vector<Fold> out;
  for (const Actors& group : balanced_groups(manifest, actors, count)) {
    Fold& inner = out.emplace_back();
    inner.index = fold.index;
    inner.inner = static_cast<int>(out.size());
    inner.test_actors = fold.test_actors;
    inner.test_sentences = fold.test_sentences;
    for (const std::int64_t r : known) {
      const bool validates = contains(group, manifest.recordings[static_cast<std::size_t>(r)].actor);
      (validates ? inner.validation : inner.train).push_back(r);
    }
    inner.train_actors = actors_of(manifest, inner.train);
    inner.validation_actors = group;
  }
  return out;
}

}  // namespace serval::folds
