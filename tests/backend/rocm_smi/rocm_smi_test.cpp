#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "backend/rocm_smi/parse.hpp"
#include "backend/rocm_smi/rocm_smi_backend.hpp"
#include "contract/backend_contract.hpp"
#include "fakes/corpus.hpp"
#include "fakes/fake_clock.hpp"
#include "fakes/fake_programs.hpp"
#include "fakes/memory_files.hpp"

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

template <class T>
Metric<T> absent(Missing why = Missing::not_supported) {
  return missing(why);
}

std::string fixture_path(const std::string& name) {
  return std::string(GPUKEEPER_SOURCE_DIR) + "/tests/fixtures/rocm_smi/" + name;
}

ToolDocument fixture(const std::string& name) {
  auto document = parse_rocm_smi(file_content(fixture_path(name)));
  EXPECT_TRUE(document) << (document ? "" : document.error().message);
  return document ? std::move(*document) : ToolDocument{};
}

std::string refusal(std::string_view text) {
  const auto document = parse_rocm_smi(text);
  if (document) return "accepted";
  EXPECT_EQ(document.error().code, Errc::invalid_argument);
  return document.error().message;
}

TEST(RocmSmiParseTest, ACardOfRocm5IsReadBehindTheWarnings) {
  const auto document = fixture("rocm-5-vega.json");
  ASSERT_THAT(document.gpus, SizeIs(1));
  const auto& [device, reading, trouble, processes, entries, partitions] = document.gpus[0];
  EXPECT_EQ(device.id.text, "AMD-23abcdef01234567");
  EXPECT_EQ(device.vendor, Vendor::amd);
  EXPECT_EQ(device.name, "Radeon VII");
  EXPECT_EQ(device.pci, (PciAddress{0, 0xa, 0, 0}));
  EXPECT_EQ(device.pci_id, "1002:66af");
  EXPECT_EQ(device.driver_version, "5.18.2");
  EXPECT_EQ(device.vbios_version, "113-D3600200-106");
  EXPECT_EQ(device.serial, absent<std::string>());
  EXPECT_EQ(device.numa_node, 0u);
  EXPECT_EQ(reading.temperature, Celsius(41));
  EXPECT_EQ(reading.temperature_hotspot, Celsius(44));
  EXPECT_EQ(reading.temperature_memory, Celsius(43));
  EXPECT_EQ(reading.fan, Percent(0));
  EXPECT_EQ(reading.fan_speed, Rpm(0));
  EXPECT_EQ(reading.utilization, Percent(3));
  EXPECT_EQ(reading.utilization_memory, Percent(1));
  EXPECT_EQ(reading.memory_total, Bytes(17163091968));
  EXPECT_EQ(reading.memory_used, Bytes(11161600));
  EXPECT_EQ(reading.memory_bar1_total, Bytes(268435456));
  EXPECT_EQ(reading.memory_gtt_total, Bytes(16693047296));
  EXPECT_EQ(reading.power, Watts(19));
  EXPECT_EQ(reading.power_instant, absent<Watts>());
  EXPECT_EQ(reading.power_limit, Watts(250));
  EXPECT_EQ(reading.clock_graphics, Megahertz(808));
  EXPECT_EQ(reading.clock_memory, Megahertz(350));
  EXPECT_EQ(reading.pcie_generation, Count(3));
  EXPECT_EQ(reading.pcie_width, Count(16));
  EXPECT_EQ(reading.pcie_replays, Count(2));
  EXPECT_EQ(reading.performance_state, "auto");
  EXPECT_THAT(reading.sensors, ElementsAre(Sensor{"graphics", "volts", 0.737}));
  ASSERT_TRUE(processes);
  ASSERT_THAT(*processes, SizeIs(2));
  EXPECT_EQ((*processes)[0].pid, 12);
  EXPECT_EQ((*processes)[0].name, "");
  EXPECT_EQ((*processes)[1].pid, 4711);
  EXPECT_EQ((*processes)[1].name, "train, loop.py") << "a name may hold commas";
  EXPECT_EQ((*processes)[1].memory, Bytes(2147483648));
}

