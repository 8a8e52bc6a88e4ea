// Tests over devices. A test body takes the device as its parameter and runs for each device that is there:
//
//   class LstmTest : public DeviceTest {};
//   TEST_P(LstmTest, MatchesReference) { Context context(device()); ... }
//   SERVAL_DEVICE_TESTS(LstmTest);
//
// At its end the test program says how many tests did not run for want of a GPU.
#pragma once

#include <iostream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "serval/core/context.h"

namespace serval::testing_support {

// The CPU, and the first GPU when this build has CUDA and a GPU is visible.
inline std::vector<Device> test_devices() {
  std::vector<Device> devices{Device{}};
  const std::vector<CudaDeviceInfo> gpus = cuda_devices();
  if (!gpus.empty()) devices.push_back(Device{DeviceKind::kCuda, gpus.front().index});
  return devices;
}

class DeviceTest : public ::testing::TestWithParam<Device> {
 protected:
  Device device() const { return GetParam(); }
};

inline std::string device_test_name(const ::testing::TestParamInfo<Device>& info) {
  return to_string(info.param.kind);
}

// Counts the tests that ran for the CPU alone.
class MissingGpuReport : public ::testing::Environment {
 public:
  void TearDown() override {
    std::string why;
    if (!cuda_devices(&why).empty()) return;
    int missing = 0;
    const ::testing::UnitTest& all = *::testing::UnitTest::GetInstance();
    for (int s = 0; s < all.total_test_suite_count(); ++s) {
      const ::testing::TestSuite& suite = *all.GetTestSuite(s);
      if (std::string(suite.name()).rfind("Devices/", 0) != 0) continue;
      for (int t = 0; t < suite.total_test_count(); ++t) {
        if (suite.GetTestInfo(t)->should_run()) ++missing;
      }
    }
    if (missing > 0) {
      std::cout << missing << (missing == 1 ? " test" : " tests") << " for device cuda "
                << (missing == 1 ? "was" : "were") << " not run: no GPU (" << why << ")" << std::endl;
    }
  }
};
inline ::testing::Environment* const kMissingGpuReport =
    ::testing::AddGlobalTestEnvironment(new MissingGpuReport);  // GoogleTest owns it

}  // namespace serval::testing_support

#define SERVAL_DEVICE_TESTS(suite)                                                                       \
  INSTANTIATE_TEST_SUITE_P(Devices, suite, ::testing::ValuesIn(serval::testing_support::test_devices()), \
                           serval::testing_support::device_test_name)
