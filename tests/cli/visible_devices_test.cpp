#include "cli/visible_devices.hpp"

#include <gtest/gtest.h>

namespace gpukeeper::cli {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

TEST(VisibleDevicesTest, NvidiasAreNamedByTheirUuids) {
  const auto change = visible({{"GPU-a", Vendor::nvidia, "0000:01:00.0", true},
                               {"GPU-b", Vendor::nvidia, "0000:02:00.0", false},
                               {"MIG-c", Vendor::nvidia, "", true}});
  EXPECT_EQ(change.set, (Pairs{{"CUDA_VISIBLE_DEVICES", "GPU-a,MIG-c"}}));
  EXPECT_TRUE(change.unset.empty());
}

TEST(VisibleDevicesTest, AmdsAreNamedByTheirUniqueIdsElseByPositionAndNothingChoosesOnceMore) {
  const std::vector<VisibleDevice> devices{{"GPU-a", Vendor::nvidia, "0000:01:00.0", false},
                                           {"PCI-0000:02:00.0", Vendor::amd, "0000:02:00.0", false},
                                           {"PCI-0000:03:00.0", Vendor::amd, "0000:03:00.0", true},
                                           {"AMD-0123456789abcdef", Vendor::amd, "0000:04:00.0", true}};
  const auto change = visible(devices);
  EXPECT_EQ(change.set, (Pairs{{"ROCR_VISIBLE_DEVICES", "1,GPU-0123456789abcdef"}}));
  EXPECT_EQ(change.unset,
            (std::vector<std::string>{"HIP_VISIBLE_DEVICES", "GPU_DEVICE_ORDINAL", "CUDA_VISIBLE_DEVICES"}));
}

TEST(VisibleDevicesTest, WithAnNvidiaBesideItTheVariableOfBothIsNvidias) {
  const auto change = visible(
      {{"GPU-a", Vendor::nvidia, "0000:01:00.0", true}, {"AMD-0123456789abcdef", Vendor::amd, "0000:04:00.0", true}});
  EXPECT_EQ(change.set, (Pairs{{"CUDA_VISIBLE_DEVICES", "GPU-a"}, {"ROCR_VISIBLE_DEVICES", "GPU-0123456789abcdef"}}));
  EXPECT_EQ(change.unset, (std::vector<std::string>{"HIP_VISIBLE_DEVICES", "GPU_DEVICE_ORDINAL"}));
}

TEST(VisibleDevicesTest, IntelsAreNamedByTheirPositionInTheOrderOfPci) {
  const auto change = visible({{"PCI-0000:05:00.0", Vendor::intel, "0000:05:00.0", false},
                               {"PCI-0000:03:00.0", Vendor::intel, "0000:03:00.0", true},
                               {"GPU-a", Vendor::nvidia, "0000:01:00.0", false}});
  EXPECT_EQ(change.set, (Pairs{{"ZE_AFFINITY_MASK", "0"}, {"ZE_ENABLE_PCI_ID_DEVICE_ORDER", "1"}}));
}

TEST(VisibleDevicesTest, WhereNothingIsBookedNothingChanges) {
  EXPECT_EQ(visible({{"GPU-a", Vendor::nvidia, "", false}}), EnvironmentChange());
  EXPECT_EQ(visible({{"PCI-0000:05:00.0", Vendor::other, "0000:05:00.0", true}}), EnvironmentChange());
}

}  // namespace
}  // namespace gpukeeper::cli
