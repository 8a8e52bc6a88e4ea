#include "serval/core/op.h"

namespace serval {

void OpRegistry::add_erased(const char* name, DeviceKind device, Erased* body) {
  Erased*& slot = bodies_[name][static_cast<std::size_t>(device)];
  SERVAL_CHECK(slot == nullptr, "op ", name, " has two bodies for ", to_string(device));
  slot = body;
}

OpRegistry::Erased* OpRegistry::find_erased(const char* name, DeviceKind device) const {
  const auto found = bodies_.find(std::string_view(name));  // makes no string
  Erased* body = found == bodies_.end() ? nullptr : found->second[static_cast<std::size_t>(device)];
  if (body == nullptr)
    throw UnsupportedError(cat("operation ", name, " is not available on device ", to_string(device)));
  return body;
}

std::vector<OpRegistry::Row> OpRegistry::support() const {
  std::vector<Row> rows;
  for (const auto& [name, bodies] : bodies_)
    rows.push_back({name, bodies[0] != nullptr, bodies[1] != nullptr});
  return rows;
}

}  // namespace serval
