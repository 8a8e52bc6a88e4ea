// External features as NumPy arrays: one file a recording, or one array with ids beside it.
#include <algorithm>
#include <filesystem>
#include <optional>

#include "serval/core/csv.h"
#include "serval/core/error.h"
#include "serval/core/files.h"
#include "serval/core/interrupt.h"
#include "serval/core/text.h"

#include "external_source.h"
#include "npy.h"

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

// Arrays named after recordings. Headers are read at once, values when asked for.
class NpyFiles : public ExternalSource {
 public:
  explicit NpyFiles(const fs::path& folder) {
    layout_ = features::ExternalLayout::kFiles;
    std::error_code error;
    fs::recursive_directory_iterator entries(folder, error);
    for (; !error && entries != fs::recursive_directory_iterator(); entries.increment(error)) {
      if (entries->path().filename().string().front() == '.') {
        if (entries->is_directory()) entries.disable_recursion_pending();
      } else if (entries->is_regular_file() && entries->path().extension() == ".npy") {
        files_.emplace_back(entries->path().lexically_relative(folder).generic_string(), entries->path());
      }
    }
    if (error) throw ConfigError(cat(folder.string(), ": cannot be listed: ", error.message()));
    if (files_.empty()) throw DataError(cat(folder.string(), ": holds no .npy file"));
    std::sort(files_.begin(), files_.end());
    for (const auto& [name, path] : files_) items_.push_back(look(name, path));
  }

  void read(std::size_t item, std::span<float> out) override {
    FileBytes bytes(files_[item].second);
    const NpyHeader header = read_npy_header(bytes, items_[item].place);
    SERVAL_CHECK(header.values == static_cast<std::int64_t>(out.size()), items_[item].place, " has changed");
    if (!header.fortran || header.shape.size() < 2) return read_npy_floats(bytes, header, 0, out);
    std::vector<float> columns(out.size());
    read_npy_floats(bytes, header, 0, columns);
    transpose_into(columns, header.shape[0], out);
  }

 private:
  static ExternalItem look(const std::string& name, const fs::path& path) {
    check_interrupted();
    ExternalItem item;
    item.name = name.substr(0, name.size() - 4);
    item.place = path.string();
    try {
      FileBytes bytes(path);
      const NpyHeader header = read_npy_header(bytes, item.place);
      require_numbers(header, item.place);
      set_item_shape(item, header.shape);
    } catch (const DataError& error) {
      item.problem = error.what();
    }
    return item;
  }
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

// One array [items, dimension] or [items, time, dimension], and who the items are.
class NpyMatrix : public ExternalSource {
 public:
  NpyMatrix(const fs::path& array, const fs::path& ids_file)
      : place_(array.string()), bytes_(array), header_(read_npy_header(bytes_, place_)) {
    layout_ = features::ExternalLayout::kMatrix;
    files_ = {{"features", array}, {"ids", ids_file}};
    require_numbers(header_, place_);
    const std::vector<std::int64_t>& shape = header_.shape;
    if (shape.size() != 2 && shape.size() != 3) {
      throw DataError(cat(place_, ": has the shape ", shape_text(shape),
                          "; must be [items, dimension] or [items, time, dimension]"));
    }
    if (header_.fortran && shape.size() == 3)
      throw DataError(cat(place_, ": is in Fortran order; save numpy.ascontiguousarray of it"));
    const std::vector<std::string> ids = read_ids(ids_file);
    check_ids(ids, shape[0], ids_file.string(), place_);
    for (const std::string& id : ids) {
      ExternalItem& item = items_.emplace_back();
      item.name = id;
      item.place = cat(place_, ", item ", items_.size() - 1);
      set_item_shape(item, std::span(shape).subspan(1));
    }
  }

  void read(std::size_t item, std::span<float> out) override {
    if (!header_.fortran) {
      return read_npy_floats(bytes_, header_, static_cast<std::int64_t>(item * out.size()), out);
    }
    if (rows_.empty()) {
      std::vector<float> columns(static_cast<std::size_t>(header_.values));
      read_npy_floats(bytes_, header_, 0, columns);
      rows_.resize(columns.size());
      transpose_into(columns, header_.shape[0], rows_);
    }
    std::copy_n(rows_.begin() + static_cast<std::ptrdiff_t>(item * out.size()), out.size(), out.begin());
  }

 private:
  std::string place_;
  FileBytes bytes_;
  NpyHeader header_;
  std::vector<float> rows_;  // of an array in Fortran order, all at once
};

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
  return std::make_unique<NpyMatrix>(array, ids);
}

std::unique_ptr<ExternalSource> open_external_folder(const features::ExternalSettings& settings) {
  using features::ExternalLayout;
  const fs::path folder = settings.path;
  if (settings.layout == ExternalLayout::kFiles) return std::make_unique<NpyFiles>(folder);
  const std::optional<fs::path> matrix = find_matrix(folder);
  const fs::path ids = matrix ? find_ids(folder) : fs::path();
  if (matrix && !ids.empty()) return std::make_unique<NpyMatrix>(*matrix, ids);
  if (settings.layout == ExternalLayout::kMatrix) {
    throw DataError(
        cat(folder.string(), ": a matrix needs features.npy or vectors.npy in it, and ", kIdsBeside));
  }
  return std::make_unique<NpyFiles>(folder);
}

}  // namespace serval::store
