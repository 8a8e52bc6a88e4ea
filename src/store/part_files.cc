#include "part_files.h"

#include "serval/core/error.h"

#include "store_layout.h"

namespace serval::store {

void PartFiles::add(const Part& part) {
  Entry& entry = entries_.emplace_back();
  entry.number = part.place.number;
  entry.checksum = part.checksum;
  entry.items = static_cast<std::int64_t>(part.ids.size());
  entry.rows = part.offsets.back();
}

void PartFiles::close_oldest() {
  Entry* oldest = nullptr;
  for (Entry& entry : entries_) {
    if (entry.file && (oldest == nullptr || entry.used < oldest->used)) oldest = &entry;
  }
  SERVAL_CHECK(oldest != nullptr, open_, " files are open");
  oldest->file.reset();
  --open_;
}

const Hdf5File& PartFiles::opened(std::size_t part) {
  Entry& entry = entries_[part];
  entry.used = ++clock_;
  if (entry.file) return *entry.file;
  if (open_ == kMostOpen) close_oldest();
  const std::filesystem::path path = part_path(folder_, key_, entry.number);
  if (read_seal(path).checksum != entry.checksum) {
    const Part again = read_part(path, key_, entry.number);
    if (static_cast<std::int64_t>(again.ids.size()) != entry.items || again.offsets.back() != entry.rows) {
      throw DataError(
          cat(path.string(), ": was replaced by another while it was read; run the same command again"));
    }
    entry.checksum = again.checksum;
  }
  entry.file.emplace(Hdf5File::open(path));
  ++open_;
  return *entry.file;
}

template <class T>
void PartFiles::read_rows(std::size_t part, std::int64_t first_row, std::span<T> out) {
  const std::lock_guard lock(mutex_);
  opened(part).read_rows(layout::kData, first_row, out);
}
template void PartFiles::read_rows<float>(std::size_t, std::int64_t, std::span<float>);
template void PartFiles::read_rows<std::int16_t>(std::size_t, std::int64_t, std::span<std::int16_t>);

std::vector<std::string> PartFiles::read_texts(std::size_t part, const std::string& name) {
  const std::lock_guard lock(mutex_);
  return opened(part).read_texts(name);
}

}  // namespace serval::store
