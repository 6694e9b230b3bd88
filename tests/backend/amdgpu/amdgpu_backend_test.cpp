#include "backend/amdgpu/amdgpu_backend.hpp"

#include <functional>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "backend/amdgpu/amdgpu_machines.hpp"
#include "backend/sysfs/drm_processes.hpp"
#include "contract/backend_contract.hpp"
#include "fakes/fake_clock.hpp"
#include "fakes/memory_files.hpp"

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;
using namespace amdgpu_machines;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

const std::string kBoard = "/sys/class/drm/card1/device/";
const std::string kHwmon = kBoard + "hwmon/hwmon5/";
const DeviceId kBoardId{"AMD-00112233aabbccdd"};

template <class T>
Metric<T> absent(Missing reason) {
  return missing(reason);
}

class AmdgpuBackendTest : public ::testing::Test {
 protected:
  AmdgpuBackendTest() { restart(); }
  void restart(bool wake = false, bool recorded = false) {
    processes_ = std::make_unique<DrmProcesses>(files_, clock_, DrmProcesses::Options{});
    backend_ = make_amdgpu_backend({files_, system_, clock_, *processes_, wake, recorded});
  }
  Reading read(const DeviceId& id = kBoardId) {
    auto reading = backend_->read(id);
    EXPECT_TRUE(reading) << reading.error().message;
    return reading ? *reading : Reading{Missing::failed};
  }

  MemoryFiles files_;
  MemoryFiles system_;
  FakeClock clock_;
  std::unique_ptr<DrmProcesses> processes_;
  std::unique_ptr<Backend> backend_;
};

TEST_F(AmdgpuBackendTest, AMachineWithoutAmdGpusListsNone) {
  const auto devices = backend_->list();
  ASSERT_TRUE(devices);
  EXPECT_TRUE(devices->empty());
}

TEST_F(AmdgpuBackendTest, CardsOfOtherDriversAreNotOurs) {
  add_card(files_, 0, "0000:01:00.0", "1002:6818");
  files_.write("/sys/class/drm/card0/device/uevent", "DRIVER=radeon\nPCI_ID=1002:6818\nPCI_SLOT_NAME=0000:01:00.0\n");
  EXPECT_TRUE(backend_->list()->empty());
}

TEST_F(AmdgpuBackendTest, ABoardIsDescribed) {
  add_board(files_);
  system_.write("/usr/share/libdrm/amdgpu.ids", "73BF,\tC0,\tAMD Radeon Test\n");
  const auto devices = backend_->list();
  ASSERT_TRUE(devices);
  ASSERT_EQ(devices->size(), 1u);
  const Device& device = devices->front();
  EXPECT_EQ(device.id, kBoardId);
  EXPECT_EQ(device.name, "AMD Radeon Test");
  EXPECT_EQ(device.vendor, Vendor::amd);
  EXPECT_EQ(device.source, "amdgpu");
  EXPECT_EQ(device.driver, "amdgpu");
  EXPECT_EQ(device.vbios_version, "113-TEST-001");
  EXPECT_EQ(device.pci_id, "1002:73bf");
  EXPECT_EQ(device.pci->to_string(), "0000:03:00.0");
  EXPECT_EQ(device.numa_node, absent<std::uint32_t>(Missing::not_supported));
  EXPECT_FALSE(device.recorded);
}

TEST_F(AmdgpuBackendTest, ABoardIsReadInFull) {
  add_board(files_);
  ASSERT_TRUE(backend_->list());
  const Reading r = read();
  EXPECT_EQ(r.attention, Attention::awake);
  EXPECT_EQ(r.temperature, Celsius(51));
  EXPECT_EQ(r.temperature_hotspot, Celsius(52));
  EXPECT_EQ(r.temperature_memory, Celsius(53));
  EXPECT_EQ(r.temperature_slowdown, Celsius(91));
  EXPECT_EQ(r.temperature_shutdown, Celsius(101));
  EXPECT_EQ(r.fan, Percent(20));
  EXPECT_EQ(r.fan_speed, Rpm(1200));
  EXPECT_EQ(r.utilization, Percent(37));
  EXPECT_EQ(r.utilization_memory, Percent(20)) << "of gpu_metrics, which spares a file";
  EXPECT_EQ(r.utilization_video, Percent(7));
  EXPECT_EQ(r.memory_total, Bytes(17163091968));
  EXPECT_EQ(r.memory_used, Bytes(668274688));
  EXPECT_EQ(r.memory_bar1_total, 256_MiB);
  EXPECT_EQ(r.memory_bar1_used, 1_MiB);
  EXPECT_EQ(r.memory_gtt_used, Bytes(62369792));
  EXPECT_EQ(r.memory_unified, false);
  EXPECT_EQ(r.power, Watts(36));
  EXPECT_EQ(r.power_instant, absent<Watts>(Missing::not_supported));
  EXPECT_EQ(r.power_limit, Watts(289));
  EXPECT_EQ(r.power_limit_default, Watts(280));
  EXPECT_EQ(r.power_limit_min, Watts(0));
  EXPECT_EQ(r.power_limit_max, Watts(332));
  EXPECT_EQ(r.energy, absent<Joules>(Missing::not_supported));
  EXPECT_EQ(r.clock_graphics, Megahertz(2100));
  EXPECT_EQ(r.clock_memory, Megahertz(1000));
  EXPECT_EQ(r.clock_video, Megahertz(1800));
  EXPECT_EQ(r.clock_graphics_max, Megahertz(2660));
  EXPECT_EQ(r.clock_memory_max, Megahertz(1000));
  EXPECT_EQ(r.clock_video_max, Megahertz(2400));
  EXPECT_EQ(r.performance_state, "auto");
  EXPECT_EQ(r.throttle_reasons, ThrottleReasons(Throttle::power));
  EXPECT_EQ(r.pcie_replays, Count(3));
  EXPECT_EQ(r.runtime_power_state, "active");
  EXPECT_EQ(r.utilization_compute, absent<Percent>(Missing::not_yet_read));
}

