// Text in HDF5: fixed-length UTF-8 strings padded with NUL, which every HDF5 tool reads.
#include <algorithm>
#include <vector>

#include "serval/core/error.h"
#include "serval/store/hdf5.h"

#include "hdf5_handle.h"

namespace serval::store {

namespace {

Handle text_type(std::size_t length) {
  Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
  H5Tset_size(type.get(), std::max<std::size_t>(length, 1));
  H5Tset_strpad(type.get(), H5T_STR_NULLPAD);
  H5Tset_cset(type.get(), H5T_CSET_UTF8);
  return type;
}

void require_no_nul(const std::string& name, const std::string& value) {
  SERVAL_CHECK(value.find('\0') == std::string::npos, "the text of \"", name, "\" holds a NUL");
}

// The values one after another, each padded to `length`.
std::vector<char> pack(const std::vector<std::string>& values, std::size_t length) {
  std::vector<char> packed(std::max<std::size_t>(values.size() * length, 1));
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::copy(values[i].begin(), values[i].end(), packed.begin() + static_cast<std::ptrdiff_t>(i * length));
  }
  return packed;
}

std::string unpack(const char* text, std::size_t length) {
  return {text, std::find(text, text + length, '\0')};
}

void require_text(const FileUse& use, const std::string& name, hid_t type) {
  if (H5Tget_class(type) == H5T_STRING && H5Tis_variable_str(type) == 0) return;
  throw DataError(cat(use.path.string(), ": \"", name, "\" does not hold fixed-length text"));
}

std::vector<std::string> unpack_all(const std::vector<char>& packed, std::size_t count, std::size_t length) {
  std::vector<std::string> values;
  for (std::size_t i = 0; i < count; ++i) values.push_back(unpack(packed.data() + i * length, length));
  return values;
}

std::size_t longest(const std::string& name, const std::vector<std::string>& values) {
  std::size_t length = 1;
  for (const std::string& value : values) {
    require_no_nul(name, value);
    length = std::max(length, value.size());
  }
  return length;
}

std::vector<std::string> read_strings(const FileUse& use, const std::string& name, bool scalar) {
  const Handle dataset = use.dataset(name);
  const Handle stored(H5Dget_type(dataset.get()), H5Tclose);
  require_text(use, name, stored.get());
  const Handle space(H5Dget_space(dataset.get()), H5Sclose);
  const int rank = H5Sget_simple_extent_ndims(space.get());
  if (rank != (scalar ? 0 : 1))
    throw DataError(cat(use.path.string(), ": \"", name, "\" has ", rank, " axes"));
  const auto count = static_cast<std::size_t>(H5Sget_simple_extent_npoints(space.get()));
  const std::size_t length = H5Tget_size(stored.get());
  std::vector<char> packed(std::max<std::size_t>(count * length, 1));
  use.checked(H5Dread(dataset.get(), stored.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, packed.data()),
              "cannot read \"" + name + "\"");
  return unpack_all(packed, count, length);
}

void write_strings(const FileUse& use, const std::string& name, const std::vector<std::string>& values,
                   hid_t space) {
  const std::size_t length = longest(name, values);
  const Handle type = text_type(length);
  const Handle creation = dataset_creation();
  const Handle dataset = use.new_dataset(name, type.get(), space, creation.get());
  use.checked(H5Dwrite(dataset.get(), type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, pack(values, length).data()),
              "cannot write \"" + name + "\"");
  use.check_disk();
}

void write_attribute_values(const FileUse& use, const std::string& object, const std::string& name,
                            hid_t space, hid_t file_type, hid_t memory_type, const void* values) {
  const std::string what = "cannot write the attribute \"" + name + "\"";
  const Handle attribute(use.checked(H5Acreate_by_name(use.file, object.c_str(), name.c_str(), file_type,
                                                       space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
                                     what),
                         H5Aclose);
  use.checked(H5Awrite(attribute.get(), memory_type, values), what);
  use.check_disk();
}

void write_text_attribute(const FileUse& use, const std::string& object, const std::string& name,
                          const std::vector<std::string>& values, const Handle& space) {
  const std::size_t length = longest(name, values);
  const Handle type = text_type(length);
  write_attribute_values(use, object, name, space.get(), type.get(), type.get(), pack(values, length).data());
}

Handle open_attribute(const FileUse& use, const std::string& object, const std::string& name) {
  return {use.checked(H5Aopen_by_name(use.file, object.c_str(), name.c_str(), H5P_DEFAULT, H5P_DEFAULT),
                      "cannot read the attribute \"" + name + "\""),
          H5Aclose};
}

std::vector<std::string> read_text_attribute_values(const FileUse& use, const std::string& object,
                                                    const std::string& name) {
  const Handle attribute = open_attribute(use, object, name);
  const Handle type(H5Aget_type(attribute.get()), H5Tclose);
  require_text(use, name, type.get());
  const Handle space(H5Aget_space(attribute.get()), H5Sclose);
  const auto count = static_cast<std::size_t>(H5Sget_simple_extent_npoints(space.get()));
  const std::size_t length = H5Tget_size(type.get());
  std::vector<char> packed(std::max<std::size_t>(count * length, 1));
  use.checked(H5Aread(attribute.get(), type.get(), packed.data()),
              "cannot read the attribute \"" + name + "\"");
  return unpack_all(packed, count, length);
}

constexpr const char* kFile = "/";

}  // namespace

void Hdf5File::write_text(const std::string& name, const std::string& value) {
  const FileUse in = use();
  const Handle space(H5Screate(H5S_SCALAR), H5Sclose);
  write_strings(in, name, {value}, space.get());
}

std::string Hdf5File::read_text(const std::string& name) const {
  return read_strings(use(), name, true).front();
}

void Hdf5File::write_texts(const std::string& name, const std::vector<std::string>& values) {
  const FileUse in = use();
  const hsize_t count = values.size();
  const Handle space(H5Screate_simple(1, &count, nullptr), H5Sclose);
  write_strings(in, name, values, space.get());
}

std::vector<std::string> Hdf5File::read_texts(const std::string& name) const {
  return read_strings(use(), name, false);
}

void Hdf5File::write_attribute(const std::string& name, const std::string& value) {
  write_attribute_of(kFile, name, value);
}

void Hdf5File::write_attribute(const std::string& name, std::int64_t value) {
  const FileUse in = use();
  const Handle space(H5Screate(H5S_SCALAR), H5Sclose);
  write_attribute_values(in, kFile, name, space.get(), H5T_STD_I64LE, H5T_NATIVE_INT64, &value);
}

void Hdf5File::write_attribute_of(const std::string& object, const std::string& name,
                                  const std::string& value) {
  const FileUse in = use();
  write_text_attribute(in, object, name, {value}, {H5Screate(H5S_SCALAR), H5Sclose});
}

void Hdf5File::write_attribute_of(const std::string& object, const std::string& name,
                                  const std::vector<std::string>& values) {
  const FileUse in = use();
  const hsize_t count = values.size();
  write_text_attribute(in, object, name, values, {H5Screate_simple(1, &count, nullptr), H5Sclose});
}

std::string Hdf5File::read_text_attribute(const std::string& name) const {
  return read_text_attribute_of(kFile, name);
}

std::string Hdf5File::read_text_attribute_of(const std::string& object, const std::string& name) const {
  const FileUse in = use();
  const std::vector<std::string> values = read_text_attribute_values(in, object, name);
  if (values.size() != 1)
    throw DataError(
        cat(path_.string(), ": the attribute \"", name, "\" holds ", values.size(), " texts, not one"));
  return values.front();
}

std::vector<std::string> Hdf5File::read_texts_attribute_of(const std::string& object,
                                                           const std::string& name) const {
  return read_text_attribute_values(use(), object, name);
}

std::int64_t Hdf5File::read_integer_attribute(const std::string& name) const {
  const FileUse in = use();
  const Handle attribute = open_attribute(in, kFile, name);
  const Handle type(H5Aget_type(attribute.get()), H5Tclose);
  if (H5Tequal(type.get(), H5T_STD_I64LE) <= 0) {
    throw DataError(cat(path_.string(), ": the attribute \"", name, "\" is not a 64-bit integer"));
  }
  std::int64_t value = 0;
  in.checked(H5Aread(attribute.get(), H5T_NATIVE_INT64, &value),
             "cannot read the attribute \"" + name + "\"");
  return value;
}

}  // namespace serval::store
