// The host's stand-in for a GPU: does it run kernels as a GPU would, and does it see what a GPU would punish?
#include <numeric>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cuda/core/kernel.cuh"

namespace serval::cuda {
namespace {

using host_gpu::KernelError;
using host_gpu::Order;
using host_gpu::OrderScope;
using ::testing::HasSubstr;

SERVAL_KERNEL sum_kernel(const int* values, int count, long long* total) {
  SERVAL_SHARED(long long, scratch, kWarpSize);
  const std::int64_t i = global_index();
  const long long sum = block_sum(i < count ? static_cast<long long>(values[i]) : 0LL, scratch);
  if (threadIdx.x == 0)
    atomicAdd(reinterpret_cast<unsigned long long*>(total), static_cast<unsigned long long>(sum));
}

TEST(HostGpu, SumsOverBlocksWithShufflesBarriersAndAtomics) {
  std::vector<int> values(64 * 256 - 7);
  std::iota(values.begin(), values.end(), -5000);
  const long long expected = std::accumulate(values.begin(), values.end(), 0LL);
  for (const Order order : {Order::kForward, Order::kReverse, Order::kEvenThenOdd}) {
    const OrderScope scope(order);
    long long total = 0;
    launch(sum_kernel, dim3(64), dim3(256), 0, nullptr, values.data(), static_cast<int>(values.size()),
           &total);
    EXPECT_EQ(total, expected);
  }
}

SERVAL_KERNEL max_kernel(const float* values, float* out) {
  SERVAL_SHARED(float, scratch, kWarpSize);
  out[threadIdx.x] = block_max(values[threadIdx.x], scratch);
}

TEST(HostGpu, MaximumOfNegativesIsNotZero) {
  std::vector<float> values(96, -8.0f);
  values[70] = -2.5f;
  std::vector<float> out(96);
  launch(max_kernel, dim3(1), dim3(96), 0, nullptr, values.data(), out.data());
  EXPECT_EQ(out, std::vector<float>(96, -2.5f));
}

// A tile transposed through dynamic shared memory; `barrier` false leaves out what makes it correct.
template <bool barrier>
SERVAL_KERNEL transpose_kernel(const float* in, float* out) {
  SERVAL_DYNAMIC_SHARED(float, tile);
  tile[threadIdx.y * blockDim.x + threadIdx.x] = in[threadIdx.y * blockDim.x + threadIdx.x];
  if constexpr (barrier) __syncthreads();
  out[threadIdx.y * blockDim.x + threadIdx.x] = tile[threadIdx.x * blockDim.x + threadIdx.y];
}

template <bool barrier>
std::vector<float> transposed(Order order) {
  const OrderScope scope(order);
  std::vector<float> in(256);
  std::iota(in.begin(), in.end(), 0.0f);
  std::vector<float> out(256);
  launch(transpose_kernel<barrier>, dim3(1), dim3(16, 16), 256 * sizeof(float), nullptr, in.data(),
         out.data());
  return out;
}

TEST(HostGpu, DynamicSharedMemoryAndBarrier) {
  const std::vector<float> out = transposed<true>(Order::kForward);
  EXPECT_EQ(out[1], 16.0f);
  EXPECT_EQ(out[16 * 3 + 5], 16.0f * 5 + 3);
  EXPECT_EQ(out, transposed<true>(Order::kReverse));
}

TEST(HostGpu, MissingBarrierShowsInTheOrderOfThreads) {
  EXPECT_NE(transposed<false>(Order::kForward), transposed<true>(Order::kForward));
  EXPECT_NE(transposed<false>(Order::kReverse), transposed<false>(Order::kForward));
}

SERVAL_KERNEL index_kernel(unsigned* out) {
  const unsigned block = (blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x;
  const unsigned thread = (threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x;
  out[block * blockDim.x * blockDim.y * blockDim.z + thread] += 1;
}

TEST(HostGpu, EveryThreadOfEveryBlockRunsOnce) {
  std::vector<unsigned> out(2 * 3 * 4 * 5 * 6 * 7);
  launch(index_kernel, dim3(2, 3, 4), dim3(5, 6, 7), 0, nullptr, out.data());
  EXPECT_EQ(out, std::vector<unsigned>(out.size(), 1));
  launch(index_kernel, dim3(0), dim3(5, 6, 7), 0, nullptr, out.data());
  EXPECT_EQ(out, std::vector<unsigned>(out.size(), 1));
}

SERVAL_KERNEL shuffle_kernel(int* up, int* down, int* across, int* lane, unsigned* even, int* all) {
  const int i = static_cast<int>(threadIdx.x);
  up[i] = __shfl_up_sync(kFullMask, i, 1);
  down[i] = __shfl_down_sync(kFullMask, i, 2, 8);
  across[i] = __shfl_xor_sync(kFullMask, i, 3);
  lane[i] = __shfl_sync(kFullMask, i, 5);
  even[i] = __ballot_sync(kFullMask, i % 2 == 0);
  all[i] = __all_sync(kFullMask, i < 1000) + 2 * __any_sync(kFullMask, i == 40);
  __syncwarp();
}

TEST(HostGpu, WarpOperationsFollowCuda) {
  std::vector<int> up(48), down(48), across(48), lane(48), all(48);
  std::vector<unsigned> even(48);
  // The second warp has 16 lanes: the missing ones count as absent from the mask.
  launch(shuffle_kernel, dim3(1), dim3(48), 0, nullptr, up.data(), down.data(), across.data(), lane.data(),
         even.data(), all.data());
  for (int i = 0; i < 48; ++i) {
    const auto at = static_cast<std::size_t>(i);
    EXPECT_EQ(up[at], i % 32 == 0 ? i : i - 1);
    EXPECT_EQ(down[at], i % 8 < 6 ? i + 2 : i);
    EXPECT_EQ(across[at], i ^ 3);
    EXPECT_EQ(lane[at], i / 32 * 32 + 5);
    EXPECT_EQ(even[at], i < 32 ? 0x55555555u : 0x5555u);
    EXPECT_EQ(all[at], i < 32 ? 1 : 3);
  }
}

SERVAL_KERNEL masked_kernel(int* out) {
  const int lane = static_cast<int>(threadIdx.x);
  if (lane < 8) {
    out[lane] = __shfl_xor_sync(0xFFu, lane, 7);
  } else {
    out[lane] = __shfl_xor_sync(0xFFFFFF00u, lane, 1);
  }
}

TEST(HostGpu, PartsOfAWarpMayShuffleByThemselves) {
  std::vector<int> out(32);
  launch(masked_kernel, dim3(1), dim3(32), 0, nullptr, out.data());
  for (int i = 0; i < 32; ++i) EXPECT_EQ(out[static_cast<std::size_t>(i)], i < 8 ? i ^ 7 : i ^ 1);
}

SERVAL_KERNEL atomic_kernel(int* highest, unsigned* lowest, float* total, int* swapped) {
  const int i = static_cast<int>(global_index());
  atomicMax(highest, i * 7 % 101);
  atomicMin(lowest, static_cast<unsigned>(i + 3));
  atomicAdd(total, 0.5f);
  if (atomicCAS(swapped, i, i + 1) == i) atomicExch(total + 1, static_cast<float>(i));
}

TEST(HostGpu, Atomics) {
  int highest = -1, swapped = 0;
  unsigned lowest = 99;
  float total[2] = {0, 0};
  launch(atomic_kernel, dim3(4), dim3(64), 0, nullptr, &highest, &lowest, total, &swapped);
  EXPECT_EQ(highest, 100);
  EXPECT_EQ(lowest, 3u);
  EXPECT_EQ(total[0], 128.0f);
  EXPECT_EQ(swapped, 256);
  EXPECT_EQ(total[1], 255.0f);
}

// A queue over blocks: each takes items from a counter, and an item waits for all before it.
SERVAL_KERNEL queue_kernel(int* next, int* finished, int items, int* out) {
  SERVAL_SHARED(int, taken, 1);
  for (;;) {
    if (threadIdx.x == 0) taken[0] = atomicAdd(next, 1);
    __syncthreads();
    const int item = taken[0];
    __syncthreads();
    if (item >= items) break;
    if (threadIdx.x == 0) {
      while (atomicAdd(finished, 0) < item) {
      }
    }
    __syncthreads();
    const int before = item > 0 ? out[(item - 1) * static_cast<int>(blockDim.x)] : 0;
    out[item * static_cast<int>(blockDim.x) + static_cast<int>(threadIdx.x)] = before + 1;
    __threadfence();
    __syncthreads();
    if (threadIdx.x == 0) atomicAdd(finished, 1);
  }
}

TEST(HostGpu, BlocksTakeItemsFromAQueueAndWaitForEarlierOnes) {
  for (const unsigned blocks : {1u, 3u}) {
    int next = 0, finished = 0;
    std::vector<int> out(10 * 64);
    launch(queue_kernel, dim3(blocks), dim3(64), 0, nullptr, &next, &finished, 10, out.data());
    EXPECT_EQ(finished, 10);
    for (int i = 0; i < 640; ++i) EXPECT_EQ(out[static_cast<std::size_t>(i)], i / 64 + 1);
  }
}

template <class... Params, class... Args>
std::string failure_of(void (*kernel)(Params...), unsigned threads, std::size_t shared_bytes, Args... args) {
  try {
    launch(kernel, dim3(2), dim3(threads), shared_bytes, nullptr, args...);
  } catch (const KernelError& error) {
    return error.what();
  }
  return "";
}

SERVAL_KERNEL half_waits_kernel() {
  if (threadIdx.x < 32) __syncthreads();
}
SERVAL_KERNEL two_barriers_kernel() {
  if (threadIdx.x < 32) {
    __syncthreads();
  } else {
    __syncthreads();
  }
}
SERVAL_KERNEL absent_lane_kernel(int* out) {
  if (threadIdx.x != 3) out[threadIdx.x] = __shfl_sync(kFullMask, 1, 0);
}
SERVAL_KERNEL outside_mask_kernel(int* out) {
  if (threadIdx.x < 4) out[threadIdx.x] = __shfl_sync(0xFu, 1, 9);
}
SERVAL_KERNEL overrun_kernel(int count) {
  SERVAL_DYNAMIC_SHARED(float, tile);
  if (threadIdx.x == 0) tile[count] = 1;
}

TEST(HostGpu, ReportsDivergence) {
  std::vector<int> out(64);
  EXPECT_THAT(
      failure_of(half_waits_kernel, 64, 0),
      AllOf(
          HasSubstr("block 0,0,0: barrier divergence: threads 0 to 31 wait at the barrier host_gpu_test.cc:"),
          HasSubstr("threads 32 to 63 have ended")));
  EXPECT_THAT(failure_of(two_barriers_kernel, 64, 0), HasSubstr("barrier divergence"));
  EXPECT_THAT(failure_of(absent_lane_kernel, 32, 0, out.data()), HasSubstr("threads 3 to 3 have ended"));
  EXPECT_THAT(failure_of(outside_mask_kernel, 32, 0, out.data()),
              HasSubstr("lane 9, which is not in the mask"));
  EXPECT_EQ(failure_of(half_waits_kernel, 32, 0), "");  // and goes on working afterwards
}

#if !defined(__SANITIZE_ADDRESS__)  // which ends the program itself
TEST(HostGpu, ReportsWritesBehindSharedMemory) {
  EXPECT_THAT(failure_of(overrun_kernel, 32, 64, 16), HasSubstr("wrote behind its 64 bytes"));
  EXPECT_EQ(failure_of(overrun_kernel, 32, 64, 15), "");
}
#endif

TEST(HostGpu, ReportsLaunchesThatNoGpuTakes) {
  EXPECT_THAT(failure_of(half_waits_kernel, 1025, 0), HasSubstr("invalid launch"));
  EXPECT_THAT(failure_of(half_waits_kernel, 32, 300 * 1024), HasSubstr("invalid launch"));
}

SERVAL_KERNEL unset_shared_kernel(float* out) {
  SERVAL_SHARED(float, never_written, 32);
  out[threadIdx.x] = never_written[threadIdx.x];
}

TEST(HostGpu, SharedMemoryStartsAsGarbage) {
  std::vector<float> out(32);
  launch(unset_shared_kernel, dim3(1), dim3(32), 0, nullptr, out.data());
  for (const float value : out) EXPECT_TRUE(std::isnan(value));
}

}  // namespace
}  // namespace serval::cuda
