#include "serval/store/hdf5.h"

#include <array>
#include <utility>

#include "serval/core/error.h"

#include "hdf5_driver.h"
#include "hdf5_handle.h"

namespace serval::store {
namespace fs = std::filesystem;

namespace {

struct Types {
  hid_t file;    // as stored: little-endian everywhere
  hid_t memory;  // as this machine has it
};

Types types_of(Element element) {
  switch (element) {
    case Element::kFloat32:
      return {H5T_IEEE_F32LE, H5T_NATIVE_FLOAT};
    case Element::kFloat64:
      return {H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE};
    case Element::kInt16:
      return {H5T_STD_I16LE, H5T_NATIVE_INT16};
    case Element::kInt64:
      return {H5T_STD_I64LE, H5T_NATIVE_INT64};
  }
  throw InternalError("an unknown element type");
}

template <class T>
constexpr Element element_of();
template <>
constexpr Element element_of<float>() {
  return Element::kFloat32;
}
template <>
constexpr Element element_of<double>() {
  return Element::kFloat64;
}
template <>
constexpr Element element_of<std::int16_t>() {
  return Element::kInt16;
}
template <>
constexpr Element element_of<std::int64_t>() {
  return Element::kInt64;
}

Handle file_access(int* error) {
  Handle access(plain_file_access(error), H5Pclose);
  // The format of HDF5 1.8: every version in use reads it, and attributes may be larger than 64 KiB.
  H5Pset_libver_bounds(access.get(), H5F_LIBVER_V18, H5F_LIBVER_V18);
  return access;
}

// HDF5 would convert between types without a word.
void require_type(const FileUse& use, const std::string& name, const Handle& dataset, Element element) {
  const Handle type(H5Dget_type(dataset.get()), H5Tclose);
  if (H5Tequal(type.get(), types_of(element).file) > 0) return;
  throw DataError(cat(use.path.string(), ": \"", name, "\" does not hold ", to_string(element), " values"));
}

std::vector<hsize_t> extent(const FileUse& use, const std::string& name, const Handle& dataset) {
  const Handle space(use.checked(H5Dget_space(dataset.get()), "cannot read \"" + name + "\""), H5Sclose);
  const int rank = use.checked(H5Sget_simple_extent_ndims(space.get()), "cannot read \"" + name + "\"");
  std::vector<hsize_t> dims(static_cast<std::size_t>(rank));
  H5Sget_simple_extent_dims(space.get(), dims.data(), nullptr);
  return dims;
}

template <class T>
void write_values(const FileUse& use, const std::string& name, std::span<const T> values,
                  const Shape& shape) {
  SERVAL_CHECK(static_cast<std::int64_t>(values.size()) == shape.size(), values.size(), " values as ",
               to_string(shape));
  std::array<hsize_t, Shape::kMaxRank> dims{};
  for (int axis = 0; axis < shape.rank(); ++axis) {
    dims[static_cast<std::size_t>(axis)] = static_cast<hsize_t>(shape[axis]);
  }
  const Types types = types_of(element_of<T>());
  const Handle space(
      shape.rank() == 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple(shape.rank(), dims.data(), nullptr),
      H5Sclose);
  const Handle dataset = use.new_dataset(name, types.file, space.get(), dataset_creation().get());
  use.checked(H5Dwrite(dataset.get(), types.memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()),
              "cannot write \"" + name + "\"");
  use.check_disk();
}

template <class T>
std::vector<T> read_values(const FileUse& use, const std::string& name) {
  const Handle dataset = use.dataset(name);
  require_type(use, name, dataset, element_of<T>());
  hsize_t count = 1;
  for (const hsize_t dim : extent(use, name, dataset)) count *= dim;
  std::vector<T> values(count);
  use.checked(
      H5Dread(dataset.get(), types_of(element_of<T>()).memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()),
      "cannot read \"" + name + "\"");
  return values;
}

// The rows [first, first + count) of a dataset [rows, width], as HDF5 selects them.
struct RowSelection {
  Handle file_space;
  Handle memory_space;

