#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <new>

#include "serval/core/error.h"
#include "serval/core/files.h"
#include "serval/core/log.h"
#include "serval/core/pipeline.h"
#include "serval/core/text.h"
#include "serval/deploy/predictor.h"
#include "serval/experiment/export_run.h"

#include "commands.h"
#include "predict_output.h"

namespace serval::cli {
namespace fs = std::filesystem;

namespace {

constexpr const char* kStandardInput = "-";

// In a folder, what is likely to be sound; a file that is named is tried whatever its ending.
bool ends_like_sound(const fs::path& path) {
  static const std::array<const char*, 9> kEndings = {".wav", ".flac", ".ogg",  ".oga", ".opus",
                                                      ".mp3", ".aif",  ".aiff", ".aifc"};
  const std::string ending = lower(path.extension().string());
  return std::any_of(kEndings.begin(), kEndings.end(), [&](const char* known) { return ending == known; });
}

}  // namespace

std::vector<std::string> recordings_of(const std::vector<std::string>& arguments) {
  std::vector<std::string> out;
  for (const std::string& argument : arguments) {
    std::error_code ignored;
    if (argument == kStandardInput || !fs::is_directory(argument, ignored)) {
      out.push_back(argument);
      continue;
    }
    std::vector<std::string> found;
    for (const fs::directory_entry& entry :
         fs::recursive_directory_iterator(argument, fs::directory_options::skip_permission_denied)) {
      if (entry.is_regular_file(ignored) && ends_like_sound(entry.path()))
        found.push_back(entry.path().string());
    }
    std::sort(found.begin(), found.end(), natural_less);
    if (found.empty()) throw DataError(cat(argument, ": holds no recordings"));
    out.insert(out.end(), found.begin(), found.end());
  }
  return out;
}

namespace {

// Standard input as a file, since formats are told by looking at both ends of it.
class SpooledInput {
 public:
  SpooledInput() : file_(fs::temp_directory_path() / "serval-standard-input") {
    std::ofstream out(file_.path(), std::ios::binary);
    if (std::cin.peek() != std::char_traits<char>::eof()) out << std::cin.rdbuf();
    if (!out.flush()) throw DiskError(cat(file_.path().string(), ": standard input cannot be kept there"));
  }
  std::string path() const { return file_.path().string(); }

 private:
  TemporaryFile file_;
};

PredictRow predict_one(const deploy::Predictor& predictor, const std::string& recording) {
  PredictRow out{.recording = recording, .said = {}, .error = {}};
  try {
    if (recording == kStandardInput) {
      const SpooledInput input;
      out.said = predictor.predict_file(input.path());
    } else {
      out.said = predictor.predict_file(recording);
    }
  } catch (const DataError& error) {
    out.error = error.what();
  } catch (const std::bad_alloc&) {
    out.error = recording + ": too long for the memory of this machine";
  }
  return out;
}

}  // namespace

void export_run(const Common& common, const ExportArguments& arguments) {
  experiment::ExportOptions options;
  options.run = arguments.run;
  options.model = arguments.model;
  options.fold = arguments.fold;
  options.seed = arguments.seed;
  const auto over = [&](const char* what) {
    return std::find(arguments.ensemble.begin(), arguments.ensemble.end(), what) != arguments.ensemble.end();
  };
  options.all_folds = over("folds");
  options.all_seeds = over("seeds");
  options.refit = arguments.refit;
  for (const auto& [name, form] : deploy::weight_forms()) {
    if (name == arguments.weights) options.weights = form;
  }
  if (options.refit) {
    options.device = choose_device(common.device);
    options.threads = threads_of(common);
  }
  experiment::export_run(options, arguments.out);
  std::cout << arguments.out << '\n';
}

void predict(const Common& common, const PredictArguments& arguments) {
  const int threads = threads_of(common);
  const std::vector<std::string> recordings = recordings_of(arguments.recordings);
  const deploy::Predictor predictor(
      arguments.bundle, {.device = common.device, .timeline = arguments.timeline, .batch = arguments.batch});
  for (const std::string& stamp : predictor.stamps()) log_warning(stamp);
  const PredictOutput output(arguments.format, predictor.classes(), arguments.min_confidence,
                             arguments.timeline);
  std::cout << output.heading();
  std::size_t next = 0, bad = 0;
  using Work = Pipeline<std::size_t, PredictRow>;
  // A recording's share of the bound says how many wait for an earlier one, not what they take.
  constexpr std::int64_t kWaiting = 64;
  Work::run({.threads = std::min(threads, static_cast<int>(std::min<std::size_t>(recordings.size(), 4096))),
             .bytes = kWaiting},
            {.next = [&]() -> std::optional<std::size_t> {
               return next < recordings.size() ? std::optional(next++) : std::nullopt;
             },
             .bytes_of = [](const std::size_t&) { return std::int64_t{1}; },
             .make = [&](const std::size_t& i, int) { return predict_one(predictor, recordings[i]); },
             .take =
                 [&](const std::size_t&, PredictRow row) {
                   bad += row.said ? 0 : 1;
                   std::cout << output.row(row) << std::flush;
                 }});
  if (bad > 0) throw DataError(cat(bad, " of ", recordings.size(), " recordings could not be scored"));
}

}  // namespace serval::cli
