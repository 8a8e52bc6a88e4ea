#include "head_reports.h"

#include <algorithm>

namespace serval::experiment {

namespace {

void add_predictions(report::ModelReport& model, const train::TaskResult& result,
                     const train::HeadResult& said, const train::Target& target,
                     const corpus::Manifest& manifest) {
  const std::size_t width = target.names.size();
  for (std::size_t i = 0; i < result.recordings.size(); ++i) {
    const auto r = static_cast<std::size_t>(result.recordings[i]);
    const corpus::Recording& recording = manifest.recordings[r];
    for (std::size_t k = 0; k < width; ++k) {
      const double truth = target.of_numbers() ? static_cast<double>(target.rows[r * width + k])
                                               : (target.labels[r] == static_cast<int>(k) ? 1.0 : 0.0);
      model.head_predictions.push_back({recording.id, recording.corpus, recording.actor, said.output,
                                        target.names[k], result.fold, result.seed, truth,
                                        static_cast<double>(said.values[i][k])});
    }
  }
}

void add_result(report::HeadReport& report, const train::Task& task, const train::TaskResult& result,
                const train::HeadResult& said, const train::Target& target) {
  const train::HeadScores scores = train::score_head(target, result.recordings, said.values);
  const std::vector<std::string>& actors = task.sides.test_actors;
  report.number_folds.resize(scores.numbers.size());
  for (std::size_t k = 0; k < scores.numbers.size(); ++k)
    report.number_folds[k].push_back({result.fold, result.seed, actors, scores.numbers[k]});
  if (!target.of_numbers()) report.folds.push_back({result.fold, result.seed, actors, scores.classes});
}

void pool(const report::ModelReport& model, report::HeadReport& head) {
  for (const std::string& name : head.names) {
    std::vector<double> truths, predicted;
    for (const report::HeadPrediction& p : model.head_predictions) {
      if (p.head != head.name || p.name != name) continue;
      truths.push_back(p.truth);
      predicted.push_back(p.predicted);
    }
    head.number_pooled.push_back(evaluate::score_numbers(truths, predicted));
  }
}

}  // namespace

void report_heads(report::ModelReport& model, const std::vector<train::TaskResult>& results,
                  const std::vector<train::Task>& tasks, const corpus::Manifest& manifest) {
  for (std::size_t i = 0; i < results.size(); ++i) {
    const train::TaskResult& result = results[i];
    if (result.model != model.name) continue;
    for (const train::HeadResult& said : result.heads) {
      const train::Target& target = *tasks[i].head(said.output).target;
      auto report = std::find_if(model.heads.begin(), model.heads.end(),
                                 [&](const report::HeadReport& h) { return h.name == said.output; });
      if (report == model.heads.end()) {
        report = model.heads.insert(model.heads.end(), report::HeadReport{});
        report->name = said.output;
        report->target = target.name;
        report->numbers = target.of_numbers();
        report->names = target.names;
      }
      add_result(*report, tasks[i], result, said, target);
      add_predictions(model, result, said, target, manifest);
    }
  }
  const auto by_fold = [](const auto& a, const auto& b) {
    return a.fold != b.fold ? a.fold < b.fold : a.seed < b.seed;
  };
  std::stable_sort(model.head_predictions.begin(), model.head_predictions.end(), by_fold);
  for (report::HeadReport& head : model.heads) {
    std::stable_sort(head.folds.begin(), head.folds.end(), by_fold);
    if (!head.numbers) head.summary = evaluate::summarise(head.folds);
    for (auto& folds : head.number_folds) {
      std::stable_sort(folds.begin(), folds.end(), by_fold);
      head.number_summaries.push_back(evaluate::summarise(folds));
    }
    if (head.numbers) pool(model, head);
  }
}

}  // namespace serval::experiment
