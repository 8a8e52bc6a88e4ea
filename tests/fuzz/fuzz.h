// What every fuzz target does with its input: calls Serval, and takes a typed error for an answer. Everything else, an
// InternalError above all, stops the target, which libFuzzer reports with the input.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <unistd.h>

#include "serval/core/error.h"
#include "serval/core/log.h"

namespace serval::fuzz {

// A folder of this process, in memory where there is such a place.
inline const std::filesystem::path& scratch() {
  static const std::filesystem::path folder = [] {
    std::error_code ignored;
    const bool memory = std::filesystem::is_directory("/dev/shm", ignored);
    const std::filesystem::path out =
        (memory ? std::filesystem::path("/dev/shm") : std::filesystem::temp_directory_path()) /
        ("serval-fuzz-" + std::to_string(::getpid()));
    std::filesystem::create_directories(out);
    std::atexit([] {
      std::error_code gone;
      std::filesystem::remove_all(scratch(), gone);
    });
    return out;
  }();
  return folder;
}

inline std::string file_of(const std::string& name, const std::string& bytes) {
  const std::filesystem::path path = scratch() / name;
  std::ofstream(path, std::ios::binary | std::ios::trunc)
      .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  return path.string();
}

// Whether it ended well; false: with an error that a user may see.
template <class F>
bool survives(F call) {
  try {
    call();
    return true;
  } catch (const InternalError& error) {
    std::fprintf(stderr, "InternalError: %s\n", error.what());
    std::abort();
  } catch (const Error&) {
    return false;
  }
}

inline void need(bool truth, const char* what) {
  if (truth) return;
  std::fprintf(stderr, "not so: %s\n", what);
  std::abort();
}

inline std::string text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

}  // namespace serval::fuzz

extern "C" inline int LLVMFuzzerInitialize(int*, char***) {
  serval::set_quiet(true);
  return 0;
}
