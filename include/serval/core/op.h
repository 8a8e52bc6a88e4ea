// Operations and the devices that have them.
//
// An op is a tag type with a name and a signature; each device registers one body for it:
//   struct OptimiserStep {
//     static constexpr const char* kName = "optimiser_step";
//     using Signature = void(const Context&, const OptimiserArgs&);
//   };
// `run<OptimiserStep>(context, args)` calls the body of the context's device, or throws UnsupportedError:
// nothing falls back to another device.
#pragma once

#include <array>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "serval/core/tensor.h"

namespace serval {

class OpRegistry {
 public:
  struct Row {
    std::string name;
    bool cpu = false;
    bool cuda = false;
  };

  template <class Op>
  void add(DeviceKind device, typename Op::Signature* body) {
    add_erased(Op::kName, device, reinterpret_cast<Erased*>(body));
  }
  // Another body in the place of the one that is there.
  template <class Op>
  void replace(DeviceKind device, typename Op::Signature* body) {
    bodies_[Op::kName][static_cast<std::size_t>(device)] = reinterpret_cast<Erased*>(body);
  }
  template <class Op>
  typename Op::Signature* find(DeviceKind device) const {
    return reinterpret_cast<typename Op::Signature*>(find_erased(Op::kName, device));
  }
  std::vector<Row> support() const;  // sorted by name

 private:
  using Erased = void();
  void add_erased(const char* name, DeviceKind device, Erased* body);
  Erased* find_erased(const char* name, DeviceKind device) const;  // throws UnsupportedError

  std::map<std::string, std::array<Erased*, 2>, std::less<>> bodies_;
};

}  // namespace serval