TEST_F(AmdgpuBackendTest, TheSlowPcieBandwidthFileIsNeverRead) {
  add_board(files_);
  ASSERT_TRUE(backend_->list());
  for (int i = 0; i < 20; ++i) {
    read();
    clock_.advance(1s);
  }
  EXPECT_THAT(files_.take_accesses(), Each(Not(HasSubstr("pcie_bw"))));
}

TEST_F(AmdgpuBackendTest, AnOrdinaryTickReadsFewFilesAndTheTableOnce) {
  add_board(files_);
  files_.write(kBoard + "power/control", "on\n");
  ASSERT_TRUE(backend_->list());
  read();
  clock_.advance(1s);
  files_.take_accesses();
  read();
  const auto accesses = files_.take_accesses();
  EXPECT_EQ(std::count(accesses.begin(), accesses.end(), kBoard + "gpu_metrics"), 1);
  EXPECT_LE(accesses.size(), 20u);
}

TEST_F(AmdgpuBackendTest, TheLinkBehindTheSwitchOnTheBoardIsNotTheLinkToTheSlot) {
  add_board(files_);
  ASSERT_TRUE(backend_->list());
  Reading r = read();
  EXPECT_EQ(r.pcie_generation, Count(3)) << "gpu_metrics: 8.0 GT/s";
  EXPECT_EQ(r.pcie_width, Count(8));
  EXPECT_EQ(r.pcie_generation_max, Count(4));
  EXPECT_EQ(r.pcie_width_max, Count(16));
  files_.remove(kBoard + "gpu_metrics");
  restart();
  ASSERT_TRUE(backend_->list());
  r = read();
  EXPECT_EQ(r.pcie_generation, Count(4)) << "pp_dpm_pcie";
  EXPECT_EQ(r.pcie_width, Count(16));
  files_.write(kBoard + "pp_dpm_pcie", "0: 2.5GT/s, x1 *\n1: 16.0GT/s, x16 *\n");
  restart();
  ASSERT_TRUE(backend_->list());
  EXPECT_EQ(read().pcie_generation, absent<Count>(Missing::not_supported)) << "two stars tell nothing";
}

TEST_F(AmdgpuBackendTest, AnOldBoardsLinkFilesAreItsLink) {
  add_board(files_);
  files_.remove(kHwmon + "temp2_label");
  ASSERT_TRUE(backend_->list());
  const Reading r = read();
  EXPECT_EQ(r.pcie_generation, Count(5));
  EXPECT_EQ(r.pcie_width, Count(16));
}

TEST_F(AmdgpuBackendTest, AnApuSharesTheSystemsMemory) {
  add_apu(files_);
  const auto devices = backend_->list();
  ASSERT_TRUE(devices);
  EXPECT_EQ(devices->front().id, DeviceId{"PCI-0000:64:00.0"}) << "an empty unique_id is none";
  const Reading r = read(devices->front().id);
  EXPECT_EQ(r.memory_unified, true);
  EXPECT_EQ(r.memory_total, 4_GiB);
  EXPECT_EQ(r.memory_gtt_total, Bytes(31433977856));
  EXPECT_EQ(r.temperature, Celsius(45));
  EXPECT_EQ(r.temperature_slowdown, absent<Celsius>(Missing::not_supported));
  EXPECT_NEAR(r.power->value(), 3.142, 1e-9) << "power1_input where there is no average";
  EXPECT_NEAR(r.power_instant->value(), 3.142, 1e-9);
  EXPECT_EQ(r.power_limit, absent<Watts>(Missing::not_supported)) << "the file is empty";
  EXPECT_EQ(r.fan, absent<Percent>(Missing::not_supported));
  EXPECT_EQ(r.fan_speed, absent<Rpm>(Missing::not_supported));
  EXPECT_EQ(r.utilization, Percent(0));
  EXPECT_EQ(r.clock_graphics, Megahertz(800));
  EXPECT_EQ(r.clock_memory, Megahertz(800)) << "the fastest starred level";
  EXPECT_EQ(r.throttle_reasons, ThrottleReasons());
  EXPECT_THAT(r.sensors, Contains(Sensor{"fastPPT limit", "watts", 30}));
}

