// Which processes the sources look at: none but those that NVML names, unless a card's driver tells its clients in
// fdinfo.

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "backend/amdgpu/amdgpu_backend.hpp"
#include "backend/basic/basic_backend.hpp"
#include "backend/intel/intel_backend.hpp"
#include "backend/nvml/nvml_backend.hpp"
#include "backend/sysfs/drm_processes.hpp"
#include "backend/sysfs/sysfs_source.hpp"
#include "fakes/fake_clock.hpp"
#include "fakes/memory_files.hpp"
#include "fakes/nvml/fake_nvml.hpp"

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::UnorderedElementsAre;

/// A server with NVIDIA GPUs: their DRM nodes, the graphics of its management controller, and 200 processes.
class WhoIsLookedAt : public ::testing::Test {
 protected:
  WhoIsLookedAt() {
    for (int i = 0; i < 2; ++i) {
      const int gpu = nvml_.add_gpu();
      nvml_.add_process(gpu, {.pid = 1042, .memory_bytes = 1 << 20});
      nvml_.add_process(gpu, {.pid = static_cast<std::uint32_t>(1050 + i), .memory_bytes = 1 << 20});
    }
    add_card(0, "ast", "0000:02:00.0");
    add_card(1, "nvidia", "0000:10:00.0");
    add_card(2, "nvidia", "0000:11:00.0");
    for (int pid = 1000; pid < 1200; ++pid) {
      files_->write(fmt::format("/proc/{}/comm", pid), "app\n");
      for (int fd = 0; fd < 10; ++fd) files_->link(fmt::format("/proc/{}/fd/{}", pid, fd), "/dev/nvidia0");
    }
  }

  void add_card(int number, const std::string& driver, const std::string& pci) {
    files_->write(fmt::format("/sys/class/drm/card{}/device/uevent", number),
                  fmt::format("DRIVER={}\nPCI_CLASS=30000\nPCI_ID=10DE:2704\nPCI_SLOT_NAME={}\n", driver, pci));
  }

  /// Reads everything of every device for half a minute, as the sampler does, and gives the entries of /proc that were
  /// touched; "" is /proc itself.
  std::set<std::string> looked_at() {
    DrmProcesses processes(files_, clock_, {}, [this](std::function<void()> body) {
      ++threads_;
      return std::thread(std::move(body));
    });
    const SysfsSource source{*files_, *files_, *clock_, processes};
    std::vector<std::unique_ptr<Backend>> backends;
    auto nvml =
        nvml::open({.library = FakeNvml::library_path().string(), .files = *files_, .clock = *clock_, .wake = false});
    EXPECT_TRUE(nvml) << nvml.error().message;
    if (nvml) backends.push_back(std::move(*nvml));
    backends.push_back(make_amdgpu_backend(source));
    backends.push_back(make_intel_backend(source));
    backends.push_back(make_basic_backend(source));
    std::size_t devices = 0;
    for (int second = 0; second < 30; ++second) {
      for (const auto& backend : backends) {
        for (const Device& device : backend->list().value_or(std::vector<Device>{})) {
          ++devices;
          EXPECT_TRUE(backend->read(device.id));
          const auto list = backend->processes(device.id);
          EXPECT_TRUE(list || list.error().code == Errc::not_supported) << list.error().message;
        }
      }
      clock_->advance(1s);
    }
    EXPECT_GE(devices, 30u * 5);
    std::set<std::string> entries;
    for (const std::string& path : files_->take_accesses()) {
      if (path == "/proc") entries.insert("");
      if (!path.starts_with("/proc/")) continue;
      const auto entry = path.substr(6, path.find('/', 6) - 6);
      if (entry.find_first_not_of("0123456789") == std::string::npos) entries.insert(entry);
    }
    return entries;
  }

  FakeNvml nvml_;
  const std::shared_ptr<MemoryFiles> files_ = std::make_shared<MemoryFiles>();
  const std::shared_ptr<FakeClock> clock_ = std::make_shared<FakeClock>();
  int threads_ = 0;
};

TEST_F(WhoIsLookedAt, WithNvidiaGpusOnlyNobodyButThosePidsThatNvmlNames) {
  EXPECT_THAT(looked_at(), UnorderedElementsAre("1042", "1050", "1051"));
  EXPECT_EQ(threads_, 0);
}

TEST_F(WhoIsLookedAt, WithACardThatTellsItsClientsEverybody) {
  add_card(3, "nouveau", "0000:04:00.0");
  EXPECT_THAT(looked_at(), IsSupersetOf({"", "1000", "1199"}));
  EXPECT_EQ(threads_, 1) << "one for all cards";
}

}  // namespace
}  // namespace gpukeeper
