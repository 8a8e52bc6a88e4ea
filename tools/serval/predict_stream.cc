#include <array>
#include <cerrno>
#include <iostream>

#include <poll.h>
#include <unistd.h>

#include "serval/core/error.h"
#include "serval/core/files.h"
#include "serval/core/interrupt.h"
#include "serval/core/json_line.h"
#include "serval/core/log.h"

#include "commands.h"

namespace serval::cli {

namespace {

// What has come, at once and not when a block is full; empty at the end, which a signal is too.
std::string_view next_bytes(std::array<char, 1 << 16>& block) {
  while (!interrupted()) {
    pollfd input{STDIN_FILENO, POLLIN, 0};
    constexpr int kPatience_ms = 100;  // until a signal is noticed
    if (::poll(&input, 1, kPatience_ms) <= 0) continue;
    const ssize_t count = ::read(STDIN_FILENO, block.data(), block.size());
    if (count >= 0) return {block.data(), static_cast<std::size_t>(count)};
    if (errno != EINTR && errno != EAGAIN) fail_errno("standard input", "cannot be read", errno);
  }
  return {};
}

}  // namespace

void predict_stream(const Common& common, const PredictArguments& arguments) {
  threads_of(common);  // for --quiet
  if (arguments.recordings != std::vector<std::string>{"-"})
    throw ConfigError("--stream reads standard input: the recording is -");
  deploy::PcmFormat format = arguments.pcm;
  format.encoding = deploy::pcm_encoding(arguments.encoding);
  const deploy::Predictor predictor(arguments.bundle, {.device = common.device, .batch = arguments.batch});
  for (const std::string& stamp : predictor.stamps()) log_warning(stamp);
  deploy::Stream stream(predictor, format, arguments.streaming);
  const auto print = [&](const deploy::StreamResult& result) {
    std::cout << write_json_line(deploy::to_json(result, predictor.classes(), arguments.streaming,
                                                 arguments.min_confidence))
              << std::flush;
  };
  std::array<char, 1 << 16> block{};
  for (std::string_view bytes = next_bytes(block); !bytes.empty(); bytes = next_bytes(block))
    stream.push(bytes, print);
  stream.finish(print);
}

}  // namespace serval::cli