TEST_F(AmdgpuBackendTest, RavensBusyFileIsNotBelievedWhenItSaysAll) {
  add_apu(files_);
  files_.write("/sys/class/drm/card0/device/uevent", "DRIVER=amdgpu\nPCI_ID=1002:15D8\nPCI_SLOT_NAME=0000:64:00.0\n");
  files_.write("/sys/class/drm/card0/device/gpu_busy_percent", "100\n");
  ASSERT_TRUE(backend_->list());
  EXPECT_FALSE(read(DeviceId{"PCI-0000:64:00.0"}).utilization);
  files_.write("/sys/class/drm/card0/device/gpu_busy_percent", "99\n");
  EXPECT_EQ(read(DeviceId{"PCI-0000:64:00.0"}).utilization, Percent(99));
}

TEST_F(AmdgpuBackendTest, ARecordingOfRavenShowsWhatWasRecorded) {
  add_apu(files_);
  files_.write("/sys/class/drm/card0/device/uevent", "DRIVER=amdgpu\nPCI_ID=1002:15D8\nPCI_SLOT_NAME=0000:64:00.0\n");
  files_.write("/sys/class/drm/card0/device/gpu_busy_percent", "100\n");
  restart(false, true);
  ASSERT_TRUE(backend_->list());
  EXPECT_EQ(read(DeviceId{"PCI-0000:64:00.0"}).utilization, Percent(100));
}

struct Fan {
  const char* rpm;
  const char* pwm;
  Metric<Percent> percent;
};

TEST_F(AmdgpuBackendTest, ADutyCycleThatTheTachometerContradictsIsAbsent) {
  const Fan rows[] = {
      {"0", "0", Percent(0)},
      {"5", "0", Percent(0)},
      {"1200", "102", Percent(40)},
      {"29", "65", absent<Percent>(Missing::not_supported)},
      {"1395", "0", absent<Percent>(Missing::not_supported)},
      {"0", "76", absent<Percent>(Missing::not_supported)},
  };
  add_board(files_);
  files_.write(kBoard + "power/control", "on\n");
  ASSERT_TRUE(backend_->list());
  for (const Fan& row : rows) {
    SCOPED_TRACE(std::string(row.rpm) + " rpm at " + row.pwm);
    files_.write(kHwmon + "fan1_input", row.rpm);
    files_.write(kHwmon + "pwm1", row.pwm);
    EXPECT_EQ(read().fan, row.percent);
  }
}

TEST_F(AmdgpuBackendTest, AFanThatTheDriverDoesNotControlHasNoPercentage) {
  add_board(files_);
  files_.write(kHwmon + "pwm1_enable", "0\n");
  ASSERT_TRUE(backend_->list());
  EXPECT_EQ(read().fan, absent<Percent>(Missing::not_supported));
}

TEST_F(AmdgpuBackendTest, WithoutATachometerTheTablesFanSpeedIsTaken) {
  add_board(files_);
  files_.remove(kHwmon + "fan1_input");
  ASSERT_TRUE(backend_->list());
  EXPECT_EQ(read().fan_speed, Rpm(1210));
}

TEST_F(AmdgpuBackendTest, ABoardWithoutATachometerHasNoStandingFanFromTheTable) {
  add_board(files_);
  for (const auto* file : {"fan1_input", "pwm1", "pwm1_max", "pwm1_enable"}) files_.remove(kHwmon + file);
  files_.write(kBoard + "gpu_metrics", GpuMetricsBytes(1, 3, 120).set16(4, 51).set16(22, 37).set16(72, 0).bytes());
  ASSERT_TRUE(backend_->list());
  EXPECT_EQ(read().fan_speed, absent<Rpm>(Missing::not_supported)) << "a passive board, or a laptop's";
}

TEST_F(AmdgpuBackendTest, MemoryInUseIsToldWhereItsSizeIsNot) {
  add_board(files_);
  files_.remove(kBoard + "mem_info_vram_total");
  files_.write(kBoard + "mem_info_gtt_total", "\n");
  ASSERT_TRUE(backend_->list());
  const Reading reading = read();
  EXPECT_EQ(reading.memory_total, absent<Bytes>(Missing::not_supported));
  EXPECT_EQ(reading.memory_used, Bytes(668274688));
  EXPECT_EQ(reading.memory_gtt_total, absent<Bytes>(Missing::not_supported)) << "an empty file is no size";
  EXPECT_EQ(reading.memory_gtt_used, Bytes(62369792));
}

TEST_F(AmdgpuBackendTest, WithoutAFrequencyFileTheTableAndThenTheStarTellTheClock) {
  add_board(files_);
  files_.remove(kHwmon + "freq1_input");
  ASSERT_TRUE(backend_->list());
  EXPECT_EQ(read().clock_graphics, Megahertz(2095));
  files_.remove(kBoard + "gpu_metrics");
  restart();
  ASSERT_TRUE(backend_->list());
  EXPECT_EQ(read().clock_graphics, Megahertz(500));
}

