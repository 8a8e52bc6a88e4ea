// The files of an open store: opened when a row is asked for, and only a few at a time.
#pragma once

#include <cstdint>
#include <filesystem>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "serval/store/hdf5.h"
#include "serval/store/store.h"

#include "part.h"

namespace serval::store {

// A part that another writer of the same store has published again since it was verified is verified anew: its
// key says that the content is the same.
class PartFiles {
 public:
  PartFiles(std::filesystem::path folder, StoreKey key) : folder_(std::move(folder)), key_(std::move(key)) {}
  void add(const Part& part);

  template <class T>
  void read_rows(std::size_t part, std::int64_t first_row, std::span<T> out);
  std::vector<std::string> read_texts(std::size_t part, const std::string& name);

 private:
  static constexpr std::size_t kMostOpen = 16;
  struct Entry {
    int number = kWhole;
    std::string checksum;
    std::int64_t items = 0, rows = 0;
    std::optional<Hdf5File> file{};
    std::uint64_t used = 0;
  };
  const Hdf5File& opened(std::size_t part);
  void close_oldest();

  std::filesystem::path folder_;
  StoreKey key_;
  std::mutex mutex_;
  std::vector<Entry> entries_;
  std::size_t open_ = 0;
  std::uint64_t clock_ = 0;
};

}  // namespace serval::store
