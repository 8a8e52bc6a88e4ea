// External features as NumPy arrays: one array a recording, or one of all with ids beside it.
#include <algorithm>
#include <array>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>

#include "serval/core/csv.h"
#include "serval/core/error.h"
#include "serval/core/files.h"
#include "serval/core/interrupt.h"
#include "serval/core/text.h"

#include "external_source.h"
#include "npy.h"
#include "zip.h"

namespace serval::store {
namespace fs = std::filesystem;

namespace {

void require_numbers(const NpyHeader& header, const std::string& place) {
  if (header.kind == NpyHeader::Kind::kUnicode || header.kind == NpyHeader::Kind::kBytes)
    throw DataError(cat(place, ": holds texts (\"", header.descr, "\"), not numbers"));
}

// A [rows, columns] array whose file has columns one after another.
void transpose_into(std::span<const float> in, std::int64_t rows, std::span<float> out) {
  const std::size_t row_count = static_cast<std::size_t>(rows), columns = in.size() / row_count;
  for (std::size_t column = 0; column < columns; ++column) {
    for (std::size_t row = 0; row < row_count; ++row)
      out[row * columns + column] = in[column * row_count + row];
  }
}

// A place where an array lies: a file, or a member of an archive.
using OpenArray = std::function<std::unique_ptr<ByteSource>()>;

OpenArray array_in_file(const fs::path& path) {
  return [path] { return std::make_unique<FileBytes>(path); };
}

std::string without_npy(const std::string& name) { return name.substr(0, name.size() - 4); }
bool is_npy(const std::string& name) { return name.size() > 4 && name.ends_with(".npy"); }

// The arrays of an archive, by their names.
std::vector<std::pair<std::string, ZipMember>> arrays_of(const fs::path& archive) {
  std::vector<std::pair<std::string, ZipMember>> out;
  for (ZipMember& member : list_zip(archive)) {
    if (is_npy(member.name)) out.emplace_back(without_npy(member.name), std::move(member));
  }
  return out;
}

OpenArray array_in_archive(const fs::path& archive, const ZipMember& member) {
  return [archive, member] { return open_zip_member(archive, member); };
}

// Arrays named after recordings. Headers are read at once, values when asked for.
class NamedArrays : public ExternalSource {
 public:
  NamedArrays() { layout_ = features::ExternalLayout::kFiles; }

  void add_folder(const fs::path& folder) {
    std::error_code error;
    fs::recursive_directory_iterator entries(folder, error);
    for (; !error && entries != fs::recursive_directory_iterator(); entries.increment(error)) {
      const fs::path& path = entries->path();
      if (path.filename().string().front() == '.') {
        if (entries->is_directory()) entries.disable_recursion_pending();
      } else if (entries->is_regular_file() && (path.extension() == ".npy" || path.extension() == ".npz")) {
        files_.emplace_back(path.lexically_relative(folder).generic_string(), path);
      }
    }
    if (error) throw ConfigError(cat(folder.string(), ": cannot be listed: ", error.message()));
    if (files_.empty()) throw DataError(cat(folder.string(), ": holds no .npy file"));
    std::sort(files_.begin(), files_.end());
    for (const auto& [name, path] : files_) {
      check_interrupted();
      if (path.extension() == ".npy") {
        add(without_npy(name), path.string(), array_in_file(path));
      } else {
        add_archive_of_one(name, path);
      }
    }
  }

  void add_archive(const fs::path& archive) {
    files_.emplace_back("archive", archive);
    for (const auto& [name, member] : arrays_of(archive))
      add(name, cat(archive.string(), ": \"", name, "\""), array_in_archive(archive, member));
    if (items_.empty()) throw DataError(cat(archive.string(), ": holds no array"));
  }

  void read(std::size_t item, std::span<float> out) override {
    const std::unique_ptr<ByteSource> bytes = arrays_[item]();
    const NpyHeader header = read_npy_header(*bytes, items_[item].place);
    SERVAL_CHECK(header.values == static_cast<std::int64_t>(out.size()), items_[item].place, " has changed");
    if (!header.fortran || header.shape.size() < 2) return read_npy_floats(*bytes, header, 0, out);
    std::vector<float> columns(out.size());
    read_npy_floats(*bytes, header, 0, columns);
    transpose_into(columns, header.shape[0], out);
  }

 private:
  void add(const std::string& name, const std::string& place, OpenArray open) {
    ExternalItem& item = items_.emplace_back();
    item.name = name;
    item.place = place;
    try {
      const std::unique_ptr<ByteSource> bytes = open();
      const NpyHeader header = read_npy_header(*bytes, place);
      require_numbers(header, place);
      set_item_shape(item, header.shape);
    } catch (const DataError& error) {
      item.problem = error.what();
    }
    arrays_.push_back(std::move(open));
  }

