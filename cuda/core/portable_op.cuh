// Kernels of the ops of serval/core/portable_op.h.
#pragma once

#include "serval/core/portable_op.h"

#include "cuda/core/kernel.cuh"
#include "cuda/core/teams.cuh"

namespace serval::cuda {

constexpr int kPortableThreads = 256;
constexpr int kMostTeamThreads = 512;

// Of a team: about four numbers a thread, where the op says how many there are.
template <class Args>
int team_threads(const Args& args, int usual) {
  if constexpr (requires { args.items(); }) {
    int threads = kWarpSize;
    while (threads < kMostTeamThreads && threads * 4 < args.items()) threads *= 2;
    return threads;
  }
  return usual;
}

template <class Args>
SERVAL_KERNEL portable_index_kernel(Args args, std::int64_t count) {
  const std::int64_t step = static_cast<std::int64_t>(gridDim.x) * blockDim.x;
  for (std::int64_t i = global_index(); i < count; i += step) args.at(i);
}

template <class Args>
SERVAL_KERNEL __launch_bounds__(kMostTeamThreads) portable_team_kernel(Args args, std::int64_t teams) {
  SERVAL_SHARED(double, scratch, 32);
  const BlockTeam team{scratch};
  for (std::int64_t i = blockIdx.x; i < teams; i += gridDim.x) args.work(team, i);
}

template <class Args>
void launch_portable(Stream stream, const Args& args, int threads = kPortableThreads) {
  constexpr std::int64_t kMostBlocks = 1 << 20;
  check_portable(args);
  if constexpr (TeamArgs<Args>) {
    const std::int64_t teams = args.teams();
    launch(portable_team_kernel<Args>, dim3(static_cast<unsigned>(teams < kMostBlocks ? teams : kMostBlocks)),
           dim3(team_threads(args, threads)), 0, stream, args, teams);
  } else {
    const std::int64_t count = args.count();
    const std::int64_t blocks = (count + threads - 1) / threads;
    launch(portable_index_kernel<Args>,
           dim3(static_cast<unsigned>(blocks < kMostBlocks ? blocks : kMostBlocks)), dim3(threads), 0, stream,
           args, count);
  }
}

}  // namespace serval::cuda
