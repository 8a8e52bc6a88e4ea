#include "access.h"

#include <algorithm>

#include <arpa/inet.h>

#include "serval/core/text.h"

namespace serval::deploy {

namespace {

bool is_port(std::string_view text) {
  constexpr std::size_t kMostDigits = 5;
  return !text.empty() && text.size() <= kMostDigits &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// Without its port; "" where it is not in the form that Host has.
std::string name_of_host(std::string_view host) {
  if (!host.empty() && host.front() == '[') {
    const std::size_t end = host.find(']');
    if (end == std::string_view::npos) return "";
    const std::string_view rest = host.substr(end + 1);
    if (!rest.empty() && (rest.front() != ':' || !is_port(rest.substr(1)))) return "";
    return std::string(host.substr(1, end - 1));
  }
  const std::size_t colon = host.find(':');
  if (colon == std::string_view::npos) return lower(std::string(host));
  return is_port(host.substr(colon + 1)) ? lower(std::string(host.substr(0, colon))) : "";
}

bool is_address(const std::string& name) {
  in6_addr ignored{};
  return ::inet_pton(AF_INET, name.c_str(), &ignored) == 1 ||
         ::inet_pton(AF_INET6, name.c_str(), &ignored) == 1;
}

}  // namespace

bool host_allowed(std::string_view host, const std::vector<std::string>& names) {
  const std::string name = name_of_host(host);
  return name == "localhost" || is_address(name) ||
         std::any_of(names.begin(), names.end(),
                     [&](const std::string& known) { return !name.empty() && lower(known) == name; });
}

bool origin_allowed(std::string_view origin, std::string_view host) {
  if (origin.empty()) return true;
  const std::string said = lower(std::string(origin)), wanted = lower(std::string(host));
  return said == "http://" + wanted || said == "https://" + wanted;
}

}  // namespace serval::deploy
