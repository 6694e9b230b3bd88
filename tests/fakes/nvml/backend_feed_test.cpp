#include "fakes/nvml/backend_feed.hpp"

#include <gtest/gtest.h>

#include "fakes/fake_backend.hpp"

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;

/// A backend with one GPU, played into the fake driver.
class BackendFeedTest : public testing::Test {
 protected:
  BackendFeedTest() { backend.plug("GPU-a", reading(50)); }
  ~BackendFeedTest() override { backend.unblock("GPU-a"); }

  static Reading reading(double celsius) {
    Reading r{Missing::not_supported};
    r.temperature = Celsius(celsius);
    r.power = Watts(250.5);
    r.memory_total = 80_GiB;
    r.memory_used = 3_GiB;
    return r;
  }

  FakeNvml nvml;
  FakeBackend* made = new FakeBackend;
  FakeBackend& backend = *made;
  BackendFeed feed{std::unique_ptr<Backend>(made), nvml};
};

TEST_F(BackendFeedTest, AReadingStandsInTheStateInNvmlsUnits) {
  feed.update();
  const auto& gpu = nvml.gpu(0);
  EXPECT_STREQ(gpu.uuid, "GPU-a");
  EXPECT_EQ(gpu.plugged, 1U);
  EXPECT_EQ(gpu.temperature, 50U);
  EXPECT_EQ(gpu.power_mw, 250'500U);
  EXPECT_EQ(gpu.memory_used, (3_GiB).value());
  EXPECT_EQ(gpu.utilization_gpu, fake_nvml::kAbsent);  // absent there, not supported here
}

TEST_F(BackendFeedTest, ProcessesComeAlong) {
  backend.set_processes("GPU-a", {{.pid = 77, .name = "python3", .type = {.compute = true}, .memory = 2_GiB}});
  feed.update();
  ASSERT_EQ(nvml.gpu(0).process_count, 1U);
  EXPECT_EQ(nvml.gpu(0).processes[0].pid, 77U);
  EXPECT_EQ(nvml.gpu(0).processes[0].memory_bytes, (2_GiB).value());
  EXPECT_STREQ(nvml.gpu(0).processes[0].name, "python3");
}

TEST_F(BackendFeedTest, AnErrorOfTheBackendIsOneOfTheDriver) {
  feed.update();
  backend.set_error("GPU-a", {Errc::not_found, "gone"});
  feed.update();
  EXPECT_EQ(nvml.gpu(0).lost, 15);
  backend.set_error("GPU-a", {Errc::unavailable, "mismatch"});
  feed.update();
  EXPECT_EQ(nvml.gpu(0).lost, 18);
  backend.clear_error("GPU-a");
  feed.update();
  EXPECT_EQ(nvml.gpu(0).lost, 0);
}

TEST_F(BackendFeedTest, AHangingReadHangsTheGpuUntilItReturns) {
  feed.update();
  const auto& cell = nvml.state().cells[fake_nvml::kSymbols][0];
  backend.block("GPU-a");
  feed.update(0ms);
  EXPECT_EQ(cell.hang, 1U);
  backend.unblock("GPU-a");
  feed.update(60s);
  EXPECT_EQ(cell.hang, 0U);
}

TEST_F(BackendFeedTest, WithoutDevicesTheDriverIsUnloaded) {
  feed.update();
  backend.unplug("GPU-a");
  feed.update();
  EXPECT_EQ(nvml.gpu(0).plugged, 0U);
  EXPECT_EQ(nvml.state().init_code, 9);
  backend.plug("GPU-a", reading(60));
  feed.update();
  EXPECT_EQ(nvml.state().init_code, 0);
  EXPECT_EQ(nvml.gpu(0).plugged, 1U);
  EXPECT_EQ(nvml.gpu(0).temperature, 60U);
}

TEST_F(BackendFeedTest, APartitionIsAMigInstance) {
  Device partition;
  partition.id = DeviceId{"MIG-b"};
  partition.vendor = Vendor::nvidia;
  partition.parent = DeviceId{"GPU-a"};
  partition.partition = "1g.10gb (GPU instance 9)";
  backend.plug(partition, reading(0));
  feed.update();
  EXPECT_EQ(nvml.gpu(0).mig_mode, 1U);
  EXPECT_EQ(nvml.gpu(0).mig[0].gpu_instance, 9U);
  EXPECT_STREQ(nvml.gpu(0).mig[0].profile_name, "1g.10gb");
  EXPECT_STREQ(nvml.gpu(0).mig[0].uuid, "MIG-b");
  EXPECT_EQ(nvml.gpu(0).mig[0].memory_used, (3_GiB).value());
}

}  // namespace
}  // namespace gpukeeper