  void add_archive_of_one(const std::string& name, const fs::path& path) {
    ExternalItem item;
    item.name = without_npy(name);
    item.place = path.string();
    try {
      const auto arrays = arrays_of(path);
      if (arrays.size() == 1) return add(item.name, item.place, array_in_archive(path, arrays[0].second));
      item.problem = cat(item.place, " holds ", arrays.size(), " arrays; in a folder, one a file");
    } catch (const DataError& error) {
      item.problem = error.what();
    }
    items_.push_back(std::move(item));
    arrays_.emplace_back();
  }

  std::vector<OpenArray> arrays_;
};

std::vector<std::string> read_id_lines(const fs::path& path) {
  std::vector<std::string> ids;
  const std::string text = read_text(path);
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    ids.push_back(trimmed(std::string_view(text).substr(at, end - at)));
    at = end + 1;
  }
  while (!ids.empty() && ids.back().empty()) ids.pop_back();
  return ids;
}

std::vector<std::string> read_ids(const fs::path& path) {
  if (path.extension() == ".txt") return read_id_lines(path);
  if (path.extension() == ".npy") {
    FileBytes bytes(path);
    return read_npy_texts(bytes, read_npy_header(bytes, path.string()), path.string());
  }
  std::vector<std::string> ids;
  for (const CsvRow& row : parse_csv(read_text(path), path.string()).rows)
    ids.push_back(trimmed(row.fields[0]));
  return ids;
}

fs::path find_ids(const fs::path& folder) {
  std::vector<std::string> found;
  for (const char* name : {"ids.txt", "ids.npy", "ids.csv"}) {
    std::error_code ignored;
    if (fs::is_regular_file(folder / name, ignored)) found.push_back((folder / name).string());
  }
  if (found.size() > 1)
    throw DataError(cat("ids are there twice: ", join(found, " and "), "; keep one of them"));
  return found.empty() ? fs::path() : fs::path(found.front());
}

// One array whose rows are those of all items, and who the items are.
class RowsOfArray : public ExternalSource {
 public:
  RowsOfArray(std::unique_ptr<ByteSource> bytes, const std::string& place, features::ExternalLayout layout)
      : place_(place), bytes_(std::move(bytes)), header_(read_npy_header(*bytes_, place)) {
    layout_ = layout;
    require_numbers(header_, place_);
  }
  void add_file(const std::string& name, const fs::path& path) { files_.emplace_back(name, path); }

  // [items, dimension] or [items, time, dimension]
  void add_items(const std::vector<std::string>& ids, const std::string& ids_place) {
    const std::vector<std::int64_t>& shape = header_.shape;
    if (shape.size() != 2 && shape.size() != 3) {
      throw DataError(cat(place_, ": has the shape ", shape_text(shape),
                          "; must be [items, dimension] or [items, time, dimension]"));
    }
    if (header_.fortran && shape.size() == 3)
      throw DataError(cat(place_, ": is in Fortran order; save numpy.ascontiguousarray of it"));
    check_ids(ids, shape[0], ids_place, place_);
    for (std::size_t i = 0; i < ids.size(); ++i)
      add(ids[i], std::span(shape).subspan(1), static_cast<std::int64_t>(i) * (header_.values / shape[0]));
  }

  // [rows, dimension]
  void add_items(const std::vector<std::string>& ids, const std::string& ids_place,
                 const std::vector<std::int64_t>& offsets, const std::string& offsets_place) {
    const std::vector<std::int64_t>& shape = header_.shape;
    if (shape.size() != 2)
      throw DataError(cat(place_, ": has the shape ", shape_text(shape), "; must be [rows, dimension]"));
    check_offsets(offsets, shape[0], offsets_place);
    check_ids(ids, static_cast<std::int64_t>(offsets.size()) - 1, ids_place, offsets_place);
    for (std::size_t i = 0; i < ids.size(); ++i) {
      const std::array<std::int64_t, 2> own = {offsets[i + 1] - offsets[i], shape[1]};
      add(ids[i], own, offsets[i] * shape[1]);
    }
  }

  void read(std::size_t item, std::span<float> out) override {
    if (!header_.fortran) return read_npy_floats(*bytes_, header_, begin_[item], out);
    if (rows_.empty()) {
      std::vector<float> columns(static_cast<std::size_t>(header_.values));
      read_npy_floats(*bytes_, header_, 0, columns);
      rows_.resize(columns.size());
      transpose_into(columns, header_.shape[0], rows_);
    }
    std::copy_n(rows_.begin() + static_cast<std::ptrdiff_t>(begin_[item]), out.size(), out.begin());
  }