TEST_F(AmdgpuBackendTest, OldChipsHaveLittleAndSayNothingMore) {
  add_card(files_, 1, "0000:01:00.0", "1002:6617");
  files_.write(kBoard + "pp_dpm_sclk", "\n");
  files_.write(kBoard + "hwmon/hwmon1/name", "amdgpu\n");
  files_.write(kBoard + "hwmon/hwmon1/temp1_input", "52000\n");
  files_.write(kBoard + "hwmon/hwmon1/pwm1", "103\n");
  ASSERT_TRUE(backend_->list());
  const Reading r = read(DeviceId{"PCI-0000:01:00.0"});
  EXPECT_EQ(r.temperature, Celsius(52)) << "one temperature without a label";
  EXPECT_EQ(r.utilization, absent<Percent>(Missing::not_supported));
  EXPECT_EQ(r.power, absent<Watts>(Missing::not_supported));
  EXPECT_EQ(r.clock_graphics, absent<Megahertz>(Missing::not_supported));
  EXPECT_EQ(r.memory_total, absent<Bytes>(Missing::not_supported));
  EXPECT_EQ(r.throttle_reasons, absent<ThrottleReasons>(Missing::not_supported));
}

TEST_F(AmdgpuBackendTest, ATableOfAnUnknownVersionIsAskedForOnce) {
  add_board(files_);
  files_.write(kBoard + "power/control", "on\n");
  files_.write(kBoard + "gpu_metrics", GpuMetricsBytes(9, 1, 200).bytes());
  ASSERT_TRUE(backend_->list());
  EXPECT_EQ(read().throttle_reasons, absent<ThrottleReasons>(Missing::not_supported));
  EXPECT_EQ(read().utilization_memory, Percent(12)) << "mem_busy_percent";
  files_.take_accesses();
  clock_.advance(1min);
  read();
  EXPECT_THAT(files_.take_accesses(), Each(Not(kBoard + "gpu_metrics")));
}

TEST_F(AmdgpuBackendTest, ATableThatFailsIsAskedForEverMoreSeldom) {
  add_board(files_);
  files_.write(kBoard + "power/control", "on\n");
  files_.fail(kBoard + "gpu_metrics", Errc::internal);
  ASSERT_TRUE(backend_->list());
  std::ptrdiff_t asked = 0;
  for (int second = 0; second < 300; ++second) {
    read();
    clock_.advance(1s);
  }
  const auto accesses = files_.take_accesses();
  asked = std::count(accesses.begin(), accesses.end(), kBoard + "gpu_metrics");
  EXPECT_LE(asked, 10);
  EXPECT_GE(asked, 5);
}

// --- sleep -----------------------------------------------------------------------------------------------------------

TEST_F(AmdgpuBackendTest, NothingButThePowerFilesOfASleepingCardIsTouched) {
  add_board(files_);
  ASSERT_TRUE(backend_->list());
  read();
  files_.write(kBoard + "power/runtime_status", "suspended\n");
  files_.write(kBoard + "power_state", "D3cold\n");
  files_.take_accesses();
  for (int i = 0; i < 100; ++i) {
    const Reading r = read();
    EXPECT_EQ(r.attention, Attention::asleep);
    EXPECT_EQ(r.temperature, absent<Celsius>(Missing::asleep));
    EXPECT_EQ(r.memory_used, absent<Bytes>(Missing::asleep));
    EXPECT_EQ(r.runtime_power_state, "D3cold");
    clock_.advance(1s);
  }
  EXPECT_THAT(files_.take_accesses(), AllOf(Not(IsEmpty()), Each(StartsWith(kBoard + "power"))));
}

TEST_F(AmdgpuBackendTest, ListingAndItsProcessesLeaveASleepingCardAlone) {
  add_board(files_);
  files_.write(kBoard + "power/runtime_status", "suspended\n");
  files_.write("/proc/1/comm", "init\n");
  const auto devices = backend_->list();
  ASSERT_TRUE(devices);
  ASSERT_EQ(devices->size(), 1u);
  EXPECT_EQ(devices->front().id, DeviceId{"PCI-0000:03:00.0"});
  EXPECT_EQ(devices->front().vbios_version, absent<std::string>(Missing::asleep));
  std::ignore = backend_->processes(devices->front().id);
  // What the PCI core keeps may be read; what amdgpu answers, may not.
  for (const auto& path : files_.take_accesses()) {
    if (!path.starts_with(kBoard)) continue;
    const auto file = path.substr(kBoard.size());
    EXPECT_TRUE(file.starts_with("power/") || file == "power_state" || file == "uevent" || file == "numa_node" ||
                file == "local_cpulist" || file == "revision" || file == "drm" || file == "driver")
        << path;
  }
}

TEST_F(AmdgpuBackendTest, ACardFirstSeenAsleepKeepsItsName) {
  add_board(files_);
  files_.write(kBoard + "power/runtime_status", "suspended\n");
  const auto asleep = backend_->list();
  files_.write(kBoard + "power/runtime_status", "active\n");
  const auto awake = backend_->list();
  ASSERT_TRUE(asleep && awake);
  EXPECT_EQ(asleep->front().id, awake->front().id);
  EXPECT_EQ(awake->front().vbios_version, "113-TEST-001");
}

