#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "backend/nvml/nvml_backend.hpp"
#include "contract/backend_contract.hpp"
#include "fakes/fake_clock.hpp"
#include "fakes/memory_files.hpp"
#include "fakes/nvml/fake_nvml.hpp"

namespace gpukeeper::nvml {

using namespace std::chrono_literals;
using Symbol = fake_nvml::Symbol;
using ::testing::HasSubstr;

inline std::string pci_of(int slot) {
  return fmt::format("0000:{:02x}:00.0", 0x10 + slot);
}
inline std::string folder_of(int slot) {
  return "/sys/bus/pci/devices/" + pci_of(slot);
}

/// A machine with NVIDIA GPUs: the fake library, and the kernel's files beside it.
class NvmlMachine : public ::testing::Test {
 protected:
  /// Adds GPUs to library and bus.
  void add_gpus(int count) {
    for (int i = 0; i < count; ++i) put_on_bus(nvml_.add_gpu());
  }

  void put_on_bus(int slot, const std::string& driver = "nvidia") {
    const auto folder = folder_of(slot);
    files_.write(folder + "/vendor", "0x10de\n");
    files_.write(folder + "/device", "0x2330\n");
    files_.write(folder + "/class", "0x030200\n");
    files_.write(folder + "/uevent", driver.empty() ? "PCI_CLASS=30200\n" : "DRIVER=" + driver + "\nPCI_CLASS=30200\n");
    files_.write(folder + "/numa_node", "1\n");
    files_.write(folder + "/local_cpulist", "0-31,64-95\n");
    control(slot, "on");
    status(slot, "active");
  }

  void control(int slot, const std::string& word) { files_.write(folder_of(slot) + "/power/control", word + "\n"); }
  void status(int slot, const std::string& word) {
    files_.write(folder_of(slot) + "/power/runtime_status", word + "\n");
  }

  std::unique_ptr<Backend> open(const std::string& library = FakeNvml::library_path().string(), bool wake = false) {
    auto backend =
        nvml::open({.library = library, .files = files_, .clock = clock_, .wake = wake, .attach_patience = 500ms});
    EXPECT_TRUE(backend) << backend.error().message;
    return backend ? std::move(*backend) : nullptr;
  }

  static std::vector<Device> devices(Backend& backend) {
    auto listed = backend.list();
    EXPECT_TRUE(listed) << listed.error().message;
    return listed ? std::move(*listed) : std::vector<Device>{};
  }

  /// The first device's reading.
  Reading read_first(Backend& backend) {
    const auto listed = devices(backend);
    if (listed.empty()) return Reading{};
    auto reading = backend.read(listed.front().id);
    EXPECT_TRUE(reading) << reading.error().message;
    return reading ? std::move(*reading) : Reading{};
  }

  /// Waits, in real time, for a client thread to be inside an injected hang.
  void wait_until_hanging(std::uint32_t count) {
    const auto deadline = std::chrono::steady_clock::now() + 10s;
    while (nvml_.hanging() < count && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
    ASSERT_EQ(nvml_.hanging(), count);
  }

  FakeNvml nvml_;
  std::vector<Device> devices_;
  MemoryFiles files_;
  FakeClock clock_;
};

}  // namespace gpukeeper::nvml
