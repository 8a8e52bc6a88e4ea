#include "serval/audio/corpus_check.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <tuple>

#include "serval/audio/decode.h"
#include "serval/audio/pcm_hash.h"
#include "serval/audio/prepare.h"
#include "serval/core/error.h"
#include "serval/core/hash.h"
#include "serval/core/interrupt.h"
#include "serval/core/log.h"
#include "serval/core/parallel.h"
#include "serval/corpus/description.h"
#include "serval/corpus/file_name.h"
#include "serval/corpus/recognise.h"
#include "serval/corpus/scan.h"

namespace serval::audio {
namespace fs = std::filesystem;
using corpus::first_folder;
using corpus::NameReader;
using corpus::ParsedName;

namespace {

constexpr double kShortestS = 0.3;
constexpr double kSilentDb = -60;
constexpr double kQuietDb = -36;
constexpr double kFullScale = 32767.0 / 32768;

struct NamedFile {
  fs::path path;      // absolute
  std::string shown;  // relative to the checked folder
  ParsedName name;
};

// The recordings of one corpus that go into one report.
struct Group {
  const NameReader* reader = nullptr;
  std::set<std::string> folders;
  std::set<std::string> ids;
  std::vector<NamedFile> files;
};

// One group for each corpus and first-level folder, and then together those of a corpus that share no name.
std::vector<Group> merged(std::map<std::pair<const NameReader*, std::string>, Group>&& by_folder) {
  std::vector<Group> groups;
  for (auto& [key, group] : by_folder) {
    const auto fits = [&group = group](const Group& other) {
      return other.reader == group.reader &&
             std::none_of(group.ids.begin(), group.ids.end(),
                          [&](const std::string& id) { return other.ids.count(id); });
    };
    const auto other = std::find_if(groups.begin(), groups.end(), fits);
    if (other == groups.end()) {
      groups.push_back(std::move(group));
      continue;
    }
    other->folders.insert(group.folders.begin(), group.folders.end());
    other->ids.insert(group.ids.begin(), group.ids.end());
    std::move(group.files.begin(), group.files.end(), std::back_inserter(other->files));
  }
  std::sort(groups.begin(), groups.end(), [](const Group& a, const Group& b) {
    return std::pair(a.reader->description().name, *a.folders.begin()) <
           std::pair(b.reader->description().name, *b.folders.begin());
  });
  return groups;
}

// What decoding one file tells.
struct Probe {
  std::vector<std::pair<FindingKind, std::string>> findings;
  double seconds = 0;
  int rate_hz = 0;
  double peak_db = 0;
  std::string hash;  // "" when it could not be decoded
};

std::string fixed(double value, int digits) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.*f", digits, value);
  return text.data();
}

Probe probe(const fs::path& path) {
  Probe out;
  const auto add = [&out](FindingKind kind, const std::string& detail) {
    out.findings.emplace_back(kind, detail);
  };
  const auto reason = [&path](const Error& error) {
    const std::string text = error.what();
    const std::string start = path.string() + ": ";
    return text.rfind(start, 0) == 0 ? text.substr(start.size()) : text;
  };
  try {
    const Decoded decoded = decode_file(path.string());
    const Waveform& waveform = decoded.waveform;
    out.seconds = waveform.seconds();
    out.rate_hz = waveform.sample_rate_hz;
    out.hash = pcm_hash(waveform);
    const double loudest = peak(waveform);
    out.peak_db = to_db(loudest);
    if (loudest == 0)
      add(FindingKind::kSilent, "every sample is zero");
    else if (out.peak_db < kSilentDb)
      add(FindingKind::kSilent, cat("peak ", fixed(out.peak_db, 1), " dB"));
    else if (out.peak_db < kQuietDb)
      add(FindingKind::kQuiet, cat("peak ", fixed(out.peak_db, 1), " dB"));
    if (loudest >= kFullScale) add(FindingKind::kFullScale, cat("peak ", fixed(out.peak_db, 1), " dB"));
    if (out.seconds < kShortestS) add(FindingKind::kTooShort, cat(fixed(out.seconds, 3), " s"));
    const ContainerKind promised = promised_kind(path.string());
    if (promised != ContainerKind::kUnknown && decoded.container.kind != promised) {
      add(FindingKind::kWrongContainer, cat(to_string(decoded.container.kind), " inside"));
    }
    if (decoded.channels != 1) add(FindingKind::kNotMono, cat(decoded.channels, " channels"));
    if (!decoded.container.extra_chunks.empty()) {
      add(FindingKind::kExtraChunks, join(decoded.container.extra_chunks, " "));
    }
  } catch (const TruncatedError& error) {
    add(FindingKind::kTruncated, reason(error));
  } catch (const DataError& error) {
    add(FindingKind::kUnreadable, reason(error));
  }
  return out;
}

// Takes (label, sentence, intensity, repetition) that at least half of the actors have, and one has not.
std::vector<std::string> missing_takes(const std::vector<NamedFile>& files) {
  using Take = std::tuple<std::string, std::string, std::string, std::string>;
  std::map<Take, std::set<std::string>> actors_of;
  std::set<std::string> actors;
  for (const NamedFile& file : files) {
    if (file.name.kind != ParsedName::Kind::kRecording) continue;
    const corpus::Recording& r = file.name.recording;
    actors_of[{r.label_raw, r.sentence, r.intensity, r.repetition}].insert(r.actor);
    actors.insert(r.actor);
  }
  std::vector<std::string> missing;
  for (const auto& [take, having] : actors_of) {
    if (2 * having.size() < actors.size()) continue;
    for (const std::string& actor : actors) {
      if (having.count(actor) > 0) continue;
      const auto& [label, sentence, intensity, repetition] = take;
      missing.push_back(cat(actor, ": label ", label,
                            sentence.empty() ? "" : ", sentence " + sentence.substr(sentence.find('/') + 1),
                            intensity.empty() ? "" : ", intensity " + intensity,
                            repetition.empty() ? "" : ", repetition " + repetition));
    }
  }
  // A handful of recordings out of a corpus lacks nearly everything, and a list of that helps nobody.
  if (missing.size() >= files.size()) return {};
  std::sort(missing.begin(), missing.end());
  return missing;
}

// Nothing when one of them cannot be read; decoding it then says why.
std::optional<bool> same_bytes(const fs::path& a, const fs::path& b) {
  try {
    return hash_file(a.string()) == hash_file(b.string());
  } catch (const DataError&) {
    return std::nullopt;
  }
}

// Findings that the name alone gives. Copies are taken out of `files`.
void check_names(Group& group, CorpusReport& report) {
  std::map<std::string, const NamedFile*> by_id;
  std::vector<NamedFile> kept;
  kept.reserve(group.files.size());
  for (NamedFile& file : group.files) {
    const auto add = [&](FindingKind kind, const std::string& detail) {
      report.findings.push_back({kind, file.shown, detail});
    };
    if (const std::string remark = group.reader->remark(file.path); !remark.empty())
      add(FindingKind::kRemark, remark);
    if (file.name.kind == ParsedName::Kind::kIgnored) {
      add(FindingKind::kIgnored, file.name.note);
      continue;
    }
    if (file.name.kind == ParsedName::Kind::kUnknownLabel) {
      add(FindingKind::kUnknownLabel, cat("\"", file.name.note, "\""));
    } else {
      if (!file.name.note.empty()) add(FindingKind::kOddName, file.name.note);
      const auto first = by_id.find(file.name.recording.id);
      if (first != by_id.end()) {
        const std::optional<bool> same = same_bytes(first->second->path, file.path);
        if (same.value_or(false)) {
          add(FindingKind::kCopy, cat("of ", first->second->shown));
          continue;
        }
        if (same) add(FindingKind::kDuplicate, cat("named like ", first->second->shown, ", another sound"));
      }
    }
    kept.push_back(std::move(file));
    if (kept.back().name.kind == ParsedName::Kind::kRecording)
      by_id.emplace(kept.back().name.recording.id, &kept.back());
  }
  group.files = std::move(kept);
  report.found = static_cast<int>(by_id.size());
}

void check_actors(const Group& group, CorpusReport& report) {
  const corpus::CorpusDescription& description = group.reader->description();
  std::set<std::string> present;
  for (const NamedFile& file : group.files) {
    if (file.name.kind == ParsedName::Kind::kRecording) present.insert(file.name.recording.actor);
  }
  report.actors.assign(present.begin(), present.end());
  for (const std::string& actor : description.actors) {
    if (present.count(description.name + "/" + actor) == 0) report.absent_actors.push_back(actor);
  }
  report.missing = missing_takes(group.files);
}

void check_sounds(const Group& group, const std::vector<Probe>& probes, CorpusReport& report) {
  std::map<int, int> rates;
  std::map<std::string, std::vector<std::string>> by_hash;
  for (std::size_t i = 0; i < probes.size(); ++i) {
    for (const auto& [kind, detail] : probes[i].findings)
      report.findings.push_back({kind, group.files[i].shown, detail});
    report.hours += probes[i].seconds / 3600;
    if (probes[i].hash.empty()) continue;
    ++rates[probes[i].rate_hz];
    by_hash[probes[i].hash].push_back(group.files[i].shown);
    if (probes[i].peak_db >= kSilentDb)
      report.quietest_peak_db = std::min(report.quietest_peak_db, probes[i].peak_db);
  }
  for (const auto& [hash, paths] : by_hash) {
    for (std::size_t i = 1; i < paths.size(); ++i) {
      report.findings.push_back({FindingKind::kDuplicate, paths[i], cat("same sound as ", paths.front())});
    }
  }
  if (rates.empty()) return;
  report.rate_hz = std::max_element(rates.begin(), rates.end(), [](const auto& a, const auto& b) {
                     return a.second < b.second;
                   })->first;
  for (std::size_t i = 0; i < probes.size(); ++i) {
    if (probes[i].hash.empty() || probes[i].rate_hz == report.rate_hz) continue;
    report.findings.push_back(
        {FindingKind::kUnusualRate, group.files[i].shown, cat(probes[i].rate_hz, " Hz")});
  }
}

CorpusReport check_group(Group& group, int threads, Progress& progress) {
  CorpusReport report;
  report.corpus = group.reader->description().name;
  report.title = group.reader->description().title;
  report.synthetic = group.reader->description().synthetic;
  report.expected = static_cast<int>(group.reader->description().recordings);
  report.folders.assign(group.folders.begin(), group.folders.end());
  const std::size_t before = group.files.size();
  check_names(group, report);
  progress.advance(static_cast<std::int64_t>(before - group.files.size()));
  check_actors(group, report);
  std::vector<Probe> probes(group.files.size());
  parallel_for(group.files.size(), threads, [&](std::size_t i) {
    check_interrupted();
    probes[i] = probe(group.files[i].path);
    progress.advance();
  });
  check_sounds(group, probes, report);
  std::stable_sort(report.findings.begin(), report.findings.end(), [](const Finding& a, const Finding& b) {
    return std::tie(a.kind, a.path) < std::tie(b.kind, b.path);
  });
  return report;
}

}  // namespace