TEST_F(AmdgpuBackendTest, TheComputeDriverNamesASleepingCard) {
  add_board(files_);
  add_kfd_node(files_, 1, 0x300, "unique_id 4822678189205111\n");
  files_.write(kBoard + "power/runtime_status", "suspended\n");
  EXPECT_EQ(backend_->list()->front().id, DeviceId{"AMD-0011223344556677"});
}

TEST_F(AmdgpuBackendTest, AnIdleCardIsLeftAloneSoThatItMaySleep) {
  add_board(files_);
  files_.write(kBoard + "gpu_busy_percent", "0\n");
  files_.write(kBoard + "gpu_metrics", GpuMetricsBytes(1, 3, 120).bytes());
  files_.remove(kBoard + "mem_busy_percent");
  files_.remove(kBoard + "vcn_busy_percent");
  ASSERT_TRUE(backend_->list());
  EXPECT_EQ(read().attention, Attention::awake);
  files_.take_accesses();
  EXPECT_EQ(read().attention, Attention::resting);
  EXPECT_EQ(read().temperature, absent<Celsius>(Missing::not_yet_read));
  EXPECT_THAT(files_.take_accesses(), Each(StartsWith(kBoard + "power")));
  clock_.advance(10s);
  EXPECT_EQ(read().attention, Attention::awake);
}

TEST_F(AmdgpuBackendTest, WakeReadsASleepingCard) {
  add_board(files_);
  files_.write(kBoard + "power/runtime_status", "suspended\n");
  restart(true);
  ASSERT_TRUE(backend_->list());
  EXPECT_EQ(read().temperature, Celsius(51));
}

TEST_F(AmdgpuBackendTest, ARecordedCardIsReadInFullWhateverItsPowerStateWas) {
  add_board(files_);
  files_.write(kBoard + "power/runtime_status", "suspended\n");
  files_.write(kBoard + "power_state", "D3hot\n");
  restart(false, true);
  const auto devices = backend_->list();
  ASSERT_TRUE(devices);
  EXPECT_EQ(devices->front().vbios_version, "113-TEST-001");
  const Reading reading = read();
  EXPECT_EQ(reading.attention, Attention::awake) << "nothing in a recording can be woken";
  EXPECT_EQ(reading.temperature, Celsius(51));
  EXPECT_EQ(reading.power, Watts(36));
  EXPECT_EQ(reading.runtime_power_state, "suspended") << "as it was recorded";
}

TEST_F(AmdgpuBackendTest, ACardThatFallsAsleepBetweenIsAsleepAndNotBroken) {
  add_board(files_);
  ASSERT_TRUE(backend_->list());
  read();
  // Newer kernels answer EPERM for a suspended card; the status has changed when we look again.
  class Dozing final : public Files {
   public:
    explicit Dozing(MemoryFiles& inner) : inner_(inner) {}
    Result<std::string> read(std::string_view path) const override {
      if (doze &&
          (path.find("/hwmon/") != std::string_view::npos || path.ends_with("gpu_metrics") ||
           path.find("busy_percent") != std::string_view::npos || path.find("mem_info") != std::string_view::npos)) {
        inner_.write(kBoard + "power/runtime_status", becomes);
        return gpukeeper::fail(Errc::unavailable, "Operation not permitted");
      }
      return inner_.read(path);
    }
    Result<std::vector<std::string>> list(std::string_view folder) const override { return inner_.list(folder); }
    Result<std::string> read_link(std::string_view path) const override { return inner_.read_link(path); }
    bool doze = false;
    std::string becomes = "suspended\n";

   private:
    MemoryFiles& inner_;
  } dozing(files_);
  const auto backend = make_amdgpu_backend({dozing, system_, clock_, *processes_, false, false});
  ASSERT_TRUE(backend->list());
  ASSERT_TRUE(backend->read(kBoardId));
  dozing.doze = true;
  const auto reading = backend->read(kBoardId);
  ASSERT_TRUE(reading) << reading.error().message;
  EXPECT_EQ(reading->attention, Attention::asleep);
  EXPECT_EQ(reading->power, absent<Watts>(Missing::asleep));

  files_.write(kBoard + "power/runtime_status", "active\n");
  dozing.becomes = "active\n";
  const auto reset = backend->read(kBoardId);
  ASSERT_FALSE(reset);
  EXPECT_EQ(reset.error().code, Errc::unavailable);
  EXPECT_EQ(
      reset.error().message,
      "read PCI-0000:03:00.0: the driver answers \"not now\": the card is starting, falling asleep or being reset; "
      "it is asked again");
  dozing.doze = false;
  const auto back = backend->read(kBoardId);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->temperature, Celsius(51));
  EXPECT_EQ(back->memory_total, Bytes(17163091968));
}

