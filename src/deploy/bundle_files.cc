#include "bundle_files.h"

#include <algorithm>
#include <filesystem>
#include <sstream>

#include "serval/core/error.h"
#include "serval/core/files.h"
#include "serval/core/sha256.h"

#include "archive.h"

namespace serval::deploy {
namespace fs = std::filesystem;

namespace {

constexpr std::size_t kDigits = 64;
constexpr std::uintmax_t kLargestSums = std::uintmax_t{64} << 20;

std::string sums_of(const NamedFiles& files) {
  std::string out;
  for (const auto& [name, content] : files) out += sha256(content) + "  " + name + "\n";
  return out;
}

struct Sum {
  std::string digits, name;
};
std::vector<Sum> parse_sums(const std::string& text, const std::string& place) {
  std::vector<Sum> out;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const std::string name = line.size() > kDigits + 2 ? line.substr(kDigits + 2) : "";
    if (!plain_path(name)) throw DataError(cat(place, ": \"", line, "\" names no file"));
    out.push_back({line.substr(0, kDigits), name});
  }
  return out;
}

std::string read_sums(const fs::path& folder) {
  if (!fs::exists(folder / kSums))
    throw DataError(
        cat(folder.string(), ": holds no ", kSums, ", so it is no bundle, or one that is cut short"));
  std::error_code error;
  const std::uintmax_t size = fs::file_size(folder / kSums, error);
  if (error || size > kLargestSums) throw DataError(cat((folder / kSums).string(), ": is no list of sums"));
  return read_text(folder / kSums);
}

}  // namespace

bool plain_path(const std::string& name) {
  const fs::path path(name);
  if (name.empty() || path.is_absolute() || name.find('\0') != std::string::npos) return false;
  return std::none_of(path.begin(), path.end(),
                      [](const fs::path& part) { return part == ".." || part == "." || part.empty(); });
}

BundleFiles::BundleFiles(std::string path) : path_(std::move(path)) {
  const fs::path root(path_);
  std::error_code ignored;
  const bool one_file = fs::is_regular_file(root, ignored);
  if (!one_file && !fs::is_directory(root, ignored))
    throw DataError(cat(path_, ": there is no such folder or file"));
  std::map<std::string, std::string> there;
  if (one_file) there = read_archive(path_);
  std::string sums;
  if (!one_file) {
    sums = read_sums(root);
  } else if (const auto found = there.find(kSums); found != there.end()) {
    sums = found->second;
  } else {
    throw DataError(cat(path_, ": holds no ", kSums, ", so it is no bundle"));
  }
  for (const Sum& sum : parse_sums(sums, place(kSums))) {
    std::string content;
    if (one_file) {
      const auto found = there.find(sum.name);
      if (found == there.end()) throw DataError(cat(place(sum.name), ": is missing"));
      content = std::move(found->second);
      there.erase(found);
    } else {
      if (!fs::is_regular_file(root / sum.name)) throw DataError(cat(place(sum.name), ": is missing"));
      content = read_text(root / sum.name);
    }
    if (sha256(content) != sum.digits) {
      throw DataError(cat(place(sum.name),
                          ": its SHA-256 is not the one in SHA256SUMS: the file is damaged, or was changed"));
    }
    files_[sum.name] = std::move(content);
  }
}

std::string BundleFiles::place(const std::string& name) const { return path_ + "/" + name; }

std::string BundleFiles::take(const std::string& name) {
  const auto found = files_.find(name);
  if (found == files_.end()) throw DataError(cat(place(name), ": is not in SHA256SUMS"));
  return std::move(found->second);
}

void write_bundle_files(const std::string& path, const NamedFiles& files) {
  fs::path wanted = fs::absolute(path).lexically_normal();
  if (wanted.filename().empty()) wanted = wanted.parent_path();
  if (fs::exists(wanted)) throw ConfigError(cat(path, ": is there already; choose another place with --out"));
  if (wanted.extension() == kOneFileEnding) {
    NamedFiles all = {{kSums, sums_of(files)}};
    all.insert(all.end(), files.begin(), files.end());
    write_atomically(wanted, archive_bytes(all));
    return;
  }
  const TemporaryFile temporary(wanted);
  make_folder(temporary.path());
  try {
    for (const auto& [name, content] : files) {
      make_folder((temporary.path() / name).parent_path());
      write_atomically(temporary.path() / name, content);
    }
    write_atomically(temporary.path() / kSums, sums_of(files));
    temporary.publish();
  } catch (...) {
    std::error_code ignored;
    fs::remove_all(temporary.path(), ignored);
    throw;
  }
}

}  // namespace serval::deploy
