// What a stranger sends to `serval serve`: the input's bytes over a connection of its own, whose sending side is then closed.
// The server answers or closes within its limits, and goes on to serve: every hundredth input is followed by one that must
// be answered with 200.
#include <cstring>
#include <thread>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "serval/deploy/server.h"

#include "tests/fuzz/fuzz.h"

namespace {

using namespace serval;

constexpr int kWaitS = 5;  // longer than any limit below

deploy::Server& server() {
  const char* named = std::getenv("SERVAL_FUZZ_BUNDLE");
  fuzz::need(named != nullptr, "SERVAL_FUZZ_BUNDLE names a bundle");
  static const deploy::Predictor predictor(named);
  static deploy::Server* const out = [] {
    deploy::ServerOptions options;
    options.port = 0;
    options.threads = 1;
    options.max_header_kib = 4;
    options.max_body_mib = 1;
    options.max_duration_s = 5;
    options.header_s = options.body_s = options.idle_s = 2;
    auto* made = new deploy::Server(predictor, options);  // lives as long as the process
    std::thread([made] { made->run(); }).detach();
    return made;
  }();
  return *out;
}

// libFuzzer's clock interrupts what waits.
template <typename Call>
auto again(const Call& call) {
  auto out = call();
  while (out < 0 && errno == EINTR) out = call();
  return out;
}

bool connected(int socket, const sockaddr_in& address) {
  if (::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return true;
  if (errno != EINTR) return false;
  pollfd waiting{.fd = socket, .events = POLLOUT, .revents = 0};
  again([&] { return ::poll(&waiting, 1, kWaitS * 1000); });
  socklen_t size = sizeof errno;
  return ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &errno, &size) == 0 && errno == 0;
}

// All that comes back until the other side closes.
std::string exchange(const std::string& sent) {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(server().port()));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const timeval wait{.tv_sec = kWaitS, .tv_usec = 0};
  ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
  if (!connected(socket, address))
    fuzz::need(false, cat("the server takes a connection: ", std::strerror(errno)).c_str());
  std::size_t at = 0;
  while (at < sent.size()) {
    const ssize_t count =
        again([&] { return ::send(socket, sent.data() + at, sent.size() - at, MSG_NOSIGNAL); });
    if (count <= 0) break;  // it has heard enough
    at += static_cast<std::size_t>(count);
  }
  ::shutdown(socket, SHUT_WR);
  std::string out;
  char buffer[4096];
  ssize_t count = 0;
  while ((count = again([&] { return ::recv(socket, buffer, sizeof buffer, 0); })) > 0)
    out.append(buffer, static_cast<std::size_t>(count));
  const bool waited = count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
  ::close(socket);
  fuzz::need(!waited, "the server answers or closes in time");
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string said = exchange(fuzz::text_of(data, size));
  fuzz::need(said.empty() || said.compare(0, 7, "HTTP/1.") == 0, "the server speaks HTTP");
  static std::uint64_t inputs = 0;
  if (++inputs % 100 == 0) {
    const std::string health =
        exchange("GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n");
    fuzz::need(health.compare(0, 12, "HTTP/1.1 200") == 0, "the server is up");
  }
  return 0;
}