TEST_F(AmdgpuBackendTest, ACardThatLeftIsNotFound) {
  add_board(files_);
  ASSERT_TRUE(backend_->list());
  read();
  files_.remove("/sys/class/drm/card1");
  const auto reading = backend_->read(kBoardId);
  ASSERT_FALSE(reading);
  EXPECT_EQ(reading.error().code, Errc::not_found);
  EXPECT_TRUE(backend_->list()->empty());
  EXPECT_EQ(backend_->read(kBoardId).error().message,
            "read AMD-00112233aabbccdd: no such AMD GPU is in the list of cards; it may have left the bus");
  add_board(files_);
  ASSERT_EQ(backend_->list()->size(), 1u);
  EXPECT_EQ(read().temperature, Celsius(51));
}

// --- accelerators ----------------------------------------------------------------------------------------------------

TEST_F(AmdgpuBackendTest, PartitionsFollowTheirDevice) {
  add_accelerators(files_);
  const auto devices = backend_->list();
  ASSERT_TRUE(devices);
  ASSERT_EQ(devices->size(), 4u);
  EXPECT_EQ((*devices)[0].id, DeviceId{"AMD-00000000000000aa"});
  EXPECT_EQ((*devices)[0].architecture, "gfx942");
  EXPECT_EQ((*devices)[0].links, (std::vector<Link>{{Link::Kind::xgmi, "0000:0b:00.0", 1}}));
  EXPECT_EQ((*devices)[1].parent, (*devices)[0].id);
  EXPECT_EQ((*devices)[1].partition, "DPX (partition 0)");
  EXPECT_EQ((*devices)[2].id, DeviceId{"AMD-00000000000000aa/xcp1"});
  EXPECT_EQ((*devices)[3].id, DeviceId{"AMD-00000000000000bb"});
  EXPECT_EQ((*devices)[3].links, (std::vector<Link>{{Link::Kind::xgmi, "0000:05:00.0", 1}}))
      << "a link to each partition of one GPU is one link";
}

TEST_F(AmdgpuBackendTest, SensorsBelongToTheDeviceAndLoadToThePartition) {
  add_accelerators(files_);
  write_accelerator_metrics(files_, 0);
  const auto devices = backend_->list();
  ASSERT_TRUE(devices);
  const Reading whole = read((*devices)[0].id);
  EXPECT_EQ(whole.temperature, absent<Celsius>(Missing::not_supported)) << "the junction is no edge";
  EXPECT_EQ(whole.temperature_hotspot, Celsius(65));
  EXPECT_EQ(whole.temperature_slowdown, Celsius(100));
  EXPECT_EQ(whole.temperature_memory, Celsius(55));
  EXPECT_EQ(whole.power, Watts(550));
  EXPECT_EQ(whole.energy, Joules(100));
  EXPECT_EQ(whole.ecc_enabled, true);
  EXPECT_EQ(whole.ecc_corrected_volatile, Count(22));
  EXPECT_EQ(whole.ecc_uncorrected_volatile, Count(1));
  EXPECT_EQ(whole.retired_pages_uncorrected, Count(1));
  EXPECT_EQ(whole.retired_pages_pending, true);
  EXPECT_EQ(whole.interconnect_links, Count(2));
  EXPECT_EQ(whole.interconnect_links_active, Count(1));
  EXPECT_EQ(whole.pcie_replays, Count(9));
  const Reading first = read((*devices)[1].id);
  EXPECT_EQ(first.utilization, Percent(40));
  EXPECT_EQ(first.memory_total, Bytes(103079215104));
  EXPECT_EQ(first.temperature, absent<Celsius>(Missing::not_supported));
  const Reading second = read((*devices)[2].id);
  EXPECT_EQ(second.utilization, Percent(90));
  EXPECT_EQ(second.memory_total, absent<Bytes>(Missing::not_supported));
}

TEST_F(AmdgpuBackendTest, CountersTellThrottlingAndTrafficByTheirDifference) {
  add_accelerators(files_);
  write_accelerator_metrics(files_, 0);
  ASSERT_TRUE(backend_->list());
  const DeviceId id{"AMD-00000000000000aa"};
  Reading r = read(id);
  EXPECT_EQ(r.throttle_reasons, absent<ThrottleReasons>(Missing::not_yet_read));
  EXPECT_EQ(r.interconnect_rx, absent<BytesPerSecond>(Missing::not_yet_read));
  clock_.advance(2s);
  write_accelerator_metrics(files_, 2);
  r = read(id);
  EXPECT_EQ(r.throttle_reasons, ThrottleReasons(Throttle::power));
  EXPECT_EQ(r.interconnect_rx, BytesPerSecond(1024 * 1024));
  EXPECT_EQ(r.interconnect_tx, BytesPerSecond(0));
  clock_.advance(1s);
  r = read(id);
  EXPECT_EQ(r.throttle_reasons, ThrottleReasons());
}

