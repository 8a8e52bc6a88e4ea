// External features in HDF5, as h5py writes them. Any float or integer type is converted by HDF5 itself.
#include <algorithm>
#include <array>
#include <numeric>

#include "serval/core/error.h"
#include "serval/core/text.h"

#include "external_source.h"
#include "hdf5_driver.h"
#include "hdf5_handle.h"

namespace serval::store {

namespace {

using features::ExternalLayout;

constexpr std::int64_t kMaxIds = 100'000'000;
constexpr std::size_t kMaxTextBytes = 4096;

std::string text_in(const char* bytes, std::size_t size, H5T_str_t padding) {
  std::string text(bytes, std::find(bytes, bytes + size, '\0'));
  if (padding == H5T_STR_SPACEPAD) text.erase(text.find_last_not_of(' ') + 1);
  return text;
}

class Hdf5Source : public ExternalSource {
 public:
  explicit Hdf5Source(const features::ExternalSettings& settings) : path_(settings.path) {
    const Hdf5Lock lock;
    const Handle access(plain_file_access(&error_), H5Pclose);
    file_ = use().checked(H5Fopen(path_.c_str(), H5F_ACC_RDONLY, access.get()), "cannot be read as HDF5");
    try {
      open_group(settings.group);
      read_attributes();
    } catch (...) {
      close();
      throw;
    }
    files_ = {{"set", path_}};
  }
  ~Hdf5Source() override { close(); }

  bool has(const char* name) const { return H5Lexists(group_, name, H5P_DEFAULT) > 0; }
  std::string place(const std::string& name) const {
    return cat(path_.string(), ": \"", prefix_, name, "\"");
  }

 protected:
  FileUse use() const { return {path_, file_, error_}; }
  hid_t group() const { return group_; }

  Handle open(const std::string& name) const {
    require_own(group_, name, prefix_ + name);
    return {use().checked(H5Dopen2(group_, name.c_str(), H5P_DEFAULT),
                          cat("cannot read \"", prefix_, name, "\"")),
            H5Dclose};
  }

  std::vector<std::int64_t> shape_of(const Handle& dataset) const {
    const Handle space(H5Dget_space(dataset.get()), H5Sclose);
    const int rank = std::max(0, H5Sget_simple_extent_ndims(space.get()));
    std::vector<hsize_t> dims(static_cast<std::size_t>(rank));
    H5Sget_simple_extent_dims(space.get(), dims.data(), nullptr);
    std::vector<std::int64_t> shape;
    constexpr hsize_t kMost = hsize_t{1} << 62;
    for (const hsize_t dim : dims) shape.push_back(static_cast<std::int64_t>(std::min(dim, kMost)));
    return shape;
  }

  // "" for a dataset of numbers that the file itself holds.
  std::string why_unusable(const Handle& dataset) const {
    const Handle type(H5Dget_type(dataset.get()), H5Tclose);
    const H5T_class_t kind = H5Tget_class(type.get());
    if (kind == H5T_STRING) return "holds texts, not numbers";
    if (kind == H5T_ENUM) return "holds booleans or names, not numbers";
    if (kind != H5T_FLOAT && kind != H5T_INTEGER)
      return "holds no plain numbers; float16, float32, float64 and integers are read";
    const Handle creation(H5Dget_create_plist(dataset.get()), H5Pclose);
    // What lies in other files is not in the content hash either.
    if (H5Pget_layout(creation.get()) == H5D_VIRTUAL || H5Pget_external_count(creation.get()) > 0)
      return "has its values in other files; write them into this one";
    const Handle space(H5Dget_space(dataset.get()), H5Sclose);
    if (H5Sget_simple_extent_npoints(space.get()) > 0 && H5Dget_storage_size(dataset.get()) == 0)
      return "was made but never filled with values";
    return "";
  }

  void require_numbers(const Handle& dataset, const std::string& name) const {
    if (const std::string why = why_unusable(dataset); !why.empty())
      throw DataError(cat(place(name), " ", why));
  }

