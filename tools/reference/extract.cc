// Features of clips that another program decoded, so that both sides of a comparison start from the same floats:
//   serval_reference_extract SETTINGS.json RATE_HZ CLIPS.f32 LENGTHS.i64 OUT.f32
// SETTINGS.json is one feature set as an experiment file has it, CLIPS.f32 the samples of all clips behind each
// other, LENGTHS.i64 how many each has. Writes all rows of all clips and prints
// {"dimension", "rows", "names", "seconds"}; the seconds are those of one thread, extraction alone.
#include <cstdint>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include "serval/core/error.h"
#include "serval/core/json.h"
#include "serval/core/log.h"
#include "serval/core/settings_io.h"
#include "serval/features/extractor.h"

namespace serval {
namespace {

template <class T>
std::vector<T> read_binary(const char* path) {
  std::ifstream in(path, std::ios::binary | std::ios::ate);
  if (!in) throw DataError(cat(path, ": cannot be opened"));
  std::vector<T> values(static_cast<std::size_t>(in.tellg()) / sizeof(T));
  in.seekg(0);
  in.read(reinterpret_cast<char*>(values.data()), static_cast<std::streamsize>(values.size() * sizeof(T)));
  return values;
}

void extract(char** arguments) {
  std::vector<std::string> errors;
  const auto settings = read_settings<features::FeatureSettings>(parse_json_file(arguments[1]), errors);
  if (!errors.empty()) throw ConfigError(join(errors, "\n"));
  const int rate_hz = std::stoi(arguments[2]);
  const std::vector<float> samples = read_binary<float>(arguments[3]);
  std::vector<audio::Waveform> clips;
  std::size_t at = 0;
  for (const std::int64_t length : read_binary<std::int64_t>(arguments[4])) {
    const std::size_t end = at + static_cast<std::size_t>(length);
    if (end > samples.size()) throw DataError(cat(arguments[3], ": shorter than ", arguments[4], " says"));
    clips.push_back({{samples.begin() + static_cast<std::ptrdiff_t>(at),
                      samples.begin() + static_cast<std::ptrdiff_t>(end)},
                     rate_hz});
    at = end;
  }
  const Context context;
  features::Extractor extractor(settings, rate_hz, context);
  std::ofstream out(arguments[5], std::ios::binary);
  JsonValue rows = JsonValue::list();
  const double started_s = monotonic_s();
  const std::vector<features::FeatureMatrix> matrices = extractor.run(clips);
  const double seconds = monotonic_s() - started_s;
  for (const features::FeatureMatrix& matrix : matrices) {
    out.write(reinterpret_cast<const char*>(matrix.values.data()),
              static_cast<std::streamsize>(matrix.values.size() * sizeof(float)));
    rows.items.push_back(JsonValue::of(matrix.frames));
  }
  if (!out.flush()) throw DiskError(cat(arguments[5], ": cannot be written"));
  JsonValue answer = JsonValue::object();
  answer.set("dimension", JsonValue::of(extractor.dimension()));
  answer.set("rows", std::move(rows));
  answer.set("names", JsonValue::of(extractor.names()));
  answer.set("seconds", JsonValue::of(seconds));
  std::cout << write_json(answer) << "\n";
}

}  // namespace
}  // namespace serval

int main(int count, char** arguments) {
  if (count != 6) {
    std::cerr << "serval_reference_extract SETTINGS.json RATE_HZ CLIPS.f32 LENGTHS.i64 OUT.f32\n";
    return 2;
  }
  try {
    serval::extract(arguments);
    return 0;
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
}