TEST_F(AmdgpuBackendTest, AGpuThatOnlyTheComputeDriverShowsIsListed) {
  add_kfd_node(files_, 1, 0x6300, "unique_id 0\n");
  files_.write("/sys/class/kfd/kfd/topology/nodes/1/mem_banks/0/properties", "heap_type 1\nsize_in_bytes 4096\n");
  const auto devices = backend_->list();
  ASSERT_TRUE(devices);
  ASSERT_EQ(devices->size(), 1u);
  EXPECT_EQ(devices->front().id, DeviceId{"PCI-0000:63:00.0"});
  EXPECT_EQ(devices->front().pci_id, "1002:74a1");
  const Reading r = read(devices->front().id);
  EXPECT_EQ(r.memory_total, Bytes(4096));
  EXPECT_EQ(r.temperature, absent<Celsius>(Missing::not_supported));
}

TEST_F(AmdgpuBackendTest, TwoBoardsWithOneIdAreToldApartByTheirAddress) {
  add_board(files_, 0, "0000:03:00.0");
  add_board(files_, 1, "0000:07:00.0");
  const auto devices = backend_->list();
  ASSERT_TRUE(devices);
  ASSERT_EQ(devices->size(), 2u);
  EXPECT_EQ((*devices)[0].id, kBoardId);
  EXPECT_EQ((*devices)[1].id, DeviceId{"PCI-0000:07:00.0"});
}

// --- processes -------------------------------------------------------------------------------------------------------

class AmdgpuProcessesTest : public AmdgpuBackendTest {
 protected:
  void client(int pid, int id, const std::string& pdev, int vram_kib, std::int64_t gfx_ns) {
    files_.write(fmt::format("/proc/{}/comm", pid), fmt::format("app{}\n", pid));
    files_.link(fmt::format("/proc/{}/fd/4", pid), "/dev/dri/renderD128");
    files_.write(fmt::format("/proc/{}/fdinfo/4", pid),
                 fmt::format("drm-driver: amdgpu\ndrm-client-id: {}\ndrm-pdev: {}\ndrm-memory-vram: {} KiB\n"
                             "drm-memory-gtt: 16 KiB\ndrm-engine-gfx: {} ns\n",
                             id, pdev, vram_kib, gfx_ns));
  }
};

TEST_F(AmdgpuProcessesTest, DrmClientsAndTheComputeDriversAreMergedByPid) {
  add_accelerators(files_);
  ASSERT_TRUE(backend_->list());
  client(50, 1, "0000:05:00.0", 100, 7);
  client(60, 2, "0000:05:00.0", 100, 0);
  const std::string proc = "/sys/class/kfd/kfd/proc/";
  files_.write(proc + "60/vram_1003", "1048576\n");
  files_.write(proc + "60/stats_1003/cu_occupancy", "19\n");
  files_.write(proc + "70/vram_1002", "4096\n");
  files_.write(proc + "70/vram_1003", "4096\n");
  files_.write(proc + "80/vram_1004", "4096\n");
  files_.write("/proc/70/comm", "train\n");
  const auto list = backend_->processes(DeviceId{"AMD-00000000000000aa"});
  ASSERT_TRUE(list) << list.error().message;
  ASSERT_EQ(list->size(), 3u);
  EXPECT_EQ((*list)[0].pid, 50);
  EXPECT_EQ((*list)[0].type.to_string(), "graphics");
  EXPECT_EQ((*list)[0].memory, from_kib(100));
  EXPECT_EQ((*list)[1].pid, 60);
  EXPECT_EQ((*list)[1].type.to_string(), "compute");
  EXPECT_EQ((*list)[1].memory, 1_MiB) << "the larger of the two, never the sum";
  EXPECT_EQ((*list)[1].utilization, Percent(25)) << "19 of 76 compute units";
  EXPECT_EQ((*list)[1].partition, DeviceId{"AMD-00000000000000aa/xcp1"});
  EXPECT_EQ((*list)[2].pid, 70);
  EXPECT_EQ((*list)[2].name, "train");
  EXPECT_EQ((*list)[2].memory, from_kib(8));
  EXPECT_FALSE((*list)[2].utilization) << "not told is not zero";
  EXPECT_FALSE((*list)[2].partition) << "it runs in both";
  const auto partition = backend_->processes(DeviceId{"AMD-00000000000000aa/xcp0"});
  ASSERT_TRUE(partition);
  ASSERT_EQ(partition->size(), 1u);
  EXPECT_EQ(partition->front().pid, 70);
  EXPECT_EQ(partition->front().memory, from_kib(4));
}

TEST_F(AmdgpuProcessesTest, OnAnApuSystemMemoryIsAProcesssMemory) {
  add_apu(files_);
  ASSERT_TRUE(backend_->list());
  const DeviceId id{"PCI-0000:64:00.0"};
  read(id);
  client(50, 1, "0000:64:00.0", 100, 7);
  EXPECT_EQ(backend_->processes(id)->at(0).memory, from_kib(116));
}

