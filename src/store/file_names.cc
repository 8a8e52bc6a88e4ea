#include "file_names.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <system_error>

#include "serval/core/error.h"

namespace serval::store {
namespace fs = std::filesystem;

namespace {

constexpr std::size_t kHashDigits = 32;
constexpr std::size_t kMostNumberDigits = 7;

bool all_of(const std::string& text, const char* characters) {
  return text.find_first_not_of(characters) == std::string::npos;
}

}  // namespace

fs::path part_path(const fs::path& folder, const StoreKey& key, int number) {
  if (number == kWhole) return store_path(folder, key);
  std::array<char, 16> digits{};
  std::snprintf(digits.data(), digits.size(), "%03d", number);
  return folder / cat(to_string(key.kind), "-", key.hash, ".", digits.data(), ".h5");
}

std::optional<StoreFile> parse_store_file(const fs::path& path) {
  StoreFile out;
  out.path = path;
  std::string name = path.filename().string();
  if (const std::size_t at = name.find(".h5.tmp-"); at != std::string::npos) {
    out.temporary = true;
    name.resize(at + 3);
  }
  bool known = false;
  for (const StoreKind kind : {StoreKind::kAudio, StoreKind::kFeatures}) {
    const std::string start = cat(to_string(kind), "-");
    if (name.rfind(start, 0) != 0) continue;
    out.key.kind = kind;
    name.erase(0, start.size());
    known = true;
    break;
  }
  if (!known || name.size() < kHashDigits + 3 || name.substr(name.size() - 3) != ".h5") return std::nullopt;
  name.resize(name.size() - 3);
  out.key.hash = name.substr(0, kHashDigits);
  const std::string number = name.substr(kHashDigits);
  if (!all_of(out.key.hash, "0123456789abcdef")) return std::nullopt;
  if (!number.empty()) {
    if (number.size() < 4 || number.size() > 1 + kMostNumberDigits || number[0] != '.' ||
        !all_of(number.substr(1), "0123456789")) {
      return std::nullopt;
    }
    out.number = std::stoi(number.substr(1));
    if (part_path(path.parent_path(), out.key, out.number).filename().string() !=
        cat(to_string(out.key.kind), "-", name, ".h5")) {
      return std::nullopt;  // ".0007" is nobody's number
    }
  }
  return out;
}

std::vector<StoreFile> list_store_files(const fs::path& folder) {
  std::vector<StoreFile> out;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    if (std::optional<StoreFile> file = parse_store_file(entry->path())) out.push_back(std::move(*file));
  }
  if (error) {
    throw ConfigError(cat(folder.string(), ": cannot be listed: ", error.message(),
                          "; name the folder that an experiment's \"store\" names"));
  }
  std::sort(out.begin(), out.end(), [](const StoreFile& a, const StoreFile& b) { return a.path < b.path; });
  return out;
}

}  // namespace serval::store
