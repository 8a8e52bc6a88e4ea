// What a model was most sure of and wrong about: in a table, and to look at and listen to where that was asked for.
#include <algorithm>
#include <set>

#include "page_parts.h"

namespace serval::report {

namespace {

constexpr std::size_t kMistakes = 15;

float sureness(const Prediction& p) { return p.probabilities[static_cast<std::size_t>(p.predicted)]; }

std::string class_name(const RunReport& report, int number) {
  return escaped(report.classes[static_cast<std::size_t>(number)]);
}

std::string base64(const std::string& bytes) {
  static constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t have = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t block = 0;
    for (std::size_t k = 0; k < 3; ++k)
      block = block << 8 | (k < have ? static_cast<unsigned char>(bytes[i + k]) : 0u);
    for (std::size_t k = 0; k < 4; ++k) out += k <= have ? kDigits[block >> (18 - 6 * k) & 63u] : '=';
  }
  return out;
}

std::string figure(const Exhibit& exhibit, const Prediction& p, const RunReport& report) {
  const std::string name = escaped(exhibit.recording);
  std::string out =
      cat("<figure><img alt=\"Waveform and mel spectrogram of ", name, "\" src=\"data:image/png;base64,",
          base64(exhibit.picture_png), "\">\n",
          "<audio controls preload=\"none\" src=\"data:audio/flac;base64,", base64(exhibit.sound_flac),
          "\"></audio>\n<figcaption>", name, ": ", class_name(report, p.label), ", taken for ",
          class_name(report, p.predicted), " with ", percent(static_cast<double>(sureness(p))), " %");
  if (exhibit.heard_s < exhibit.seconds)
    out +=
        cat("; the first ", number_text(exhibit.heard_s, 0), " of ", number_text(exhibit.seconds, 1), " s");
  return out + "</figcaption></figure>\n";
}

}  // namespace

std::vector<const Prediction*> confident_mistakes(const ModelReport& model, std::size_t count) {
  std::vector<const Prediction*> wrong;
  for (const Prediction& prediction : model.predictions) {
    if (prediction.predicted != prediction.label) wrong.push_back(&prediction);
  }
  std::stable_sort(wrong.begin(), wrong.end(),
                   [&](const Prediction* a, const Prediction* b) { return sureness(*a) > sureness(*b); });
  std::set<std::string> seen;
  std::vector<const Prediction*> out;
  for (const Prediction* p : wrong) {
    if (out.size() == count) break;
    if (seen.insert(p->recording).second) out.push_back(p);
  }
  return out;
}

std::string mistakes_panel(const ModelReport& model, const RunReport& report) {
  const std::vector<const Prediction*> wrong = confident_mistakes(model, kMistakes);
  if (wrong.empty()) return panel("<h3>Most confident mistakes</h3><p>There is no mistake.</p>");
  std::string out =
      "<h3>Most confident mistakes</h3><p class=\"muted\">Of each recording the surest one, of all folds and "
      "seeds.</p><div class=\"scroll\"><table>\n" +
      row("th", "recording", "true", "predicted", "sure", "of the true class", "fold", "seed");
  std::string figures;
  for (const Prediction* p : wrong) {
    out += row("td", escaped(p->recording), class_name(report, p->label), class_name(report, p->predicted),
               percent(static_cast<double>(sureness(*p))),
               percent(static_cast<double>(p->probabilities[static_cast<std::size_t>(p->label)])),
               p->fold + 1, p->seed);
    const auto exhibit = std::find_if(report.exhibits.begin(), report.exhibits.end(),
                                      [&](const Exhibit& e) { return e.recording == p->recording; });
    if (exhibit != report.exhibits.end()) figures += figure(*exhibit, *p, report);
  }
  out += "</table></div>\n";
  return panel(figures.empty() ? out : out + "<div class=\"exhibits\">" + figures + "</div>\n");
}

}  // namespace serval::report
