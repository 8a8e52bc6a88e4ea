#include <cmath>
#include <filesystem>

#include "serval/core/error.h"
#include "serval/core/files.h"
#include "serval/core/log.h"
#include "serval/deploy/onnx.h"

#include "parity.h"

namespace serval::deploy {
namespace fs = std::filesystem;

using namespace onnx;

namespace {

void write_report(const fs::path& model, JsonValue report, const OnnxExport& options,
                  const Recordings& recordings) {
  report.set("form", JsonValue::of(options.form == OnnxForm::kWaveform ? "waveform" : "network"));
  report.set("bundle", JsonValue::of(options.bundle));
  report.set("left_out", JsonValue::of(recordings.left_out));
  fs::path file = model;
  write_atomically(file.replace_extension(".parity.json"), write_json(report));
}

}  // namespace

std::vector<std::string> export_onnx(const OnnxExport& options) {
  if (fs::path(options.out).extension() != ".onnx")
    throw ConfigError(cat(options.out, ": the file's name must end in .onnx"));
  const Bundle bundle = read_bundle(options.bundle);
  const std::vector<OnnxModel> models = onnx_models(bundle, options.form, options.parity);
  Recordings recordings;
  if (options.parity) recordings = read_recordings(bundle, options.recordings);
  std::vector<std::string> out;
  for (const OnnxModel& model : models) {
    const fs::path file = model.member < 0
                              ? options.out
                              : file_of_member(options.out, bundle, static_cast<std::size_t>(model.member));
    const TemporaryFile temporary(file);
    write_atomically(temporary.path(), model.bytes);
    JsonValue report = JsonValue::object();
    if (!options.parity) {
      report.set("checked", JsonValue::of(false));
      report.set("why", JsonValue::of("--no-parity"));
    } else {
      const ParityItems items = options.form == OnnxForm::kWaveform
                                    ? waveform_items(options.bundle, bundle, recordings)
                                    : network_items(bundle, model.member, recordings);
      report = check_parity(options, temporary.path().string(), items);
    }
    write_report(file, report, options, recordings);
    if (options.parity) {
      const double worst = report.find("worst")->real;
      log_info(cat(file.string(), ": scores differ by ", worst, " at most, over ",
                   report.find("items")->integer,
                   options.form == OnnxForm::kWaveform ? " recordings" : " items"));
      if (!report.find("passed")->boolean) {
        std::error_code ignored;
        fs::remove(file, ignored);
        throw Error(ExitCode::kParity,
                    cat(file.string(), ": ONNX Runtime gives other scores than Serval: they differ by up to ",
                        worst, ", and at most ", kOnnxTolerance, " is allowed; see the report beside it"));
      }
    }
    temporary.publish();
    out.push_back(file.string());
  }
  return out;
}

}  // namespace serval::deploy