  // A block of a dataset of any rank, as float32 or int64.
  template <class T>
  void read_block(const Handle& dataset, const std::string& name, std::span<const hsize_t> start,
                  std::span<const hsize_t> count, std::span<T> out) const {
    if (out.empty()) return;
    const Handle file_space(H5Dget_space(dataset.get()), H5Sclose);
    const hsize_t size = out.size();
    const Handle memory_space(H5Screate_simple(1, &size, nullptr), H5Sclose);
    const FileUse in = use();
    in.checked(
        H5Sselect_hyperslab(file_space.get(), H5S_SELECT_SET, start.data(), nullptr, count.data(), nullptr),
        cat("cannot read \"", prefix_, name, "\""));
    const hid_t memory = std::is_same_v<T, float> ? H5T_NATIVE_FLOAT : H5T_NATIVE_INT64;
    in.checked(H5Dread(dataset.get(), memory, memory_space.get(), file_space.get(), H5P_DEFAULT, out.data()),
               cat("cannot read \"", prefix_, name, "\""));
  }

  std::vector<std::string> read_ids() const {
    const Handle dataset = open("ids");
    const std::vector<std::int64_t> shape = shape_of(dataset);
    const Handle type(H5Dget_type(dataset.get()), H5Tclose);
    if (H5Tget_class(type.get()) != H5T_STRING || shape.size() != 1 || shape[0] > kMaxIds)
      throw DataError(cat(place("ids"), " must be a list of texts, one an item"));
    const auto count = static_cast<std::size_t>(shape[0]);
    if (count == 0) return {};
    std::vector<std::string> ids;
    const FileUse in = use();
    const std::string what = cat("cannot read \"", prefix_, "ids\"");
    if (H5Tis_variable_str(type.get()) > 0) {
      std::vector<char*> texts(count, nullptr);
      const Handle space(H5Dget_space(dataset.get()), H5Sclose);
      in.checked(H5Dread(dataset.get(), type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, texts.data()), what);
      for (const char* text : texts) ids.emplace_back(text == nullptr ? "" : text);
      H5Dvlen_reclaim(type.get(), space.get(), H5P_DEFAULT, texts.data());
      return ids;
    }
    const std::size_t size = H5Tget_size(type.get());
    if (size > kMaxTextBytes) throw DataError(cat(place("ids"), " holds texts of ", size, " bytes each"));
    std::vector<char> packed(count * size);
    in.checked(H5Dread(dataset.get(), type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, packed.data()), what);
    for (std::size_t i = 0; i < count; ++i)
      ids.push_back(text_in(packed.data() + i * size, size, H5Tget_strpad(type.get())));
    return ids;
  }

 private:
  // Each step of a path must lead to something of this file: what lies in other files is not in the content hash.
  void require_own(hid_t at, const std::string& path, const std::string& shown) const {
    for (std::size_t end = path.find_first_not_of('/'); end < path.size();) {
      end = std::min(path.find('/', end), path.size());
      H5L_info_t info;
      if (H5Lget_info(at, path.substr(0, end).c_str(), &info, H5P_DEFAULT) >= 0 && info.type != H5L_TYPE_HARD)
        throw DataError(
            cat(path_.string(), ": \"", shown, "\" is a link; write the values themselves into this file"));
      end = std::min(path.find_first_not_of('/', end), path.size());
    }
  }

  void open_group(const std::string& name) {
    const std::string root = name.empty() ? "/" : name;
    require_own(file_, name, name);
    group_ = H5Gopen2(file_, root.c_str(), H5P_DEFAULT);
    if (group_ < 0) throw DataError(cat(path_.string(), ": has no group \"", name, "\""));
    if (!name.empty()) prefix_ = name + (name.back() == '/' ? "" : "/");
  }
  void close() {
    const Hdf5Lock lock;
    if (group_ >= 0) H5Gclose(std::exchange(group_, -1));
    if (file_ >= 0) H5Fclose(std::exchange(file_, -1));
  }