  RowSelection(const Handle& dataset, hsize_t first, hsize_t count, hsize_t width)
      : file_space(H5Dget_space(dataset.get()), H5Sclose), memory_space(make_memory(count, width), H5Sclose) {
    const std::array<hsize_t, 2> start = {first, 0}, size = {count, width};
    H5Sselect_hyperslab(file_space.get(), H5S_SELECT_SET, start.data(), nullptr, size.data(), nullptr);
  }
  static hid_t make_memory(hsize_t count, hsize_t width) {
    const std::array<hsize_t, 2> size = {count, width};
    return H5Screate_simple(2, size.data(), nullptr);
  }
};

std::vector<hsize_t> row_extent(const FileUse& use, const std::string& name, const Handle& dataset) {
  std::vector<hsize_t> dims = extent(use, name, dataset);
  if (dims.size() != 2 || dims[1] == 0)
    throw DataError(cat(use.path.string(), ": \"", name, "\" does not hold rows"));
  return dims;
}

template <class T>
void append_values(const FileUse& use, const std::string& name, std::span<const T> values) {
  if (values.empty()) return;
  const Handle dataset = use.dataset(name);
  require_type(use, name, dataset, element_of<T>());
  std::vector<hsize_t> dims = row_extent(use, name, dataset);
  SERVAL_CHECK(values.size() % dims[1] == 0, values.size(), " values in rows of ", dims[1]);
  const hsize_t first = dims[0], count = values.size() / dims[1];
  dims[0] += count;
  const std::string what = "cannot write \"" + name + "\"";
  use.checked(H5Dset_extent(dataset.get(), dims.data()), what);
  const RowSelection rows(dataset, first, count, dims[1]);
  use.checked(H5Dwrite(dataset.get(), types_of(element_of<T>()).memory, rows.memory_space.get(),
                       rows.file_space.get(), H5P_DEFAULT, values.data()),
              what);
  use.check_disk();
}

template <class T>
void read_some(const FileUse& use, const std::string& name, std::int64_t first_row, std::span<T> out) {
  if (out.empty()) return;
  const Handle dataset = use.dataset(name);
  require_type(use, name, dataset, element_of<T>());
  const std::vector<hsize_t> dims = row_extent(use, name, dataset);
  const hsize_t count = out.size() / dims[1];
  SERVAL_CHECK(
      out.size() % dims[1] == 0 && first_row >= 0 && static_cast<hsize_t>(first_row) + count <= dims[0],
      out.size(), " values from row ", first_row, " of ", dims[0], " rows of ", dims[1]);
  const RowSelection rows(dataset, static_cast<hsize_t>(first_row), count, dims[1]);
  use.checked(H5Dread(dataset.get(), types_of(element_of<T>()).memory, rows.memory_space.get(),
                      rows.file_space.get(), H5P_DEFAULT, out.data()),
              "cannot read \"" + name + "\"");
}

}  // namespace

const char* to_string(Element element) {
  switch (element) {
    case Element::kFloat32:
      return "float32";
    case Element::kFloat64:
      return "float64";
    case Element::kInt16:
      return "int16";
    case Element::kInt64:
      return "int64";
  }
  return "?";
}

Hdf5File::Hdf5File(fs::path path) : path_(std::move(path)), error_(std::make_unique<int>(0)) {}

FileUse Hdf5File::use() const { return {path_, id_, *error_}; }

Hdf5File Hdf5File::create(const fs::path& path, std::int64_t user_block_bytes) {
  Hdf5File out(path);
  const FileUse use = out.use();
  const Handle creation(H5Pcreate(H5P_FILE_CREATE), H5Pclose);
  H5Pset_userblock(creation.get(), static_cast<hsize_t>(user_block_bytes));
  H5Pset_obj_track_times(creation.get(), false);
  const Handle access = file_access(out.error_.get());
  out.id_ =
      use.checked(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, creation.get(), access.get()), "cannot be created");
  use.check_disk();
  return out;
}

Hdf5File Hdf5File::open(const fs::path& path) {
  Hdf5File out(path);
  const FileUse use = out.use();
  const Handle access = file_access(out.error_.get());
  out.id_ = use.checked(H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.get()), "cannot be read");
  return out;
}

Hdf5File::Hdf5File(Hdf5File&& other) noexcept
    : path_(std::move(other.path_)), id_(std::exchange(other.id_, -1)), error_(std::move(other.error_)) {}

