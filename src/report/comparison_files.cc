// A comparison as text, JSON, CSV, Markdown and LaTeX.
#include <algorithm>
#include <cmath>

#include "serval/core/csv.h"
#include "serval/core/error.h"
#include "serval/core/json.h"
#include "serval/core/text.h"

#include "comparison_tables.h"
#include "results_json.h"

namespace serval::report {

namespace {

std::string plain_rows(const PlainTable& table) {
  std::vector<std::size_t> widths;
  for (std::size_t c = 0; c < table.columns.size(); ++c) {
    widths.push_back(table.columns[c].size());
    for (const auto& row : table.rows) widths[c] = std::max(widths[c], row[c].size());
  }
  const auto line = [&](const std::vector<std::string>& cells) {
    std::string out = "  " + padded(cells[0], widths[0]);
    for (std::size_t c = 1; c < cells.size(); ++c)
      out += "  " + std::string(widths[c] - cells[c].size(), ' ') + cells[c];
    return out + "\n";
  };
  std::string out = line(table.columns);
  for (const auto& row : table.rows) out += line(row);
  return out;
}

std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> out(1);
  for (const char c : text) {
    if (c == ' ')
      out.emplace_back();
    else
      out.back() += c;
  }
  return out;
}

std::string wrapped(const std::string& text) {
  constexpr std::size_t kWidth = 110;
  std::string out, line = " ";
  for (const std::string& word : words_of(text)) {
    if (line.size() + 1 + word.size() > kWidth && line.size() > 1) {
      out += line + "\n";
      line = " ";
    }
    line += " " + word;
  }
  return out + line + "\n";
}

JsonValue p_json(const CorrectedP& p) {
  return JsonValue::object()
      .set("p", JsonValue::of(p.p))
      .set("holm", JsonValue::of(p.holm))
      .set("benjamini_hochberg", JsonValue::of(p.benjamini_hochberg));
}

JsonValue difference_json(double mean, const evaluate::ConfidenceInterval& interval) {
  return JsonValue::object().set("difference", JsonValue::of(mean)).set("ci95", interval_json(interval));
}

JsonValue run_json(const ComparedRun& run) {
  JsonValue out = JsonValue::object();
  out.set("name", JsonValue::of(run.name));
  out.set("folder", JsonValue::of(run.folder));
  out.set("model", JsonValue::of(run.model));
  out.set("summary", summary_json(run.summary, run.intervals));
  out.set("chance", JsonValue::object()
                        .set("uar", JsonValue::of(run.chance.uar))
                        .set("majority_wa", JsonValue::of(run.chance.majority_wa)));
  out.set("actors", JsonValue::of(static_cast<std::int64_t>(run.actors)));
  out.set("recordings", JsonValue::of(static_cast<std::int64_t>(run.recordings)));
  out.set("folds", JsonValue::of(static_cast<std::int64_t>(run.folds)));
  out.set("seeds", JsonValue::of(static_cast<std::int64_t>(run.seeds)));
  out.set("configurations", JsonValue::of(run.configurations));
  out.set("stamps", JsonValue::of(run.stamps));
  out.set("leaks", JsonValue::of(run.leaks));
  out.set("audit", JsonValue::of(run.audit));
  return out;
}

JsonValue pair_json(const Comparison& comparison, const PairedDifference& pair) {
  JsonValue out = JsonValue::object();
  out.set("first", JsonValue::of(comparison.runs[pair.first].name));
  out.set("second", JsonValue::of(comparison.runs[pair.second].name));
  out.set("uar", difference_json(pair.uar, pair.intervals.uar));
  out.set("wa", difference_json(pair.wa, pair.intervals.wa));
  out.set("macro_f1", difference_json(pair.macro_f1, pair.intervals.macro_f1));
  JsonValue permutation = p_json(pair.permutation);
  permutation.set("pooled_uar_difference", JsonValue::of(pair.pooled_uar));
  out.set("permutation", std::move(permutation));
  JsonValue t_test = p_json(pair.t_test_p);
  t_test.set("t", JsonValue::of(pair.t_test.t)).set("degrees", JsonValue::of(pair.t_test.degrees));
  out.set("t_test", std::move(t_test));
  JsonValue mcnemar = p_json(pair.mcnemar_p);
  mcnemar.set("only_first", JsonValue::of(pair.mcnemar.only_first))
      .set("only_second", JsonValue::of(pair.mcnemar.only_second));
  out.set("mcnemar", std::move(mcnemar));
  return out;
}

std::string latex(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool before_digit = i + 1 < text.size() && text[i + 1] >= '0' && text[i + 1] <= '9';
    const bool starts_word = i == 0 || text[i - 1] == ' ' || text[i - 1] == '[';
    if (text.compare(i, 2, "+-") == 0) {
      out += "$\\pm$";
      ++i;
    } else if (c == '-' && before_digit && starts_word)
      out += "$-$";
    else if (c == '\\')
      out += "\\textbackslash{}";
    else if (c == '~' || c == '^')
      out += cat("\\", c, "{}");
    else if (c == '<' || c == '>')
      out += cat("$", c, "$");
    else if (std::string("%&#$_{}").find(c) != std::string::npos)
      out += cat("\\", c);
    else
      out += c;
  }
  return out;
}