  // Texts and numbers of the group, for the provenance; the rest is of no interest.
  void read_attributes() {
    const auto collect = [](hid_t at, const char* name, const H5A_info_t*, void* source) -> herr_t {
      static_cast<Hdf5Source*>(source)->read_attribute(at, name);
      return 0;
    };
    H5Aiterate2(group_, H5_INDEX_NAME, H5_ITER_INC, nullptr, collect, this);
  }
  void read_attribute(hid_t at, const char* name) {
    const Handle attribute(H5Aopen(at, name, H5P_DEFAULT), H5Aclose);
    const Handle type(H5Aget_type(attribute.get()), H5Tclose);
    const Handle space(H5Aget_space(attribute.get()), H5Sclose);
    if (H5Sget_simple_extent_npoints(space.get()) != 1) return;
    const H5T_class_t kind = H5Tget_class(type.get());
    std::string value;
    if (kind == H5T_FLOAT || kind == H5T_INTEGER) {
      double number = 0;
      if (H5Aread(attribute.get(), H5T_NATIVE_DOUBLE, &number) < 0) return;
      value = cat(number);
    } else if (kind == H5T_STRING && H5Tis_variable_str(type.get()) > 0) {
      char* text = nullptr;
      if (H5Aread(attribute.get(), type.get(), &text) < 0 || text == nullptr) return;
      value = text;
      H5Dvlen_reclaim(type.get(), space.get(), H5P_DEFAULT, &text);
    } else if (kind == H5T_STRING && H5Tget_size(type.get()) <= kMaxTextBytes) {
      std::vector<char> text(H5Tget_size(type.get()));
      if (H5Aread(attribute.get(), type.get(), text.data()) < 0) return;
      value = text_in(text.data(), text.size(), H5Tget_strpad(type.get()));
    } else {
      return;
    }
    attributes_.emplace_back(name, value.substr(0, kMaxTextBytes));
  }

  std::filesystem::path path_;
  std::string prefix_;
  int error_ = 0;
  hid_t file_ = -1;
  hid_t group_ = -1;
};

// One dataset a recording, wherever in the group.
class Datasets : public Hdf5Source {
 public:
  explicit Datasets(const features::ExternalSettings& settings) : Hdf5Source(settings) {
    layout_ = ExternalLayout::kDatasets;
    const Hdf5Lock lock;
    std::vector<std::string> names;
    // Hard links alone: what is behind the others may lie in another file.
    const auto collect = [](hid_t, const char* name, const H5L_info_t* info, void* out) -> herr_t {
      if (info->type == H5L_TYPE_HARD) static_cast<std::vector<std::string>*>(out)->emplace_back(name);
      return 0;
    };
    use().checked(H5Lvisit(group(), H5_INDEX_NAME, H5_ITER_INC, collect, &names), "cannot be listed");
    for (const std::string& name : names) look(name);
    if (items_.empty()) throw DataError(cat(settings.path, ": holds no dataset"));
  }

  void read(std::size_t item, std::span<float> out) override {
    const Hdf5Lock lock;
    const Handle dataset = open(items_[item].name);
    const std::vector<std::int64_t> shape = shape_of(dataset);
    const std::vector<hsize_t> start(shape.size(), 0), count(shape.begin(), shape.end());
    SERVAL_CHECK(std::accumulate(count.begin(), count.end(), hsize_t{1}, std::multiplies<>()) == out.size(),
                 items_[item].place, " has changed");
    read_block(dataset, items_[item].name, start, count, out);
  }

 private:
  void look(const std::string& name) {
    const Handle object(H5Oopen(group(), name.c_str(), H5P_DEFAULT), H5Oclose);
    if (object.get() < 0 || H5Iget_type(object.get()) != H5I_DATASET) return;
    ExternalItem& item = items_.emplace_back();
    item.name = name;
    item.place = place(name);
    const Handle dataset = open(name);
    if (const std::string why = why_unusable(dataset); !why.empty()) {
      item.problem = cat(item.place, " ", why);
    } else {
      set_item_shape(item, shape_of(dataset));
    }
  }
};

// data [rows, dimension], offsets [items + 1], ids [items].
class Ragged : public Hdf5Source {
 public:
  explicit Ragged(const features::ExternalSettings& settings) : Hdf5Source(settings) {
    layout_ = ExternalLayout::kRagged;
    const Hdf5Lock lock;
    const Handle data = open("data");
    require_numbers(data, "data");
    const std::vector<std::int64_t> shape = shape_of(data);
    if (shape.size() != 2)
      throw DataError(
          cat(place("data"), " has the shape ", shape_text(shape), "; must be [rows, dimension]"));
    read_offsets(shape[0]);
    const std::vector<std::string> ids = read_ids();
    check_ids(ids, static_cast<std::int64_t>(offsets_.size()) - 1, place("ids"), place("offsets"));
    for (std::size_t i = 0; i < ids.size(); ++i) {
      ExternalItem& item = items_.emplace_back();
      item.name = ids[i];
      item.place = cat(place("data"), ", item ", i);
      const std::array<std::int64_t, 2> own = {offsets_[i + 1] - offsets_[i], shape[1]};
      set_item_shape(item, own);
    }
  }

