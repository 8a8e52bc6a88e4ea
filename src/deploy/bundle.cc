#include "serval/deploy/bundle.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <sstream>

#include "serval/core/error.h"
#include "serval/core/files.h"
#include "serval/core/sha256.h"

#include "bundle_json.h"
#include "member_file.h"

namespace serval::deploy {
namespace fs = std::filesystem;

namespace {

constexpr const char* kSums = "SHA256SUMS";
constexpr std::size_t kDigits = 64;
constexpr std::uintmax_t kLargestText = std::uintmax_t{64} << 20;  // of bundle.json and the sums

// A path below the bundle, and none that leads out of it.
bool plain_path(const std::string& name) {
  const fs::path path(name);
  if (name.empty() || path.is_absolute()) return false;
  return std::none_of(path.begin(), path.end(),
                      [](const fs::path& part) { return part == ".." || part == "."; });
}

std::string read_small(const fs::path& path) {
  std::error_code error;
  const std::uintmax_t size = fs::file_size(path, error);
  if (error) throw DataError(cat(path.string(), ": cannot be read"));
  if (size > kLargestText)
    throw DataError(cat(path.string(), ": has ", size, " bytes, which no bundle needs"));
  return read_text(path);
}

// Every file but the sums, with its content.
using Files = std::vector<std::pair<std::string, std::string>>;

std::string sums_of(const Files& files) {
  std::string out;
  for (const auto& [name, content] : files) out += sha256(content) + "  " + name + "\n";
  return out;
}

// The files that the sums name; each was read and is as it was written.
std::set<std::string> verified_files(const fs::path& folder) {
  if (!fs::is_directory(folder)) throw DataError(cat(folder.string(), ": there is no such folder"));
  if (!fs::exists(folder / kSums))
    throw DataError(
        cat(folder.string(), ": holds no ", kSums, ", so it is no bundle, or one that is cut short"));
  std::set<std::string> out;
  std::istringstream lines(read_small(folder / kSums));
  for (std::string line; std::getline(lines, line);) {
    const std::string name = line.size() > kDigits + 2 ? line.substr(kDigits + 2) : "";
    if (!plain_path(name)) throw DataError(cat((folder / kSums).string(), ": \"", line, "\" names no file"));
    if (!fs::is_regular_file(folder / name)) throw DataError(cat((folder / name).string(), ": is missing"));
    if (sha256_file(folder / name) != line.substr(0, kDigits)) {
      throw DataError(cat((folder / name).string(),
                          ": its SHA-256 is not the one in SHA256SUMS: the file is damaged, or was changed"));
    }
    out.insert(name);
  }
  return out;
}

void check_weights(const Bundle& bundle, const BundleMember& member) {
  for (const auto& [name, input] : bundle.model(member.model).inputs) {
    const std::size_t columns = member.array("input/" + name + "/mean").values.size();
    if (member.array("input/" + name + "/scale").values.size() != columns)
      throw DataError(
          cat(member.file, ": input/", name, " has a mean of ", columns, " columns and another scale"));
  }
}

}  // namespace

const NamedArray& BundleMember::array(const std::string& name) const {
  for (const NamedArray& own : arrays) {
    if (own.name == name) return own;
  }
  throw DataError(cat(file, ": has no \"", name, "\""));
}

const BundleModel& Bundle::model(const std::string& model_name) const {
  for (const auto& [own, model] : models) {
    if (own == model_name) return model;
  }
  throw DataError(cat("bundle ", name, ": there is no model \"", model_name, "\""));
}

void write_bundle(const std::string& folder, const Bundle& bundle, const Files& more) {
  fs::path wanted = fs::absolute(folder).lexically_normal();
  if (wanted.filename().empty()) wanted = wanted.parent_path();
  if (fs::exists(wanted))
    throw ConfigError(cat(folder, ": is there already; choose another place with --out"));
  Files files;
  for (const BundleMember& member : bundle.members) {
    files.emplace_back(member.file, member_bytes(member, bundle.weights));
  }
  files.emplace_back("bundle.json", write_json(bundle_json(bundle)));
  files.insert(files.end(), more.begin(), more.end());
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

Bundle read_bundle(const std::string& folder) {
  const fs::path root(folder);
  const std::set<std::string> files = verified_files(root);
  const std::string path = (root / "bundle.json").string();
  if (files.count("bundle.json") == 0) throw DataError(cat(path, ": is not in SHA256SUMS"));
  Bundle out;
  try {
    out = bundle_of(parse_json(read_small(path), path));
  } catch (const ConfigError& error) {
    throw DataError(error.what());
  }
  for (BundleMember& member : out.members) {
    if (files.count(member.file) == 0)
      throw DataError(cat((root / member.file).string(), ": is not in SHA256SUMS"));
    read_member_file(root / member.file, member);
    check_weights(out, member);
  }
  return out;
}

}  // namespace serval::deploy
