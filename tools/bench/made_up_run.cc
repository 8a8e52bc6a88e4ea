// Drawn results of every training of an experiment, for tools/bench/large_run.sh: `serval run` then finds nothing to train and
// does all the rest.
//
//   serval_made_up_run EXPERIMENT FOLDER EDGE [KEY.PATH=JSON ...]
//     FOLDER   the run's directory
//     EDGE     how far the true class stands out: 1.5 gives a UAR of about 50 %
//
// An actor's recordings share a part of their luck, as people do, and a seed's trainings another.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <numbers>

#include "serval/core/error.h"
#include "serval/core/files.h"
#include "serval/core/parallel.h"
#include "serval/core/philox.h"
#include "serval/experiment/dataset.h"
#include "serval/experiment/resolve.h"
#include "serval/train/task_result.h"

#include "src/experiment/plan.h"
#include "src/experiment/run_directory.h"
#include "src/experiment/tasks.h"

namespace {

using namespace serval;

double normal(const RandomStream& random, std::uint64_t index) {
  const double a = static_cast<double>(random.uniform(2 * index)) + 0x1p-25;
  return std::sqrt(-2 * std::log(a)) *
         std::cos(2 * std::numbers::pi * static_cast<double>(random.uniform(2 * index + 1)));
}

std::uint32_t number_of(const std::string& text) {
  std::uint32_t out = 2166136261u;
  for (const char c : text) out = (out ^ static_cast<unsigned char>(c)) * 16777619u;
  return out;
}

std::vector<float> draw_scores(const corpus::Manifest& manifest, std::int64_t recording, std::uint64_t seed,
                               double edge) {
  const auto r = static_cast<std::size_t>(recording);
  const RandomStream actor{1, number_of(manifest.recordings[r].actor), RandomPurpose::kTest};
  const RandomStream own{seed, static_cast<std::uint32_t>(recording), RandomPurpose::kTest};
  const RandomStream sound{0, static_cast<std::uint32_t>(recording), RandomPurpose::kTest};
  std::vector<float> out;
  double sum = 0;
  for (std::size_t c = 0; c < manifest.classes.size(); ++c) {
    double x = 1.1 * normal(sound, c) + 0.5 * normal(own, c) + 0.3 * normal(actor, c);
    if (static_cast<int>(c) == manifest.class_of[r]) x += edge + 0.6 * normal(actor, 99);
    out.push_back(static_cast<float>(std::exp(x)));
    sum += static_cast<double>(out.back());
  }
  for (float& p : out) p /= static_cast<float>(sum);
  return out;
}

train::TaskResult draw_result(const train::Task& task, const corpus::Manifest& manifest, double edge) {
  train::TaskResult out;
  out.model = task.model;
  out.fold = task.fold;
  out.seed = task.seed;
  out.devices = {"drawn"};
  out.recordings = task.sides.test;
  out.lineage.trained_on = task.sides.train;
  out.lineage.chosen_by = task.sides.validation;
  for (const std::int64_t r : out.recordings)
    out.probabilities.push_back(draw_scores(manifest, r, task.seed, edge));
  const RandomStream random{task.seed, static_cast<std::uint32_t>(task.fold), RandomPurpose::kTest, 7};
  for (int e = 1; e <= task.settings.epochs; ++e) {
    const double far = std::exp(-e / 15.0), noise = 0.02 * normal(random, static_cast<std::uint64_t>(e));
    out.history.push_back({e, 0.6 + 1.4 * far, 1.1 + far + noise, 0.5 - 0.35 * far - noise, 1e-3, 1.0});
  }
  const auto best =
      std::max_element(out.history.begin(), out.history.end(),
                       [](const auto& a, const auto& b) { return a.validation_uar < b.validation_uar; });
  out.selected_epoch = best->epoch;
  out.seconds = static_cast<double>(task.settings.epochs);
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) {
    std::cerr << "serval_made_up_run EXPERIMENT FOLDER EDGE [KEY.PATH=JSON ...]\n";
    return 2;
  }
  try {
    const experiment::ExperimentSettings settings =
        experiment::load_experiment(argv[1], std::vector<std::string>(argv + 4, argv + argc));
    const double edge = std::atof(argv[3]);
    const experiment::RunDirectory directory(argv[2], settings);
    experiment::Dataset dataset = experiment::make_dataset(settings, {Device{}, hardware_threads(), true});
    experiment::Plan plan = experiment::plan_folds(settings, dataset);
    experiment::fit_plan(plan, settings, dataset);
    const std::vector<train::Task> tasks =
        experiment::make_tasks(settings, dataset, experiment::take_features(dataset, Device{}), plan.folds,
                               plan.normalisers, plan.targets, directory, Device{}, nullptr);
    for (const train::Task& task : tasks) {
      make_folder(task.folder);
      train::write_task_result(task, draw_result(task, dataset.manifest, edge));
    }
    std::cout << tasks.size() << " trainings drawn in " << directory.folder() << '\n';
  } catch (const serval::Error& error) {
    std::cerr << error.what() << '\n';
    return static_cast<int>(error.code());
  }
  return 0;
}