  void read(std::size_t item, std::span<float> out) override {
    const Hdf5Lock lock;
    const std::array<hsize_t, 2> start = {static_cast<hsize_t>(offsets_[item]), 0};
    const std::array<hsize_t, 2> count = {static_cast<hsize_t>(items_[item].frames),
                                          static_cast<hsize_t>(items_[item].dimension)};
    read_block(open("data"), "data", start, count, out);
  }

 private:
  void read_offsets(std::int64_t rows) {
    const Handle dataset = open("offsets");
    require_numbers(dataset, "offsets");
    const Handle type(H5Dget_type(dataset.get()), H5Tclose);
    const std::vector<std::int64_t> shape = shape_of(dataset);
    if (H5Tget_class(type.get()) != H5T_INTEGER || shape.size() != 1 || shape[0] < 1 || shape[0] > kMaxIds)
      throw DataError(cat(place("offsets"), " must be a list of integers, one more than items"));
    offsets_.resize(static_cast<std::size_t>(shape[0]));
    const hsize_t start = 0, count = offsets_.size();
    read_block(dataset, "offsets", std::span(&start, 1), std::span(&count, 1), std::span(offsets_));
    check_offsets(offsets_, rows, place("offsets"));
  }

  std::vector<std::int64_t> offsets_;
};

// features [items, dimension] or [items, time, dimension], ids [items].
class Matrix : public Hdf5Source {
 public:
  explicit Matrix(const features::ExternalSettings& settings) : Hdf5Source(settings) {
    layout_ = ExternalLayout::kMatrix;
    const Hdf5Lock lock;
    const Handle dataset = open("features");
    require_numbers(dataset, "features");
    shape_ = shape_of(dataset);
    if (shape_.size() != 2 && shape_.size() != 3) {
      throw DataError(cat(place("features"), " has the shape ", shape_text(shape_),
                          "; must be [items, dimension] or [items, time, dimension]"));
    }
    const std::vector<std::string> ids = read_ids();
    check_ids(ids, shape_[0], place("ids"), place("features"));
    for (std::size_t i = 0; i < ids.size(); ++i) {
      ExternalItem& item = items_.emplace_back();
      item.name = ids[i];
      item.place = cat(place("features"), ", item ", i);
      set_item_shape(item, std::span(shape_).subspan(1));
    }
  }

  void read(std::size_t item, std::span<float> out) override {
    const Hdf5Lock lock;
    std::vector<hsize_t> start(shape_.size(), 0), count(shape_.begin(), shape_.end());
    start[0] = item;
    count[0] = 1;
    read_block(open("features"), "features", start, count, out);
  }

 private:
  std::vector<std::int64_t> shape_;
};

}  // namespace

std::unique_ptr<ExternalSource> open_external_hdf5(const features::ExternalSettings& settings) {
  ExternalLayout layout = settings.layout;
  if (layout == ExternalLayout::kAuto) {
    const Hdf5Lock lock;
    struct Look : Hdf5Source {
      using Hdf5Source::Hdf5Source;
      void read(std::size_t, std::span<float>) override {}
    };
    const Look look(settings);
    const bool ids = look.has("ids");
    layout = !ids                  ? ExternalLayout::kDatasets
             : look.has("offsets") ? ExternalLayout::kRagged
                                   : ExternalLayout::kMatrix;
    if (!ids && (look.has("offsets") || look.has("features"))) {
      throw DataError(cat(look.place(look.has("offsets") ? "offsets" : "features"),
                          " is there, but no \"ids\" beside it that say whose features these are"));
    }
  }
  if (layout == ExternalLayout::kRagged) return std::make_unique<Ragged>(settings);
  if (layout == ExternalLayout::kMatrix) return std::make_unique<Matrix>(settings);
  return std::make_unique<Datasets>(settings);
}

}  // namespace serval::store
