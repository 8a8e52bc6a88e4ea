// Event files as TensorBoard reads them: the scalars of one training, live.
//
// A file is a chain of records, each an Event message of TensorFlow's event.proto in protocol-buffer encoding:
//   uint64 length, uint32 masked CRC-32C of the length, the message, uint32 masked CRC-32C of it; little-endian,
//   masked(crc) = rotate_right(crc, 15) + 0xa282ead8.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace serval::report {

struct Scalar {
  std::string tag;
  double value = 0;  // kept as float; one that is not finite is left out
};

struct ScalarEvent {
  double wall_s = 0;  // seconds since 1970
  std::int64_t step = 0;
  std::vector<Scalar> scalars;
};

std::uint32_t crc32c(std::string_view bytes);

// One training's file, <folder>/events.out.tfevents.<ten digits>.serval. TensorBoard keeps a file open and reads what
// is added, so this one grows in place; every other file of a run is replaced.
class EventFile {
 public:
  // Begins a file that holds `before`, and deletes those of earlier starts of the same training: they may hold epochs
  // that are trained again. `folder` exists. Throws DiskError and DataError as write_atomically does.
  EventFile(const std::string& folder, const std::vector<ScalarEvent>& before);
  ~EventFile();
  EventFile(const EventFile&) = delete;
  EventFile& operator=(const EventFile&) = delete;

  void add(const ScalarEvent& event);  // readers see it when this returns
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  int file_ = -1;
};

}  // namespace serval::report
