// Whom the server answers. A page of another site, in a browser on this machine, can reach a loopback address: its
// requests name their site as Origin, and a name that it points at this address stands in Host.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace serval::deploy {

// Host is an address, localhost or one of `names`, with or without a port.
bool host_allowed(std::string_view host, const std::vector<std::string>& names);

// No Origin, as programs have none, or the site that Host names.
bool origin_allowed(std::string_view origin, std::string_view host);

}  // namespace serval::deploy