Hdf5File& Hdf5File::operator=(Hdf5File&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(id_, other.id_);
  std::swap(error_, other.error_);
  return *this;
}

Hdf5File::~Hdf5File() {
  if (id_ < 0) return;
  const Hdf5Lock lock;
  H5Fclose(id_);
}

void Hdf5File::close() {
  if (id_ < 0) return;
  const FileUse in = use();
  in.checked(H5Fclose(std::exchange(id_, -1)), "cannot be written");
  in.check_disk();
}

void Hdf5File::write(const std::string& name, std::span<const float> values, const Shape& shape) {
  write_values(use(), name, values, shape);
}
void Hdf5File::write(const std::string& name, std::span<const double> values, const Shape& shape) {
  write_values(use(), name, values, shape);
}
void Hdf5File::write(const std::string& name, std::span<const std::int64_t> values, const Shape& shape) {
  write_values(use(), name, values, shape);
}
std::vector<float> Hdf5File::read_floats(const std::string& name) const {
  return read_values<float>(use(), name);
}
std::vector<double> Hdf5File::read_doubles(const std::string& name) const {
  return read_values<double>(use(), name);
}
std::vector<std::int64_t> Hdf5File::read_int64s(const std::string& name) const {
  return read_values<std::int64_t>(use(), name);
}

Shape Hdf5File::shape(const std::string& name) const {
  const FileUse in = use();
  const std::vector<hsize_t> dims = extent(in, name, in.dataset(name));
  const auto dim = [&](std::size_t axis) { return static_cast<std::int64_t>(dims[axis]); };
  switch (dims.size()) {
    case 0:
      return Shape{};
    case 1:
      return Shape{dim(0)};
    case 2:
      return Shape{dim(0), dim(1)};
    case 3:
      return Shape{dim(0), dim(1), dim(2)};
    case 4:
      return Shape{dim(0), dim(1), dim(2), dim(3)};
    default:
      throw DataError(
          cat(path_.string(), ": \"", name, "\" has ", dims.size(), " axes; at most 4 are known"));
  }
}

bool Hdf5File::has(const std::string& name) const {
  const Hdf5Lock lock;
  // Every group on the way has to be asked for: a missing one is an error to HDF5, not a "no".
  for (std::size_t slash = name.find('/'); slash != std::string::npos; slash = name.find('/', slash + 1)) {
    if (slash > 0 && H5Lexists(id_, name.substr(0, slash).c_str(), H5P_DEFAULT) <= 0) return false;
  }
  return H5Lexists(id_, name.c_str(), H5P_DEFAULT) > 0;
}

void Hdf5File::create_rows(const std::string& name, Element element, std::int64_t width) {
  SERVAL_CHECK(width > 0, "rows of ", width);
  const FileUse in = use();
  const Types types = types_of(element);
  const auto row_bytes = static_cast<std::int64_t>(H5Tget_size(types.file)) * width;
  const hsize_t chunk_rows = static_cast<hsize_t>(row_bytes < kChunkBytes ? kChunkBytes / row_bytes : 1);
  const std::array<hsize_t, 2> none = {0, static_cast<hsize_t>(width)};
  const std::array<hsize_t, 2> most = {H5S_UNLIMITED, static_cast<hsize_t>(width)};
  const std::array<hsize_t, 2> chunk = {chunk_rows, static_cast<hsize_t>(width)};
  const Handle space(H5Screate_simple(2, none.data(), most.data()), H5Sclose);
  const Handle creation = dataset_creation();
  in.checked(H5Pset_chunk(creation.get(), 2, chunk.data()), "cannot write \"" + name + "\"");
  in.new_dataset(name, types.file, space.get(), creation.get());
  in.check_disk();
}

void Hdf5File::append_rows(const std::string& name, std::span<const float> values) {
  append_values(use(), name, values);
}
void Hdf5File::append_rows(const std::string& name, std::span<const std::int16_t> values) {
  append_values(use(), name, values);
}
void Hdf5File::read_rows(const std::string& name, std::int64_t first_row, std::span<float> out) const {
  read_some(use(), name, first_row, out);
}
void Hdf5File::read_rows(const std::string& name, std::int64_t first_row, std::span<std::int16_t> out) const {
  read_some(use(), name, first_row, out);
}

}  // namespace serval::store
