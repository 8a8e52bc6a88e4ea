// Statistics of recordings as text, as JSON and as a picture.
#include <algorithm>

#include "serval/core/error.h"
#include "serval/core/text.h"
#include "serval/experiment/corpus_stats.h"

namespace serval::experiment {

namespace {

std::string quantiles(const char* name, const Distribution& d, const char* format) {
  std::string out = cat("  ", padded(name, 16));
  for (const double value : {d.least, d.p5, d.p25, d.median, d.p75, d.p95, d.most, d.mean})
    out += formatted(format, value);
  return out + "\n";
}

std::string histogram(const char* name, const Distribution& d, const char* edge_format) {
  constexpr int kBar = 40;
  std::string out = cat("\n  ", name, "\n");
  const std::int64_t most = d.bins.empty() ? 1 : *std::max_element(d.bins.begin(), d.bins.end());
  for (std::size_t b = 0; b < d.bins.size(); ++b) {
    const auto length = static_cast<std::size_t>((kBar * d.bins[b] + most - 1) / most);
    out +=
        cat("  ", formatted(edge_format, d.first_edge + d.width * static_cast<double>(b)), "  ",
            padded(std::string(length, '#'), kBar), formatted("%7.0f", static_cast<double>(d.bins[b])), "\n");
  }
  return out;
}

std::string table(const char* name, const std::vector<GroupStats>& groups, std::int64_t total) {
  std::size_t width = 10;
  for (const GroupStats& group : groups) width = std::max(width, group.name.size());
  std::string out =
      cat("\n  ", padded(name, width),
          "  recordings  share  actors  duration 5 %  median   95 %    RMS 5 %  median   95 %\n");
  for (const GroupStats& g : groups) {
    out += cat("  ", padded(g.name, width), formatted("%12.0f", static_cast<double>(g.recordings)),
               formatted("%6.1f%%", 100 * static_cast<double>(g.recordings) / static_cast<double>(total)),
               formatted("%8.0f", static_cast<double>(g.actors)), formatted("%14.2f", g.duration_s.p5),
               formatted("%8.2f", g.duration_s.median), formatted("%7.2f", g.duration_s.p95),
               formatted("%11.1f", g.rms_db.p5), formatted("%8.1f", g.rms_db.median),
               formatted("%7.1f", g.rms_db.p95), "\n");
  }
  return out;
}

JsonValue json_of(const Distribution& d) {
  JsonValue out = JsonValue::object();
  out.set("count", JsonValue::of(d.count));
  const std::pair<const char*, double> values[] = {{"mean", d.mean}, {"min", d.least},     {"p5", d.p5},
                                                   {"p25", d.p25},   {"median", d.median}, {"p75", d.p75},
                                                   {"p95", d.p95},   {"max", d.most}};
  for (const auto& [name, value] : values) out.set(name, JsonValue::of(value));
  JsonValue bins = JsonValue::list();
  for (const std::int64_t count : d.bins) bins.items.push_back(JsonValue::of(count));
  out.set("histogram", JsonValue::object()
                           .set("first_edge", JsonValue::of(d.first_edge))
                           .set("width", JsonValue::of(d.width))
                           .set("counts", std::move(bins)));
  return out;
}

JsonValue json_of(const GroupStats& group) {
  return JsonValue::object()
      .set("recordings", JsonValue::of(group.recordings))
      .set("actors", JsonValue::of(group.actors))
      .set("duration_s", json_of(group.duration_s))
      .set("rms_db", json_of(group.rms_db))
      .set("peak_db", json_of(group.peak_db));
}

JsonValue json_of(const std::vector<GroupStats>& groups) {
  JsonValue out = JsonValue::object();
  for (const GroupStats& group : groups) out.set(group.name, json_of(group));
  return out;
}

constexpr const char* kInk = "#1f6feb";

// Bars of counts; names below them while there is room.
std::string bars(const std::string& title, const std::vector<GroupStats>& groups) {
  constexpr std::size_t kMostNames = 26;
  std::string out = cat("set title ", report::gnuplot_text(title),
                        "\nset xrange [-0.6:", static_cast<double>(groups.size()) - 0.4,
                        "]\nset yrange [0:*]\nunset xlabel\n");
  out += "set ylabel 'recordings'\n";
  std::string names;
  for (std::size_t i = 0; i < groups.size() && groups.size() <= kMostNames; ++i)
    names += cat(i > 0 ? ", " : "", report::gnuplot_text(groups[i].name), " ", i);
  out += cat("set xtics (", names, ") rotate by ",
             groups.size() > 12  ? "-90"
             : groups.size() > 4 ? "-40"
                                 : "0",
             "\n");
  out += cat("plot '-' using 1:2 with boxes lc rgb '", kInk, "'\n");
  for (std::size_t i = 0; i < groups.size(); ++i) out += cat(i, " ", groups[i].recordings, "\n");
  return out + "e\n";
}

std::string histogram_chart(const std::string& title, const std::string& unit, const Distribution& d) {
  std::string out =
      cat("set title ", report::gnuplot_text(title), "\nset xlabel ", report::gnuplot_text(unit),
          "\nset ylabel 'recordings'\nset xrange [*:*]\nset yrange [0:*]\nset xtics auto norotate\n");
  out += cat("set boxwidth ", d.width, " absolute\nplot '-' using 1:2 with boxes lc rgb '", kInk, "'\n");
  if (d.bins.empty()) out += "0 0\n";
  for (std::size_t b = 0; b < d.bins.size(); ++b)
    out += cat(d.first_edge + d.width * (static_cast<double>(b) + 0.5), " ", d.bins[b], "\n");
  return out + "e\nset boxwidth 0.75 relative\n";
}

}  // namespace

std::string corpus_stats_text(const CorpusStats& stats) {
  const double hours = stats.all.duration_s.mean * static_cast<double>(stats.all.duration_s.count) / 3600;
  std::string out = cat(stats.all.recordings, " recordings of ", stats.all.actors, " actors, ",
                        formatted("%.2f", hours), " h");
  if (!stats.unreadable.empty()) out += cat(", and ", stats.unreadable.size(), " that cannot be read");
  if (!stats.silent.empty()) out += cat(", ", stats.silent.size(), " silent");
  out += "\n\n                      min    5 %   25 % median   75 %   95 %    max   mean\n";
  out += quantiles("duration (s)", stats.all.duration_s, "%7.2f");
  out += quantiles("level RMS (dB)", stats.all.rms_db, "%7.1f");
  out += quantiles("level peak (dB)", stats.all.peak_db, "%7.1f");
  if (stats.corpora.size() > 1) out += table("corpus", stats.corpora, stats.all.recordings);
  out += table("class", stats.classes, stats.all.recordings);
  out += table("gender", stats.genders, stats.all.recordings);
  out += table("actor", stats.actors, stats.all.recordings);
  out += histogram("duration, from (s)", stats.all.duration_s, "%7.2f");
  out += histogram("level RMS, from (dB)", stats.all.rms_db, "%7.1f");
  for (const std::string& problem : stats.unreadable) out += cat("  unreadable: ", problem, "\n");
  return out;
}

JsonValue corpus_stats_json(const CorpusStats& stats) {
  JsonValue out = json_of(stats.all);
  out.set("corpora", json_of(stats.corpora));
  out.set("classes", json_of(stats.classes));
  out.set("genders", json_of(stats.genders));
  out.set("by_actor", json_of(stats.actors));
  out.set("unreadable", JsonValue::of(stats.unreadable));
  out.set("silent", JsonValue::of(stats.silent));
  return out;
}

std::string corpus_stats_picture(const CorpusStats& stats, report::PictureFormat format) {
  std::string script =
      "set multiplot layout 2,3 margins 0.06,0.985,0.11,0.93 spacing 0.065,0.2\n"
      "set style fill solid 0.8 noborder\nset boxwidth 0.75 relative\nunset key\nset border 3\n"
      "set offsets graph 0, 0, graph 0.06, 0\nset tics out nomirror scale 0.5\n"
      "set grid ytics lc rgb '#dde3ea'\nset xtics nomirror\n";
  script += bars("classes", stats.classes);
  script += bars(cat(stats.actors.size(), " actors"), stats.actors);
  script += bars("genders", stats.genders);
  script += histogram_chart("duration", "seconds", stats.all.duration_s);
  script += histogram_chart("level, RMS", "dB, full scale is 0", stats.all.rms_db);
  script += histogram_chart("level, peak", "dB, full scale is 0", stats.all.peak_db);
  return report::draw_with_gnuplot(script + "unset multiplot\n", format, {1350, 680});
}

}  // namespace serval::experiment