TEST_F(AmdgpuProcessesTest, EngineLoadsComeFromTheLastLookAtTheProcesses) {
  add_board(files_);
  files_.remove(kBoard + "gpu_busy_percent");
  files_.remove(kBoard + "gpu_metrics");
  files_.write(kBoard + "power/control", "on\n");
  ASSERT_TRUE(backend_->list());
  client(50, 1, "0000:03:00.0", 100, 0);
  ASSERT_TRUE(backend_->processes(kBoardId));
  EXPECT_EQ(read().utilization_render, absent<Percent>(Missing::not_yet_read));
  clock_.advance(1s);
  client(50, 1, "0000:03:00.0", 100, 250'000'000);
  ASSERT_TRUE(backend_->processes(kBoardId));
  EXPECT_EQ(read().utilization_render, Percent(25));
  EXPECT_EQ(read().utilization, Percent(25)) << "nothing else tells it";
  clock_.advance(11s);
  EXPECT_EQ(read().utilization_render, absent<Percent>(Missing::not_yet_read)) << "an old sum says nothing of now";
}

TEST_F(AmdgpuProcessesTest, ASumOverSomeOfTheClientsIsNoFigureOfTheDevice) {
  add_board(files_);
  ASSERT_TRUE(backend_->list());
  client(50, 1, "0000:03:00.0", 100, 0);
  files_.write("/proc/60/fd/0", "");
  files_.fail("/proc/60/fd", Errc::not_permitted);
  ASSERT_TRUE(backend_->processes(kBoardId));
  EXPECT_EQ(read().utilization_render, absent<Percent>(Missing::not_permitted));
}

TEST_F(AmdgpuProcessesTest, ListsReadingsAndProcessesMayRunBesideEachOther) {
  add_accelerators(files_);
  write_accelerator_metrics(files_, 0);
  client(50, 1, "0000:05:00.0", 100, 7);
  const auto devices = backend_->list();
  ASSERT_TRUE(devices);
  std::vector<std::jthread> threads;
  for (const Device& device : *devices) {
    threads.emplace_back([this, id = device.id] {
      for (int i = 0; i < 50; ++i) EXPECT_TRUE(backend_->read(id));
    });
  }
  threads.emplace_back([this] {
    for (int i = 0; i < 50; ++i) EXPECT_EQ(backend_->list()->size(), 4u);
  });
  threads.emplace_back([this] {
    for (int i = 0; i < 50; ++i) {
      clock_.advance(1s);
      EXPECT_TRUE(backend_->processes(DeviceId{"AMD-00000000000000aa"}));
    }
  });
}

// --- contract and faults ---------------------------------------------------------------------------------------------

struct Machine {
  const char* name;
  std::function<void(MemoryFiles&)> build;
};

const Machine kMachines[] = {
    {"none", [](MemoryFiles&) {}},
    {"board", [](MemoryFiles& files) { add_board(files); }},
    {"apu", [](MemoryFiles& files) { add_apu(files); }},
    {"accelerators",
     [](MemoryFiles& files) {
       add_accelerators(files);
       write_accelerator_metrics(files, 1);
     }},
    {"mixed",
     [](MemoryFiles& files) {
       add_apu(files, 0, "0000:64:00.0");
       add_board(files, 1, "0000:03:00.0");
       add_board(files, 2, "0000:07:00.0", "00112233aabbccee");
       files.write("/sys/class/drm/card2/device/power/runtime_status", "suspended\n");
       files.write("/proc/50/comm", "app\n");
       files.link("/proc/50/fd/4", "/dev/dri/renderD128");
       files.write("/proc/50/fdinfo/4", "drm-driver: amdgpu\ndrm-client-id: 1\ndrm-pdev: 0000:03:00.0\n");
     }},
};

TEST_F(AmdgpuBackendTest, EveryMachineKeepsTheContract) {
  for (const Machine& machine : kMachines) {
    SCOPED_TRACE(machine.name);
    MemoryFiles files;
    machine.build(files);
    DrmProcesses processes(files, clock_, {});
    const auto backend = make_amdgpu_backend({files, system_, clock_, processes, false, false});
    check_backend_contract(*backend);
  }
}

TEST_F(AmdgpuBackendTest, AnySingleFailureIsAStateWithAReasonAndPasses) {
  for (const Machine& machine : kMachines) {
    for (int n = 1;; ++n) {
      SCOPED_TRACE(fmt::format("{}: access {} fails", machine.name, n));
      MemoryFiles files;
      machine.build(files);
      DrmProcesses processes(files, clock_, {});
      const auto backend = make_amdgpu_backend({files, system_, clock_, processes, false, false});
      files.fail_nth(n);
      std::vector<DeviceId> ids;
      if (const auto devices = backend->list()) {
        for (const Device& device : *devices) ids.push_back(device.id);
      } else {
        EXPECT_FALSE(devices.error().message.empty());
      }
      for (const auto& id : ids) {
        const auto reading = backend->read(id);
        EXPECT_TRUE(reading || !reading.error().message.empty());
        const auto list = backend->processes(id);
        EXPECT_TRUE(list || !list.error().message.empty());
      }
      const bool all_walked = files.take_accesses().size() < static_cast<std::size_t>(n);
      files.fail_nth(0);
      clock_.advance(5min);
      ASSERT_FALSE(HasFatalFailure());
      check_backend_contract(*backend);
      if (all_walked) break;
    }
  }
}

}  // namespace
}  // namespace gpukeeper