std::string markdown(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (std::string("|*_`<>\\").find(c) != std::string::npos) out += '\\';
    out += c;
  }
  return out;
}

std::string csv_number(double value) { return std::isnan(value) ? "" : json_number(value); }

}  // namespace

std::string comparison_text(const Comparison& comparison) {
  const ComparisonTables all = comparison_tables(comparison);
  std::string out;
  for (const PlainTable& table : all.tables)
    out += cat(table.title, "\n", plain_rows(table), "\n", wrapped(table.caption), "\n");
  for (std::size_t i = 0; i < all.stamps.size(); ++i) out += cat("  [", i + 1, "] ", all.stamps[i], "\n");
  for (const std::string& remark : all.remarks) out += cat("  note: ", remark, "\n");
  return out;
}

std::string comparison_json(const Comparison& comparison) {
  JsonValue out = JsonValue::object(), runs = JsonValue::list(), pairs = JsonValue::list();
  for (const ComparedRun& run : comparison.runs) runs.items.push_back(run_json(run));
  for (const PairedDifference& pair : comparison.pairs) pairs.items.push_back(pair_json(comparison, pair));
  out.set("runs", std::move(runs));
  out.set("paired", JsonValue::of(comparison.why_unpaired.empty()));
  out.set("why_unpaired", JsonValue::of(comparison.why_unpaired));
  out.set("comparisons", std::move(pairs));
  out.set("configurations", JsonValue::of(comparison.configurations));
  return write_json(out);
}