TEST(RocmSmiParseTest, TheLabelsOfRocm6AreRead) {
  const auto document = fixture("rocm-6-mi300x2.json");
  ASSERT_THAT(document.gpus, SizeIs(2));
  const auto& [device, reading, trouble, processes, entries, partitions] = document.gpus[1];
  EXPECT_EQ(device.name, "AMD Instinct MI300X");
  EXPECT_EQ(device.architecture, "gfx942");
  EXPECT_EQ(reading.temperature, absent<Celsius>()) << "the junction is no edge";
  EXPECT_EQ(reading.temperature_hotspot, Celsius(37));
  EXPECT_EQ(reading.power, Watts(131));
  EXPECT_EQ(reading.power_instant, Watts(131));
  EXPECT_EQ(reading.utilization_memory, Percent(0));
  EXPECT_EQ(reading.energy, Joules(5000000.5 / 1e6));
  EXPECT_THAT(reading.sensors, ElementsAre(Sensor{"hbm_0", "celsius", 29}, Sensor{"hbm_1", "celsius", 28}));
  ASSERT_FALSE(processes);
  EXPECT_EQ(processes.error(), (Error{Errc::not_supported, "rocm-smi does not say on which card a process runs"}));
}

TEST(RocmSmiParseTest, NumbersMayBeNumbersAndNonsenseIsAFailedReading) {
  const auto card = fixture("rocm-6-mi300x2.json").gpus.at(0);
  EXPECT_EQ(card.device.id.text, "");
  EXPECT_EQ(card.device.name, "AMD GPU [1002:74a1]") << "a number is no name";
  EXPECT_EQ(card.reading.utilization, Percent(100));
  EXPECT_EQ(card.reading.power, Watts(700.5));
  EXPECT_EQ(card.reading.memory_total, Bytes(206141652992));
  EXPECT_EQ(card.reading.memory_used, absent<Bytes>(Missing::failed)) << "more than there is";
  EXPECT_EQ(card.reading.fan, absent<Percent>());
}

TEST(RocmSmiParseTest, DamagedInputIsRefusedWithWhatAndWhere) {
  EXPECT_EQ(refusal(" \n"), "rocm-smi JSON: it is empty");
  EXPECT_EQ(refusal("ERROR: GPU[0]: no\n"), "rocm-smi JSON: it holds no JSON; it begins with \"ERROR: GPU[0]: no\"");
  EXPECT_EQ(refusal("W\n{\"card0\": {\"a\": ]}}"), "rocm-smi JSON: line 2, column 17: not valid JSON");
  EXPECT_EQ(refusal("{\"card0\": {\"a\""),
            "rocm-smi JSON: line 1, column 15: not valid JSON; it may have been cut off");
  EXPECT_EQ(refusal("{\"gpu\": {}}"), "rocm-smi JSON: it has neither \"card0\" nor \"system\": this is not rocm-smi's");
  EXPECT_EQ(refusal("{\"a\":" + std::string(100, '[')), "rocm-smi JSON: nested deeper than 64");
  EXPECT_EQ(refusal(std::string((8 << 20) + 1, ' ')), "rocm-smi JSON: it is larger than 8 MiB");
}

class RocmSmiBackendTest : public ::testing::Test {
 protected:
  Result<std::unique_ptr<Backend>> open() { return open_rocm_smi(options_, {programs_, files_, clock_}); }
  std::string refusal() {
    const auto backend = open();
    if (backend) return "opened";
    EXPECT_EQ(backend.error().code, Errc::unavailable);
    return backend.error().message;
  }

  FakePrograms programs_;
  MemoryFiles files_;
  FakeClock clock_;
  RocmSmiOptions options_{.tool = {.background = false}};
};

TEST_F(RocmSmiBackendTest, EveryFixtureKeepsTheContractLiveAndRecorded) {
  for (const auto* name : {"rocm-5-vega.json", "rocm-6-mi300x2.json"}) {
    SCOPED_TRACE(name);
    options_.tool.file.clear();
    programs_.answer({0, file_content(fixture_path(name)), ""});
    const auto live = open();
    ASSERT_TRUE(live) << live.error().message;
    check_backend_contract(**live);
    EXPECT_THAT(programs_.take_runs(), ElementsAre("/usr/bin/rocm-smi --showallinfo --json"));
    options_.tool.file = fixture_path(name);
    const auto recorded = open();
    ASSERT_TRUE(recorded) << recorded.error().message;
    check_backend_contract(**recorded);
    EXPECT_TRUE((*recorded)->list()->front().recorded);
  }
}

