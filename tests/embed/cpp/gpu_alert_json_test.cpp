#include <cstdint>
#include <limits>
#include <string>

#include <gtest/gtest.h>

#include "gpukeeper/gpu_alert.hpp"

namespace gpukeeper {
namespace {

TEST(PublicGpuAlertTest, JsonHasOneKey) {
  EXPECT_EQ(to_json(ThermalThrottling{0, 85, 80}), R"({"ThermalThrottling":{"device":0,"temp":85,"threshold":80}})");
  EXPECT_EQ(to_json(MemoryPressure{1, 92, 90}), R"({"MemoryPressure":{"device":1,"used_percent":92,"threshold":90}})");
  EXPECT_EQ(to_json(PowerLimit{2, 97, 95}), R"({"PowerLimit":{"device":2,"power_percent":97,"threshold":95}})");
  EXPECT_EQ(to_json(GpuIdle{3, 600}), R"({"GpuIdle":{"device":3,"duration_secs":600}})");
}

TEST(PublicGpuAlertTest, WhatIsWrittenIsReadAgain) {
  constexpr auto kMost = std::numeric_limits<std::uint32_t>::max();
  for (const GpuAlert& alert : {GpuAlert(ThermalThrottling{0, 85, 80}), GpuAlert(MemoryPressure{1, kMost, 90}),
                                GpuAlert(PowerLimit{2, 0, 95}), GpuAlert(GpuIdle{kMost, 600})}) {
    EXPECT_EQ(read_gpu_alert(to_json(alert)), alert);
  }
}

TEST(PublicGpuAlertTest, WhatIsNoAlertIsSaid) {
  std::string mistake;
  EXPECT_FALSE(read_gpu_alert(R"({"Fire":{}})", &mistake));
  EXPECT_EQ(mistake, "'Fire' is no kind of alert: there are ThermalThrottling, MemoryPressure, PowerLimit and GpuIdle");
  EXPECT_FALSE(read_gpu_alert(R"({"GpuIdle":{"device":0,"duration_secs":-1}})", &mistake));
  EXPECT_EQ(mistake, "GpuIdle: 'duration_secs' must be a whole number from 0 to 4294967295");
  EXPECT_FALSE(read_gpu_alert("[]"));
}

}  // namespace
}  // namespace gpukeeper
