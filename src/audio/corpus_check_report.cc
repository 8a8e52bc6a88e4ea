// Corpus checks as text and as JSON.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "serval/audio/corpus_check.h"
#include "serval/core/error.h"

namespace serval::audio {

namespace {

constexpr std::array kKinds = {
    FindingKind::kUnreadable, FindingKind::kTruncated,    FindingKind::kSilent,
    FindingKind::kTooShort,   FindingKind::kUnknownLabel, FindingKind::kWrongContainer,
    FindingKind::kNotMono,    FindingKind::kUnusualRate,  FindingKind::kDuplicate,
    FindingKind::kFullScale,  FindingKind::kQuiet,        FindingKind::kExtraChunks,
    FindingKind::kOddName,    FindingKind::kIgnored,      FindingKind::kStray,
    FindingKind::kCopy,       FindingKind::kRemark};

constexpr std::size_t kExamples = 6;
constexpr std::size_t kNamedActors = 12;

std::string fixed(double value, int digits) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.*f", digits, value);
  return text.data();
}

std::vector<const Finding*> of_kind(const CorpusReport& report, FindingKind kind) {
  std::vector<const Finding*> out;
  for (const Finding& finding : report.findings) {
    if (finding.kind == kind) out.push_back(&finding);
  }
  return out;
}

void print_list(std::string& out, const std::vector<std::string>& lines) {
  for (std::size_t i = 0; i < std::min(lines.size(), kExamples); ++i) out += cat("      ", lines[i], "\n");
  if (lines.size() > kExamples) out += cat("      and ", lines.size() - kExamples, " more\n");
}

void print_corpus(std::string& out, const CorpusReport& report) {
  out +=
      cat(report.corpus, report.synthetic ? " (SYNTHETIC)" : "", " in ", join(report.folders, ", "), ": ",
          report.title, "\n  ", report.found, report.expected > 0 ? cat(" of ", report.expected) : "",
          " recordings, ", report.actors.size(),
          report.absent_actors.empty() ? "" : cat(" of ", report.actors.size() + report.absent_actors.size()),
          " actors, ", fixed(report.hours, 2), " h, mostly ", report.rate_hz, " Hz, quietest peak ",
          fixed(report.quietest_peak_db, 1), " dB\n");
  if (!report.absent_actors.empty()) {
    const std::size_t named = std::min(report.absent_actors.size(), kNamedActors);
    out += cat("  ", report.absent_actors.size(), " absent actors: ",
               join({report.absent_actors.begin(),
                     report.absent_actors.begin() + static_cast<std::ptrdiff_t>(named)},
                    " "),
               report.absent_actors.size() > named ? " ...\n" : "\n");
  }
  if (!report.missing.empty()) {
    out += cat("  ", report.missing.size(), " takes that most of the actors have, and one has not:\n");
    print_list(out, report.missing);
  }
  for (const FindingKind kind : kKinds) {
    std::vector<std::string> lines;
    for (const Finding* finding : of_kind(report, kind))
      lines.push_back(cat(finding->path, ": ", finding->detail));
    if (lines.empty()) continue;
    out += cat("  ", to_string(kind), ": ", lines.size(), "\n");
    print_list(out, lines);
  }
}

JsonValue json_of(const CorpusReport& report) {
  JsonValue counts = JsonValue::object();
  JsonValue findings = JsonValue::list();
  for (const FindingKind kind : kKinds) {
    const std::vector<const Finding*> found = of_kind(report, kind);
    if (!found.empty()) counts.set(to_string(kind), JsonValue::of(static_cast<std::int64_t>(found.size())));
    for (const Finding* finding : found) {
      findings.items.push_back(JsonValue::object()
                                   .set("kind", JsonValue::of(to_string(kind)))
                                   .set("path", JsonValue::of(finding->path))
                                   .set("detail", JsonValue::of(finding->detail)));
    }
  }
  return JsonValue::object()
      .set("corpus", JsonValue::of(report.corpus))
      .set("title", JsonValue::of(report.title))
      .set("synthetic", JsonValue::of(report.synthetic))
      .set("folders", JsonValue::of(report.folders))
      .set("found", JsonValue::of(report.found))
      .set("expected", JsonValue::of(report.expected))
      .set("actors", JsonValue::of(report.actors))
      .set("absent_actors", JsonValue::of(report.absent_actors))
      .set("missing", JsonValue::of(report.missing))
      .set("hours", JsonValue::of(report.hours))
      .set("rate_hz", JsonValue::of(report.rate_hz))
      .set("quietest_peak_db", JsonValue::of(report.quietest_peak_db))
      .set("counts", std::move(counts))
      .set("findings", std::move(findings));
}

}  // namespace

const char* to_string(FindingKind kind) {
  switch (kind) {
    case FindingKind::kUnreadable:
      return "unreadable";
    case FindingKind::kTruncated:
      return "truncated";
    case FindingKind::kSilent:
      return "silent";
    case FindingKind::kTooShort:
      return "too_short";
    case FindingKind::kWrongContainer:
      return "wrong_container";
    case FindingKind::kNotMono:
      return "not_mono";
    case FindingKind::kUnusualRate:
      return "unusual_rate";
    case FindingKind::kDuplicate:
      return "duplicate";
    case FindingKind::kFullScale:
      return "full_scale";
    case FindingKind::kQuiet:
      return "quiet";
    case FindingKind::kExtraChunks:
      return "extra_chunks";
    case FindingKind::kOddName:
      return "odd_name";
    case FindingKind::kUnknownLabel:
      return "unknown_label";
    case FindingKind::kIgnored:
      return "ignored";
    case FindingKind::kStray:
      return "stray";
    case FindingKind::kCopy:
      return "copy";
    case FindingKind::kRemark:
      return "remark";
  }
  return "unknown";
}

bool CheckReport::clean() const {
  constexpr std::array kBad = {FindingKind::kUnreadable, FindingKind::kTruncated, FindingKind::kSilent,
                               FindingKind::kUnknownLabel};
  return unknown.empty() && std::none_of(corpora.begin(), corpora.end(), [&](const CorpusReport& report) {
           return std::any_of(report.findings.begin(), report.findings.end(), [&](const Finding& finding) {
             return std::find(kBad.begin(), kBad.end(), finding.kind) != kBad.end();
           });
         });
}

std::string check_text(const CheckReport& report) {
  std::string out = report.folder + "\n";
  for (const CorpusReport& corpus : report.corpora) print_corpus(out, corpus);
  if (!report.unknown.empty()) {
    out += cat("of no known corpus: ", report.unknown.size(), "\n");
    print_list(out, report.unknown);
  }
  return out;
}

JsonValue check_json(const CheckReport& report) {
  JsonValue corpora = JsonValue::list();
  for (const CorpusReport& corpus : report.corpora) corpora.items.push_back(json_of(corpus));
  return JsonValue::object()
      .set("folder", JsonValue::of(report.folder))
      .set("clean", JsonValue::of(report.clean()))
      .set("corpora", std::move(corpora))
      .set("unknown", JsonValue::of(report.unknown));
}

}  // namespace serval::audio