 private:
  void add(const std::string& id, std::span<const std::int64_t> shape, std::int64_t begin) {
    ExternalItem& item = items_.emplace_back();
    item.name = id;
    item.place = cat(place_, ", item ", items_.size() - 1);
    set_item_shape(item, shape);
    begin_.push_back(begin);
  }

  std::string place_;
  std::unique_ptr<ByteSource> bytes_;
  NpyHeader header_;
  std::vector<std::int64_t> begin_;  // of each item, in values
  std::vector<float> rows_;          // of an array in Fortran order, all at once
};

std::unique_ptr<ExternalSource> matrix_with_ids(const fs::path& array, const fs::path& ids_file) {
  auto source = std::make_unique<RowsOfArray>(std::make_unique<FileBytes>(array), array.string(),
                                              features::ExternalLayout::kMatrix);
  source->add_file("features", array);
  source->add_file("ids", ids_file);
  source->add_items(read_ids(ids_file), ids_file.string());
  return source;
}

std::optional<fs::path> find_matrix(const fs::path& folder) {
  for (const char* name : {"features.npy", "vectors.npy"}) {
    std::error_code ignored;
    if (fs::is_regular_file(folder / name, ignored)) return folder / name;
  }
  return std::nullopt;
}

constexpr const char* kIdsBeside =
    "ids.txt (an id a line), ids.npy (a list of texts) or ids.csv (first column)";

}  // namespace

std::unique_ptr<ExternalSource> open_external_npy(const features::ExternalSettings& settings) {
  const fs::path array = settings.path;
  const fs::path ids = find_ids(array.parent_path());
  if (ids.empty())
    throw DataError(cat(array.string(), ": who its rows are is not said; put beside it ", kIdsBeside));
  return matrix_with_ids(array, ids);
}

std::unique_ptr<ExternalSource> open_external_folder(const features::ExternalSettings& settings) {
  using features::ExternalLayout;
  const fs::path folder = settings.path;
  const auto one_a_recording = [&] {
    auto source = std::make_unique<NamedArrays>();
    source->add_folder(folder);
    return source;
  };
  if (settings.layout == ExternalLayout::kFiles) return one_a_recording();
  const std::optional<fs::path> matrix = find_matrix(folder);
  const fs::path ids = matrix ? find_ids(folder) : fs::path();
  if (matrix && !ids.empty()) return matrix_with_ids(*matrix, ids);
  if (settings.layout == ExternalLayout::kMatrix) {
    throw DataError(
        cat(folder.string(), ": a matrix needs features.npy or vectors.npy in it, and ", kIdsBeside));
  }
  return one_a_recording();
}

std::unique_ptr<ExternalSource> open_external_npz(const features::ExternalSettings& settings) {
  using features::ExternalLayout;
  const fs::path archive = settings.path;
  std::map<std::string, ZipMember> arrays;
  for (auto& [name, member] : arrays_of(archive)) {
    if (!arrays.emplace(name, std::move(member)).second)
      throw DataError(cat(archive.string(), ": holds \"", name, "\" twice"));
  }
  ExternalLayout layout = settings.layout;
  if (layout == ExternalLayout::kAuto) {
    layout = arrays.count("ids") == 0       ? ExternalLayout::kFiles
             : arrays.count("offsets") != 0 ? ExternalLayout::kRagged
                                            : ExternalLayout::kMatrix;
  }
  if (layout == ExternalLayout::kFiles) {
    auto source = std::make_unique<NamedArrays>();
    source->add_archive(archive);
    return source;
  }
  const auto place = [&](const char* name) { return cat(archive.string(), ": \"", name, "\""); };
  const auto open = [&](const char* name) {
    const auto found = arrays.find(name);
    if (found == arrays.end()) throw DataError(cat(place(name), " is missing, which this layout needs"));
    return open_zip_member(archive, found->second);
  };
  const std::unique_ptr<ByteSource> ids_bytes = open("ids");
  const std::vector<std::string> ids =
      read_npy_texts(*ids_bytes, read_npy_header(*ids_bytes, place("ids")), place("ids"));
  const char* const values = layout == ExternalLayout::kRagged ? "data" : "features";
  auto source = std::make_unique<RowsOfArray>(open(values), place(values), layout);
  source->add_file("archive", archive);
  if (layout == ExternalLayout::kMatrix) {
    source->add_items(ids, place("ids"));
    return source;
  }
  const std::unique_ptr<ByteSource> bytes = open("offsets");
  source->add_items(ids, place("ids"),
                    read_npy_integers(*bytes, read_npy_header(*bytes, place("offsets")), place("offsets")),
                    place("offsets"));
  return source;
}

}  // namespace serval::store
