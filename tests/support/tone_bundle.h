// A bundle of a network that was trained on tones, made in about a second.
#pragma once

#include <string>

#include "serval/core/log.h"
#include "serval/experiment/export_run.h"
#include "serval/experiment/resolve.h"
#include "serval/experiment/run.h"

#include "tests/support/tone_corpus.h"

namespace serval::testing_support {

struct ToneBundle {
  ToneBundle() {
    set_quiet(true);
    make_tone_corpus(folder / "corpus");
    folder.write("base.json", tone_experiment(folder / "corpus", folder / "stores"));
    folder.write(
        "x.json",
        R"({"extends": "base.json", "models": {"lstm": {"input": {"segment_frames": 8}}}, "seeds": [1]})");
    experiment::run_experiment(experiment::load_experiment(folder / "x.json", {}),
                               {Device{}, 2, folder / "run"});
    experiment::ExportOptions options;
    options.run = folder / "run";
    options.fold = 1;
    options.seed = 1;
    experiment::export_run(options, path());
  }
  std::string path() const { return folder / "bundle"; }
  std::string recording(int emotion, int actor = 1) const {
    return folder / ("corpus/" + tone_name(emotion, 0, actor) + ".wav");
  }

  corpus::TempFolder folder;
};

// Tones of all emotions one after the other, at the corpus' 8 kHz.
inline std::vector<float> tone_speech(double seconds) {
  std::vector<float> out;
  for (int k = 0; static_cast<double>(out.size()) < seconds * 8000; ++k) {
    const std::vector<float> next = tone_samples({}, 1 + k % 4, k % 2, 1 + k % 6);
    out.insert(out.end(), next.begin(), next.end());
  }
  out.resize(static_cast<std::size_t>(seconds * 8000));
  return out;
}

}  // namespace serval::testing_support