TEST_F(RocmSmiBackendTest, ASleepingCardIsNotWoken) {
  const std::string folder = "/sys/bus/pci/devices/0000:0a:00.0";
  files_.write(folder + "/vendor", "0x1002\n");
  files_.write(folder + "/class", "0x030000\n");
  files_.write(folder + "/device", "0x66af\n");
  files_.write(folder + "/power/runtime_status", "suspended\n");
  files_.write(folder + "/power/control", "auto\n");
  files_.link(folder + "/driver", "../../../../bus/pci/drivers/amdgpu");
  const auto backend = open();
  ASSERT_TRUE(backend) << backend.error().message;
  const auto devices = (*backend)->list();
  ASSERT_TRUE(devices);
  ASSERT_THAT(*devices, SizeIs(1));
  EXPECT_EQ(devices->front().name, "AMD GPU [1002:66af]");
  EXPECT_EQ((*backend)->read(devices->front().id)->attention, Attention::asleep);
  EXPECT_THAT(programs_.take_runs(), IsEmpty());
}

TEST_F(RocmSmiBackendTest, WhatKeepsTheProgramFromAnsweringIsSaidWithItsRemedy) {
  programs_.answer({1, "", "ERROR:root:Driver not initialized (amdgpu not found in modules)\n"});
  EXPECT_EQ(
      refusal(),
      "rocm-smi --showallinfo --json ended with exit status 1: ERROR:root:Driver not initialized (amdgpu not found in "
      "modules); the kernel module is not loaded: load it with: modprobe amdgpu");
  programs_.answer({0, "", ""});
  EXPECT_EQ(refusal(), "rocm-smi --showallinfo --json printed nothing");
  programs_.answer({0, "{\"card0\"", ""});
  EXPECT_EQ(refusal(), "rocm-smi JSON: line 1, column 9: not valid JSON; it may have been cut off");
  programs_.uninstall();
  EXPECT_EQ(
      refusal(),
      "the program rocm-smi was not found in PATH; install it (Debian: rocm-smi; AMD's packages: rocm-smi-lib), or put "
      "it into PATH");
}

// The README of the corpus tells of these two: MI100 x4 and a Vega 20 workstation.
TEST_F(RocmSmiBackendTest, RecordedMachinesGiveTheFactsOfTheCorpus) {
  const auto folder = corpus();
  if (!folder) GTEST_SKIP() << "no corpus: set GPUKEEPER_CORPUS";
  const auto mi100 = parse_rocm_smi(file_content(*folder / "other/rocm-smi/mi100_rocm602.json"));
  ASSERT_TRUE(mi100) << mi100.error().message;
  ASSERT_THAT(mi100->gpus, SizeIs(4));
  EXPECT_EQ(mi100->gpus[0].device.name, "Arcturus GL-XL [Instinct MI100]");
  EXPECT_EQ(mi100->gpus[0].reading.temperature, Celsius(53));
  EXPECT_EQ(mi100->gpus[0].reading.temperature_hotspot, Celsius(55));
  EXPECT_EQ(mi100->gpus[0].reading.temperature_memory, Celsius(53));
  EXPECT_EQ(mi100->gpus[0].reading.power, Watts(36));
  EXPECT_EQ(mi100->gpus[0].reading.power_limit, Watts(290));
  EXPECT_EQ(mi100->gpus[0].reading.fan, absent<Percent>());
  const auto vega = parse_rocm_smi(file_content(*folder / "other/rocm-smi/vega-20-WKS-GL-XE.json"));
  ASSERT_TRUE(vega) << vega.error().message;
  ASSERT_THAT(vega->gpus, SizeIs(1));
  EXPECT_EQ(vega->gpus[0].device.name, "Radeon Instinct MI50 32GB");
  EXPECT_EQ(vega->gpus[0].reading.temperature, Celsius(36));
  EXPECT_EQ(vega->gpus[0].reading.temperature_hotspot, Celsius(38));
  EXPECT_EQ(vega->gpus[0].reading.temperature_memory, Celsius(35));
  EXPECT_EQ(vega->gpus[0].reading.power, Watts(26));
  EXPECT_EQ(vega->gpus[0].reading.power_limit, Watts(225));
  EXPECT_EQ(vega->gpus[0].reading.fan, Percent(0));
  for (const auto* name : {"mi100_rocm602.json", "vega-20-WKS-GL-XE.json"}) {
    SCOPED_TRACE(name);
    options_.tool.file = *folder / "other/rocm-smi" / name;
    const auto backend = open();
    ASSERT_TRUE(backend) << backend.error().message;
    check_backend_contract(**backend);
  }
}

}  // namespace
}  // namespace gpukeeper