CheckReport check_corpora(const std::string& folder, int threads) {
  const fs::path root = fs::absolute(folder).lexically_normal();
  const std::vector<fs::path> files = corpus::list_files(root);
  corpus::Recogniser recogniser(root);
  CheckReport report;
  report.folder = root.string();
  std::map<std::pair<const NameReader*, std::string>, Group> by_folder;
  std::vector<std::pair<fs::path, std::string>> strays;
  for (const fs::path& path : files) {
    const std::string shown = path.lexically_relative(root).string();
    const std::string top = first_folder(shown);
    ParsedName name;
    const NameReader* owner = recogniser.owner(path, name);
    if (owner == nullptr) {
      if (promised_kind(path.string()) != ContainerKind::kUnknown) strays.emplace_back(path, shown);
      continue;
    }
    Group& group = by_folder[{owner, top}];
    group.reader = owner;
    group.folders.insert(top);
    if (name.kind == ParsedName::Kind::kRecording) group.ids.insert(name.recording.id);
    group.files.push_back({path, shown, std::move(name)});
  }
  std::vector<Group> groups = merged(std::move(by_folder));
  if (groups.empty()) {
    throw DataError(cat(root.string(), ": no recording of a known corpus among ", files.size(),
                        " files; see corpus scan for a corpus of your own"));
  }
  Progress progress("checking recordings", [&] {
    std::int64_t total = 0;
    for (const Group& group : groups) total += static_cast<std::int64_t>(group.files.size());
    return total;
  }());
  for (Group& group : groups) report.corpora.push_back(check_group(group, threads, progress));
  // A stray is the corpus' own where its folder holds one corpus only.
  for (const auto& [path, shown] : strays) {
    CorpusReport* only = nullptr;
    int owners = 0;
    for (CorpusReport& candidate : report.corpora) {
      if (std::count(candidate.folders.begin(), candidate.folders.end(), first_folder(shown)) == 0) continue;
      only = &candidate;
      ++owners;
    }
    if (owners == 1) {
      only->findings.push_back({FindingKind::kStray, shown, "fits no form of name"});
    } else {
      report.unknown.push_back(shown);
    }
  }
  return report;
}

}  // namespace serval::audio
