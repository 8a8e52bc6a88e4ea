// Ops whose arithmetic stands once for both devices, in their arguments.
//
// One number or one small thing at a time:
//   struct AddIntoArgs {
//     SERVAL_HD std::int64_t count() const;               how many there are
//     SERVAL_HD void at(std::int64_t i) const;            computes number i; writes nothing that another reads or writes
//   };
// One row or column at a time, where a row is summed up or searched through:
//   struct LayerNormArgs {
//     SERVAL_HD std::int64_t teams() const;
//     template <class Team>
//     SERVAL_HD void work(const Team& team, std::int64_t index) const;         core/team.h
//     SERVAL_HD std::int64_t items() const;               optional: how many numbers a team goes through
//   };
// Either may have `void check() const`, called on the host first. Arguments are plain data: a kernel takes them by value.
//
// The op itself is a tag, `struct AddInto : PortableOp<AddIntoArgs> { static constexpr const char* kName = "add_into"; };`
// and the op's room lists it once for both devices (nn/detail/portable_ops.h). On a GPU `at` runs in a thread each and
// `work` in a block each (cuda/core/portable_op.cuh), and the tests run the same kernels as fibers.
#pragma once

#include "serval/core/context.h"
#include "serval/core/hd.h"
#include "serval/core/team.h"

namespace serval {

template <class Arguments>
struct PortableOp {
  using Args = Arguments;
  using Signature = void(const Context&, const Args&);
};

template <class Args>
concept TeamArgs = requires(const Args& args) {
  args.teams();
};

template <class Args>
void check_portable(const Args& args) {
  if constexpr (requires { args.check(); }) args.check();
}

namespace cpu {

template <class Op>
void portable(const Context&, const typename Op::Args& given) {
  check_portable(given);
  const typename Op::Args args = given;  // a copy that no store through a pointer can be thought to change
  if constexpr (TeamArgs<typename Op::Args>) {
    const std::int64_t teams = args.teams();
    for (std::int64_t i = 0; i < teams; ++i) args.work(SoloTeam{}, i);
  } else {
    const std::int64_t count = args.count();
    for (std::int64_t i = 0; i < count; ++i) args.at(i);
  }
}

}  // namespace cpu

}  // namespace serval
