#include "serval/deploy/bundle.h"

#include <filesystem>

#include "serval/core/error.h"

#include "bundle_files.h"
#include "bundle_json.h"
#include "member_file.h"

namespace serval::deploy {

namespace {

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

std::string file_of_member(const std::string& out, const Bundle& bundle, std::size_t member) {
  if (bundle.members.size() == 1) return out;
  std::filesystem::path file = out;
  const std::string ending = file.extension().string();
  const std::string name = std::filesystem::path(bundle.members[member].file).stem().string();
  return file.replace_extension("." + name + ending).string();
}

const BundleModel& Bundle::model(const std::string& model_name) const {
  for (const auto& [own, model] : models) {
    if (own == model_name) return model;
  }
  throw DataError(cat("bundle ", name, ": there is no model \"", model_name, "\""));
}

void write_bundle(const std::string& path, const Bundle& bundle, const NamedFiles& more) {
  NamedFiles files;
  for (const BundleMember& member : bundle.members)
    files.emplace_back(member.file, member_bytes(member, bundle.weights));
  for (const BundleGroup& group : bundle.groups) {
    if (group.stacking)
      files.emplace_back(group.stacking->file, member_bytes(*group.stacking, WeightForm::kFloat32));
  }
  files.emplace_back("bundle.json", write_json(bundle_json(bundle)));
  files.insert(files.end(), more.begin(), more.end());
  write_bundle_files(path, files);
}

Bundle read_bundle(const std::string& path) {
  BundleFiles files(path);
  Bundle out;
  try {
    out = bundle_of(parse_json(files.take("bundle.json"), files.place("bundle.json")));
  } catch (const ConfigError& error) {
    throw DataError(error.what());
  }
  const auto read = [&files](BundleMember& member) {
    read_member_file(SafetensorsFile(files.place(member.file), files.take(member.file)), member);
  };
  for (BundleMember& member : out.members) {
    read(member);
    check_weights(out, member);
  }
  for (BundleGroup& group : out.groups) {
    if (group.stacking) read(*group.stacking);
  }
  return out;
}

}  // namespace serval::deploy
