// A file in a store's folder. The seal decides before HDF5 parses anything, so nothing here may get past it but by its sum.
#include "serval/store/housekeeping.h"
#include "serval/store/seal.h"

#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace serval;
  const std::filesystem::path folder = fuzz::scratch() / "store";
  std::filesystem::create_directories(folder);
  const std::string name = "store/features-0123456789abcdef0123456789abcdef.h5";
  const std::string path = fuzz::file_of(name, fuzz::text_of(data, size));
  fuzz::survives([&] {
    const store::Seal seal = store::read_seal(path);
    fuzz::need(seal.bytes == static_cast<std::int64_t>(size), "a seal tells the file's size");
  });
  fuzz::survives([&] { (void)store::read_note(path); });
  const bool whole = fuzz::survives([&] { (void)store::verify_seal(path); });
  if (whole) return 0;  // a seed, or its like: HDF5 itself is not what is tested
  fuzz::survives([&] { (void)store::list_stores(folder); });
  fuzz::survives([&] { (void)store::verify_stores(folder); });
  return 0;
}
