#include "serval/report/gnuplot.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <thread>

#include <fcntl.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "serval/core/error.h"
#include "serval/core/interrupt.h"
#include "serval/core/text.h"

namespace serval::report {

namespace {

// Two connected descriptors, closed on leaving; neither is inherited. Sockets and not pipes, since writing to one that
// nobody reads any more can be an error and need not be a signal.
class Channel {
 public:
  Channel() {
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends_.data()) != 0)
      throw InternalError(cat("no pair of sockets: ", std::strerror(errno)));
  }
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;
  ~Channel() {
    close_own();
    close_theirs();
  }
  int own() const { return ends_[0]; }
  int theirs() const { return ends_[1]; }
  void close_own() { close_end(ends_[0]); }
  void close_theirs() { close_end(ends_[1]); }

  void send_all(std::string_view text) const {
    while (!text.empty()) {
      const ssize_t sent = ::send(own(), text.data(), text.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno == EINTR) continue;
      if (sent <= 0) return;  // gnuplot has ended; its exit code and words say why
      text.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  std::string receive_all() const {
    std::string out;
    std::array<char, 65536> block{};
    for (;;) {
      const ssize_t count = ::recv(own(), block.data(), block.size(), 0);
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) return out;
      out.append(block.data(), static_cast<std::size_t>(count));
    }
  }

 private:
  static void close_end(int& end) {
    if (end >= 0) ::close(end);
    end = -1;
  }
  std::array<int, 2> ends_ = {-1, -1};
};

pid_t start(const Channel& in, const Channel& out, const Channel& err) {
  std::array<std::string, 3> words = {"gnuplot", "-d", "-"};  // -d: nobody's own settings
  std::array<char*, 4> arguments = {words[0].data(), words[1].data(), words[2].data(), nullptr};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in.theirs(), STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out.theirs(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, err.theirs(), STDERR_FILENO);
  pid_t child = 0;
  const int failure = ::posix_spawnp(&child, "gnuplot", &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failure == ENOENT) {
    throw UnsupportedError(
        "gnuplot, which draws the pictures, is not on PATH; tools/setup.sh installs it (Debian's package "
        "gnuplot-nox)");
  }
  if (failure != 0) throw UnsupportedError(cat("gnuplot cannot be started: ", std::strerror(failure)));
  return child;
}

std::string head(PictureFormat format, PictureSize size) {
  const char* terminal = format == PictureFormat::kPng ? "pngcairo" : "svg";
  const char* font = format == PictureFormat::kPng ? "Sans,10" : "sans-serif,13";
  return cat("set terminal ", terminal, " noenhanced size ", size.width_px, ",", size.height_px, " font '",
             font, "' background rgb 'white'\nset encoding utf8\n");
}

}  // namespace

PictureFormat picture_format(const std::string& path) {
  const std::string ending = lower(path.size() < 4 ? path : path.substr(path.size() - 4));
  if (ending == ".png") return PictureFormat::kPng;
  if (ending == ".svg") return PictureFormat::kSvg;
  throw ConfigError(cat(path, ": pictures are .png or .svg"));
}

std::string gnuplot_text(const std::string& text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') out += '\'';  // two are one, and nothing else means anything between these quotes
    out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
  }
  return out + "'";
}

std::string gnuplot_floats(std::span<const float> values) {
  return {reinterpret_cast<const char*>(values.data()), values.size_bytes()};
}

std::string draw_with_gnuplot(const std::string& script, PictureFormat format, PictureSize size) {
  Channel in, out, err;
  const pid_t child = start(in, out, err);
  for (Channel* channel : {&in, &out, &err}) channel->close_theirs();
  std::string picture, words;
  {
    std::jthread writes([&] {
      in.send_all(head(format, size));
      in.send_all(script);
      in.close_own();
    });
    std::jthread listens([&] { words = err.receive_all(); });
    picture = out.receive_all();
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  check_interrupted();  // Ctrl-C reaches gnuplot too; that is no fault of its own
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 || picture.empty())
    throw InternalError(cat("gnuplot did not draw: ", trimmed(words)));
  return picture;
}

}  // namespace serval::report
