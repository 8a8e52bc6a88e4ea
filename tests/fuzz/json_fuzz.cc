// JSON as a user writes it: read, written and read again it is the same; and the settings that files are made of.
#include "serval/audio/audio_settings.h"
#include "serval/core/json.h"
#include "serval/core/settings_io.h"
#include "serval/features/model_inputs.h"
#include "serval/features/settings.h"
#include "serval/learners/settings.h"
#include "serval/nn/network.h"

#include "tests/fuzz/fuzz.h"

namespace {

template <class T>
void read(const serval::JsonValue& json) {
  std::vector<std::string> errors;
  serval::fuzz::survives([&] {
    T settings = serval::read_settings<T>(json, errors);
    // What is read without an error is written and read back without one.
    if (!errors.empty()) return;
    std::vector<std::string> again;
    const serval::JsonValue written = serval::settings_to_json(settings);
    serval::read_settings<T>(serval::parse_json(serval::write_json(written), "again"), again);
    serval::fuzz::need(again.empty(), "settings that were read can be read again");
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace serval;
  fuzz::survives([&] {
    const JsonValue json = parse_json(fuzz::text_of(data, size), "fuzz.json");
    const std::string written = write_json(json);
    fuzz::need(write_json(parse_json(written, "again.json")) == written, "JSON is written as it is read");
    read<audio::AudioSettings>(json);
    read<features::FeatureSettings>(json);
    read<features::InputSettings>(json);
    read<learners::LearnerSettings>(json);
    std::vector<std::string> errors;
    const auto network = read_settings<nn::NetworkSettings>(json, errors);
    if (errors.empty()) (void)nn::classifier_problem(network);
  });
  return 0;
}
