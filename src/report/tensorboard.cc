#include "serval/report/tensorboard.h"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cmath>
#include <filesystem>
#include <system_error>

#include <boost/crc.hpp>
#include <fcntl.h>
#include <unistd.h>

#include "serval/core/error.h"
#include "serval/core/files.h"

namespace serval::report {
namespace fs = std::filesystem;

namespace {

constexpr std::string_view kPrefix = "events.out.tfevents.";

// Eight fields of four messages are all that is ever written: their wire format is shorter than the build rules of
// generated classes would be.
class Message {
 public:
  Message& varint(int field, std::uint64_t value) { return key(field, 0).raw_varint(value); }
  Message& fixed64(int field, double value) {
    return key(field, 1).little_endian(std::bit_cast<std::uint64_t>(value), 8);
  }
  Message& fixed32(int field, float value) {
    return key(field, 5).little_endian(std::bit_cast<std::uint32_t>(value), 4);
  }
  Message& bytes(int field, std::string_view value) {
    key(field, 2).raw_varint(value.size());
    text_ += value;
    return *this;
  }
  Message& little_endian(std::uint64_t value, int count) {
    for (int i = 0; i < count; ++i) text_ += static_cast<char>(value >> (8 * i) & 0xff);
    return *this;
  }
  const std::string& text() const { return text_; }

 private:
  Message& key(int field, int wire_type) {
    return raw_varint(static_cast<std::uint64_t>(field << 3 | wire_type));
  }
  Message& raw_varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) text_ += static_cast<char>(value & 0x7f | 0x80);
    text_ += static_cast<char>(value);
    return *this;
  }

  std::string text_;
};

std::string record(const Message& message) {
  const auto masked = [](std::string_view bytes) { return std::rotr(crc32c(bytes), 15) + 0xa282ead8u; };
  const std::string length = Message().little_endian(message.text().size(), 8).text();
  Message out;
  out.little_endian(message.text().size(), 8).little_endian(masked(length), 4);
  return out.text() + message.text() + Message().little_endian(masked(message.text()), 4).text();
}

// Event: wall_time 1, step 2, file_version 3, summary 5, session_log 7.
Message event(double wall_s, std::int64_t step) {
  Message out;
  out.fixed64(1, wall_s).varint(2, static_cast<std::uint64_t>(step));
  return out;
}

std::string scalars_record(const ScalarEvent& scalars) {
  Message summary;  // value 1: tag 1, simple_value 2
  for (const Scalar& scalar : scalars.scalars) {
    if (!std::isfinite(scalar.value)) continue;
    const Message value = Message().bytes(1, scalar.tag).fixed32(2, static_cast<float>(scalar.value));
    summary.bytes(1, value.text());
  }
  return record(event(scalars.wall_s, scalars.step).bytes(5, summary.text()));
}

// A TensorBoard that watched an earlier start of the training forgets it at a session log that says START (1).
std::string head(double wall_s) {
  return record(event(wall_s, 0).bytes(3, "brain.Event:2")) +
         record(event(wall_s, 0).bytes(7, Message().varint(1, 1).text()));
}

// The name of this start's file: TensorBoard reads files by name and goes on to later ones, so the number grows even when
// the clock does not. Deletes the earlier ones.
std::string take_over(const std::string& folder, double wall_s) {
  auto number = static_cast<long long>(wall_s);
  std::vector<fs::path> earlier;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (name.compare(0, kPrefix.size(), kPrefix) != 0) continue;
    earlier.push_back(entry.path());
    number = std::max(number, std::atoll(name.c_str() + kPrefix.size()) + 1);
  }
  for (const fs::path& path : earlier) fs::remove(path);
  std::string digits = std::to_string(number);
  digits.insert(0, digits.size() < 10 ? 10 - digits.size() : 0, '0');
  return cat(folder, "/", kPrefix, digits, ".serval");
}

double now_s() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

void append(int file, const std::string& path, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) fail_errno(path, "cannot be written", errno);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace

std::uint32_t crc32c(std::string_view bytes) {
  boost::crc_optimal<32, 0x1edc6f41, 0xffffffff, 0xffffffff, true, true> crc;
  crc.process_bytes(bytes.data(), bytes.size());
  return crc.checksum();
}

EventFile::EventFile(const std::string& folder, const std::vector<ScalarEvent>& before) {
  const double started_s = before.empty() ? now_s() : before.front().wall_s;
  path_ = take_over(folder, now_s());
  std::string content = head(started_s);
  for (const ScalarEvent& event : before) content += scalars_record(event);
  // Whole from the start on; the temporary name must not look like an event file.
  const TemporaryFile whole(folder + "/events");
  file_ = ::open(whole.path().c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644);
  if (file_ < 0) fail_errno(path_, "cannot be written", errno);
  try {
    append(file_, path_, content);
    whole.publish_as(path_);
  } catch (...) {
    ::close(file_);
    throw;
  }
}

EventFile::~EventFile() { ::close(file_); }

void EventFile::add(const ScalarEvent& event) { append(file_, path_, scalars_record(event)); }

}  // namespace serval::report
