// Weights from anywhere: a safetensors file.
#include "serval/core/safetensors.h"

#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace serval;
  const std::string path = fuzz::file_of("w.safetensors", fuzz::text_of(data, size));
  fuzz::survives([&] {
    const SafetensorsFile file(path);
    for (const std::string& name : file.names()) {
      std::size_t values = 0;
      fuzz::survives([&] { values = file.read_floats(name).size(); });
      fuzz::survives([&] { values = file.read_doubles(name).size(); });
      fuzz::survives([&] { values = file.read_integers(name).size(); });
      fuzz::need(values <= size, "no array is larger than the file");
    }
    fuzz::survives([&] { (void)file.text_list(kTrainedOnActors); });
  });
  return 0;
}