std::string comparison_csv(const Comparison& comparison) {
  std::string out =
      "kind,first,second,uar,uar_low,uar_high,wa,wa_low,wa_high,macro_f1,macro_f1_low,macro_f1_high,std_"
      "folds,"
      "std_seeds,permutation_p,permutation_holm,permutation_bh,t_test_p,t_test_holm,t_test_bh,mcnemar_p,"
      "mcnemar_holm,mcnemar_bh,actors,recordings,folds,seeds,configurations,paired,stamps\n";
  const auto scores = [](double uar, double wa, double f1, const evaluate::Intervals& ci) {
    std::vector<std::string> cells;
    for (const double value :
         {uar, ci.uar.low, ci.uar.high, wa, ci.wa.low, ci.wa.high, f1, ci.macro_f1.low, ci.macro_f1.high})
      cells.push_back(csv_number(value));
    return join(cells, ",");
  };
  const auto tested = [](const CorrectedP& p) {
    return cat(csv_number(p.p), ",", csv_number(p.holm), ",", csv_number(p.benjamini_hochberg));
  };
  const auto end = [&](const ComparedRun& run, std::int64_t configurations,
                       const std::vector<std::string>& stamps) {
    return cat(",", run.actors, ",", run.recordings, ",", run.folds, ",", run.seeds, ",", configurations, ",",
               comparison.why_unpaired.empty() ? "true" : "false", ",", csv_field(join(stamps, "; ")), "\n");
  };
  for (const ComparedRun& run : comparison.runs) {
    const evaluate::Summary& s = run.summary;
    out +=
        cat("run,", csv_field(run.name), ",,", scores(s.uar.mean, s.wa.mean, s.macro_f1.mean, run.intervals),
            ",", csv_number(s.uar.std_folds), ",", csv_number(s.uar.std_seeds), ",,,,,,,,,",
            end(run, run.configurations, run.stamps));
  }
  for (const PairedDifference& pair : comparison.pairs) {
    const ComparedRun &first = comparison.runs[pair.first], &second = comparison.runs[pair.second];
    std::vector<std::string> stamps = first.stamps;
    for (const std::string& stamp : second.stamps) {
      if (std::find(stamps.begin(), stamps.end(), stamp) == stamps.end()) stamps.push_back(stamp);
    }
    out += cat("difference,", csv_field(first.name), ",", csv_field(second.name), ",",
               scores(pair.uar, pair.wa, pair.macro_f1, pair.intervals), ",,,", tested(pair.permutation), ",",
               tested(pair.t_test_p), ",", tested(pair.mcnemar_p),
               end(first, comparison.configurations, stamps));
  }
  return out;
}

std::string comparison_markdown(const Comparison& comparison) {
  const ComparisonTables all = comparison_tables(comparison);
  std::string out;
  const auto line = [](const std::vector<std::string>& cells) {
    std::string text = "|";
    for (const std::string& cell : cells) text += " " + with_plus_minus(markdown(cell)) + " |";
    return text + "\n";
  };
  for (const PlainTable& table : all.tables) {
    out += cat("## ", markdown(table.title), "\n\n", line(table.columns), "|---|");
    for (std::size_t c = 1; c < table.columns.size(); ++c) out += "---:|";
    out += "\n";
    for (const auto& row : table.rows) out += line(row);
    out += cat("\n", markdown(table.caption), "\n\n");
  }
  for (std::size_t i = 0; i < all.stamps.size(); ++i)
    out += cat("* \\[", i + 1, "\\] ", markdown(all.stamps[i]), "\n");
  for (const std::string& remark : all.remarks) out += cat("* ", markdown(remark), "\n");
  return out;
}

std::string comparison_latex(const Comparison& comparison) {
  const ComparisonTables all = comparison_tables(comparison);
  std::string notes;
  for (std::size_t i = 0; i < all.stamps.size(); ++i)
    notes += cat(" [", i + 1, "] ", latex(all.stamps[i]), ".");
  for (const std::string& remark : all.remarks) notes += cat(" ", latex(remark), ".");
  std::string out = "% Needs \\usepackage{booktabs} and \\usepackage{graphicx}.\n";
  const auto line = [](const std::vector<std::string>& cells) {
    std::string text = cells[0].starts_with('[') ? "{}" : "";  // else an argument of the \\\\ before it
    for (std::size_t c = 0; c < cells.size(); ++c) text += (c > 0 ? " & " : "") + latex(cells[c]);
    return text + " \\\\\n";
  };
  for (const PlainTable& table : all.tables) {
    out +=
        cat("\\begin{table}\n\\centering\n\\caption{", latex(table.caption), notes, "}\n",
            "\\resizebox{\\ifdim\\width>\\linewidth\\linewidth\\else\\width\\fi}{!}{%\n\\begin{tabular}{l",
            std::string(table.columns.size() - 1, 'r'), "}\n\\toprule\n", line(table.columns), "\\midrule\n");
    for (const auto& row : table.rows) out += line(row);
    out += "\\bottomrule\n\\end{tabular}}\n\\end{table}\n";
  }
  return out;
}

}  // namespace serval::report
