// While one lives, the CPU's portable ops run as GPU kernels do, their threads as fibers: what a network computes then
// exercises the device code's indexing, shared memory and barriers.
#pragma once

#include "serval/nn/detail/portable_ops.h"

#include "cuda/core/portable_op.cuh"

namespace serval::testing_support {

class PortableOpsAsKernels {
 public:
  PortableOpsAsKernels() : registry_(op_registry()) {
    List list{registry_};
    nn::detail::list_portable_ops(list);
    serval::detail::replace_op_registry(&registry_);
  }
  ~PortableOpsAsKernels() { serval::detail::replace_op_registry(nullptr); }
  PortableOpsAsKernels(const PortableOpsAsKernels&) = delete;
  PortableOpsAsKernels& operator=(const PortableOpsAsKernels&) = delete;

 private:
  template <class Op>
  static void launch(const Context&, const typename Op::Args& args) {
    // 64 threads: two warps, and several turns of most loops.
    cuda::launch_portable(nullptr, args, 64);
  }
  struct List {
    OpRegistry& registry;
    template <class Op>
    void op() {
      registry.replace<Op>(DeviceKind::kCpu, launch<Op>);
    }
  };
  OpRegistry registry_;
};

}  // namespace serval::testing_support
