#include "backend/nvidia_smi/parse.hpp"

#include <chrono>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/corpus.hpp"

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

ToolDocument fixture(const std::string& name) {
  const auto text = file_content(std::string(GPUKEEPER_SOURCE_DIR) + "/tests/fixtures/nvidia_smi/" + name);
  auto document = parse_nvidia_smi(text);
  EXPECT_TRUE(document) << name << ": " << (document ? "" : document.error().message);
  return document ? std::move(*document) : ToolDocument{};
}

// A document of one GPU with this inside it.
ToolGpu gpu_with(const std::string& inside) {
  auto document =
      parse_nvidia_smi("<nvidia_smi_log><gpu id=\"00000000:01:00.0\">" + inside + "</gpu></nvidia_smi_log>");
  EXPECT_TRUE(document) << (document ? "" : document.error().message);
  return document && document->gpus.size() == 1 ? std::move(document->gpus[0]) : ToolGpu{};
}

std::string refusal(std::string_view text) {
  const auto document = parse_nvidia_smi(text);
  if (document) return "accepted";
  EXPECT_EQ(document.error().code, Errc::invalid_argument);
  return document.error().message;
}

TEST(NvidiaSmiParseTest, TheOldestSchemaHasMegabytesThatAreMebibytesAndProcessesWithoutAType) {
  const auto document = fixture("v2-fermi.xml");
  ASSERT_THAT(document.gpus, SizeIs(1));
  const auto& [device, reading, trouble, processes, entries, partitions] = document.gpus[0];
  EXPECT_EQ(device.id.text, "GPU-1111111111111111-22222222-33333333-44444444-555555555555555555555555");
  EXPECT_EQ(device.name, "Tesla C2075");
  EXPECT_EQ(device.pci, (PciAddress{0, 2, 0, 0}));
  EXPECT_EQ(device.pci_id, "10de:1096");
  EXPECT_EQ(device.pci_subsystem_id, "10de:0910");
  EXPECT_EQ(device.driver, "nvidia");
  EXPECT_EQ(device.driver_version, "285.05.33");
  EXPECT_EQ(device.serial, "0320000000001");
  EXPECT_EQ(reading.memory_total, 5375_MiB);
  EXPECT_EQ(reading.memory_used, 1500_MiB);
  EXPECT_EQ(reading.memory_free, 3875_MiB);
  EXPECT_EQ(reading.memory_reserved, absent<Bytes>());
  EXPECT_EQ(reading.memory_unified, false);
  EXPECT_EQ(reading.power, Watts(118.5));
  EXPECT_EQ(reading.power_limit, Watts(225));
  EXPECT_EQ(reading.performance_state, "P0") << "it stands under power_readings only";
  EXPECT_EQ(reading.compute_mode, "exclusive_process");
  EXPECT_EQ(reading.persistence_mode, true);
  EXPECT_EQ(reading.pcie_generation, Count(1));
  EXPECT_EQ(reading.pcie_generation_max, Count(2));
  EXPECT_EQ(reading.pcie_width, Count(8));
  EXPECT_EQ(reading.pcie_width_max, Count(16));
  EXPECT_EQ(reading.ecc_enabled, true);
  EXPECT_EQ(reading.ecc_corrected_volatile, Count(4));
  EXPECT_EQ(reading.ecc_uncorrected_volatile, Count(0));
  EXPECT_EQ(reading.ecc_corrected_aggregate, Count(9)) << "no total: the parts";
  EXPECT_EQ(reading.ecc_uncorrected_aggregate, Count(2));
  EXPECT_EQ(reading.clock_sm, Megahertz(1147));
  EXPECT_EQ(reading.clock_video, absent<Megahertz>());
  EXPECT_EQ(entries, 2u);
  ASSERT_TRUE(processes);
  ASSERT_THAT(*processes, SizeIs(1)) << "a pid listed twice is one process";
  EXPECT_EQ(processes->front().pid, 4242);
  EXPECT_EQ(processes->front().name, "solver");
  EXPECT_EQ(processes->front().type.to_string(), "compute");
  EXPECT_EQ(processes->front().memory, 1480_MiB);
}

TEST(NvidiaSmiParseTest, ABlockThatSaysNotAvailableMakesItsValuesAbsent) {
  const auto gpu = fixture("v5-kepler-geforce.xml").gpus.at(0);
  EXPECT_EQ(gpu.reading.fan, Percent(22));
  EXPECT_EQ(gpu.reading.utilization, absent<Percent>());
  EXPECT_EQ(gpu.reading.throttle_reasons, absent<ThrottleReasons>());
  EXPECT_EQ(gpu.reading.ecc_corrected_volatile, absent<Count>());
  EXPECT_EQ(gpu.reading.retired_pages_pending, absent<bool>());
  EXPECT_EQ(gpu.reading.performance_state, absent<std::string>());
  ASSERT_FALSE(gpu.processes);
  EXPECT_EQ(gpu.processes.error(), (Error{Errc::not_supported, "nvidia-smi says \"N/A\""}));
}

TEST(NvidiaSmiParseTest, ContextsOfOneProcessAreMergedAndMemoryIsNotCountedTwice) {
  const auto document = fixture("v9-pascal-x2.xml");
  ASSERT_THAT(document.gpus, SizeIs(2));
  const auto& busy = document.gpus[0];
  EXPECT_EQ(busy.device.pci, (PciAddress{0, 0x82, 0, 0})) << "parse keeps the document's order";
  EXPECT_EQ(busy.device.minor_number, 1u);
  EXPECT_EQ(busy.process_entries, 3u);
  ASSERT_TRUE(busy.processes);
  ASSERT_THAT(*busy.processes, SizeIs(2));
  const auto& hidden = (*busy.processes)[0];
  EXPECT_EQ(hidden.pid, 77);
  EXPECT_EQ(hidden.name, "");
  EXPECT_EQ(hidden.type.to_string(), "compute+mps");
  EXPECT_EQ(hidden.memory, absent<Bytes>(Missing::not_permitted));
  const auto& xorg = (*busy.processes)[1];
  EXPECT_EQ(xorg.pid, 900);
  EXPECT_EQ(xorg.name, "Xorg");
  EXPECT_EQ(xorg.type.to_string(), "compute+graphics");
  EXPECT_EQ(xorg.memory, 12_MiB);
}

TEST(NvidiaSmiParseTest, ThrottleReasonsAreReadUnderTheirOldNames) {
  const auto reading = fixture("v9-pascal-x2.xml").gpus.at(0).reading;
  ASSERT_TRUE(reading.throttle_reasons);
  EXPECT_THAT(reading.throttle_reasons->words(), ElementsAre("application clocks", "software power cap"));
  EXPECT_EQ(reading.temperature_shutdown, Celsius(85));
  EXPECT_EQ(reading.temperature_slowdown, Celsius(82));
  EXPECT_EQ(reading.temperature_max_operating, absent<Celsius>());
  EXPECT_EQ(reading.pcie_replays, Count(7));
  EXPECT_EQ(reading.pcie_tx, BytesPerSecond(250e6));
  EXPECT_EQ(reading.pcie_rx, BytesPerSecond(0));
  EXPECT_EQ(reading.retired_pages_corrected, Count(2));
  EXPECT_EQ(reading.retired_pages_uncorrected, Count(0));
  EXPECT_EQ(reading.retired_pages_pending, true);
  EXPECT_EQ(reading.power_limit_min, Watts(125));
  EXPECT_EQ(reading.power_limit_max, Watts(250));
  EXPECT_EQ(reading.power_limit_default, Watts(250));
}

TEST(NvidiaSmiParseTest, AZeroIsAZeroAndAnEmptyProcessListIsEmpty) {
  const auto idle = fixture("v9-pascal-x2.xml").gpus.at(1);
  EXPECT_EQ(idle.reading.temperature, Celsius(0));
  EXPECT_EQ(idle.reading.utilization, Percent(0));
  EXPECT_EQ(idle.reading.memory_total, absent<Bytes>());
  ASSERT_TRUE(idle.processes);
  EXPECT_THAT(*idle.processes, IsEmpty());
}

TEST(NvidiaSmiParseTest, WindowsShowsNoMemoryOfProcessesAndItsPathsHaveBackslashes) {
  const auto gpu = fixture("v10-windows-laptop.xml").gpus.at(0);
  EXPECT_EQ(gpu.device.driver, absent<std::string>());
  EXPECT_EQ(gpu.device.cuda_version, "10.2");
  EXPECT_EQ(gpu.device.minor_number, absent<std::uint32_t>());
  EXPECT_EQ(gpu.reading.power, absent<Watts>(Missing::failed));
  EXPECT_EQ(gpu.reading.power_limit, absent<Watts>());
  EXPECT_FALSE(gpu.trouble) << "one failed sensor is no lost GPU";
  ASSERT_TRUE(gpu.processes);
  ASSERT_THAT(*gpu.processes, SizeIs(2));
  EXPECT_EQ((*gpu.processes)[0].name, "player.exe");
  EXPECT_EQ((*gpu.processes)[0].memory, absent<Bytes>());
  EXPECT_EQ((*gpu.processes)[0].type.to_string(), "compute+graphics");
  EXPECT_EQ((*gpu.processes)[1].name, "");
}

TEST(NvidiaSmiParseTest, MigInstancesArePartitionsWithTheirMemoryAndProcesses) {
  const auto gpu = fixture("v12-mig.xml").gpus.at(0);
  EXPECT_EQ(gpu.reading.mig_mode, true);
  EXPECT_EQ(gpu.reading.utilization, absent<Percent>());
  ASSERT_THAT(gpu.partitions, SizeIs(2));
  const auto& first = gpu.partitions[0];
  EXPECT_EQ(first.device.id.text, "MIG-GPU-dddddddd-0000-0000-0000-000000000100/1/0");
  EXPECT_EQ(first.device.parent, gpu.device.id);
  EXPECT_EQ(first.device.partition, "MIG 1/0 (GPU instance 1, compute instance 0)");
  EXPECT_EQ(first.device.name, "NVIDIA H100 PCIe MIG 1/0");
  EXPECT_EQ(first.reading.memory_used, 8200_MiB);
  EXPECT_EQ(first.reading.memory_total, 40448_MiB);
  EXPECT_EQ(first.reading.memory_bar1_total, 65535_MiB);
  EXPECT_EQ(first.reading.ecc_uncorrected_volatile, Count(5));
  EXPECT_EQ(first.reading.temperature, absent<Celsius>());
  EXPECT_EQ(gpu.partitions[1].reading.memory_used, 22_MiB);
  ASSERT_TRUE(gpu.processes);
  ASSERT_THAT(*gpu.processes, SizeIs(2));
  EXPECT_EQ((*gpu.processes)[0].partition, first.device.id);
  EXPECT_EQ((*gpu.processes)[0].memory, 8000_MiB);
  EXPECT_EQ((*gpu.processes)[1].partition, std::nullopt) << "it runs in two instances";
  EXPECT_EQ((*gpu.processes)[1].memory, 100_MiB) << "memory of different instances adds up";
  EXPECT_EQ((*gpu.processes)[1].name, "view") << "without its arguments";
}

TEST(NvidiaSmiParseTest, NewNamesOfReasonsPowerAndErrorsAreRead) {
  const auto reading = fixture("v12-mig.xml").gpus.at(0).reading;
  ASSERT_TRUE(reading.throttle_reasons);
  EXPECT_THAT(reading.throttle_reasons->words(), ElementsAre("software thermal slowdown", "other"));
  EXPECT_EQ(reading.power, Watts(120)) << "never the module's";
  EXPECT_EQ(reading.power_limit, Watts(350)) << "the one in force, not the one asked for";
  EXPECT_EQ(reading.ecc_corrected_volatile, Count(11));
  EXPECT_EQ(reading.ecc_uncorrected_volatile, Count(5));
  EXPECT_EQ(reading.ecc_corrected_aggregate, absent<Count>());
  EXPECT_EQ(reading.remapped_rows_corrected, Count(1));
  EXPECT_EQ(reading.remapped_rows_uncorrected, Count(0));
  EXPECT_EQ(reading.remapped_rows_pending, false);
  EXPECT_EQ(reading.remapped_rows_failed, true);
  EXPECT_EQ(reading.temperature_margin, Celsius(46));
  EXPECT_EQ(reading.temperature_slowdown, absent<Celsius>()) << "a distance is no temperature";
  EXPECT_THAT(reading.sensors,
              ElementsAre(Sensor{"tlimit_shutdown", "celsius", -8}, Sensor{"tlimit_slowdown", "celsius", -2}));
  EXPECT_EQ(reading.temperature_memory, Celsius(45));
  EXPECT_EQ(reading.memory_reserved, 550_MiB);
}

TEST(NvidiaSmiParseTest, TheInstantPowerStandsInWhereNoAverageIsMade) {
  const auto reading = fixture("v13-lost-and-well.xml").gpus.at(0).reading;
  EXPECT_EQ(reading.power, Watts(145.2));
  EXPECT_EQ(reading.power_instant, Watts(145.2));
  EXPECT_EQ(reading.throttle_power_time, 1500us);
  EXPECT_EQ(reading.throttle_thermal_time, 700us);
  EXPECT_EQ(reading.utilization_jpeg, Percent(0));
  EXPECT_EQ(reading.pcie_generation, absent<Count>()) << "no link has generation 0";
  EXPECT_EQ(reading.pcie_generation_max, Count(5));
}

TEST(NvidiaSmiParseTest, WhatTheDriverEnforcesIsNoLimitThatTheBoardHas) {
  const auto gpu = gpu_with(
      "<power_readings><power_draw>9.41 W</power_draw><power_limit>N/A</power_limit>"
      "<enforced_power_limit>60.00 W</enforced_power_limit></power_readings>");
  EXPECT_EQ(gpu.reading.power, Watts(9.41));
  EXPECT_EQ(gpu.reading.power_limit, absent<Watts>());
}

TEST(NvidiaSmiParseTest, ALostGpuIsInTroubleWhateverTheDriverRemembersOfIt) {
  const auto document = fixture("v13-lost-and-well.xml");
  EXPECT_EQ(document.gpus.at(0).trouble, std::nullopt);
  const auto& lost = document.gpus.at(1);
  EXPECT_EQ(lost.trouble,
            "nvidia-smi says \"GPU is lost\": look for Xid errors in the kernel log (dmesg), then reset "
            "the GPU (nvidia-smi --gpu-reset) or reboot");
  EXPECT_EQ(lost.device.name, "NVIDIA B200");
  EXPECT_EQ(lost.reading.temperature, absent<Celsius>(Missing::failed));
  EXPECT_EQ(lost.reading.remapped_rows_corrected, absent<Count>(Missing::failed));
  EXPECT_EQ(lost.reading.power_limit, Watts(1000));
}

TEST(NvidiaSmiParseTest, AGpuThatAnswersWithErrorsOnlyStillHasANameAndAPlace) {
  const auto sick = fixture("v13-lost-and-well.xml").gpus.at(2);
  EXPECT_EQ(sick.device.name, "NVIDIA GPU [10de:2901]");
  EXPECT_EQ(sick.device.id.text, "") << "put_in_order names it by its place";
  EXPECT_EQ(sick.device.pci, (PciAddress{0, 0x4c, 0, 0}));
  EXPECT_EQ(sick.reading.fan, absent<Percent>(Missing::failed));
  EXPECT_EQ(sick.trouble,
            "nvidia-smi could read nothing of it (\"Unknown Error\"): look for Xid errors in the kernel log "
            "(dmesg), then reset the GPU or reboot");
}

TEST(NvidiaSmiParseTest, AGpuWithoutMemoryOfItsOwnSharesTheSystems) {
  const auto gpu = fixture("v13-unified-memory.xml").gpus.at(0);
  EXPECT_EQ(gpu.device.pci, (PciAddress{0xf, 1, 0, 0}));
  EXPECT_EQ(gpu.device.cuda_version, absent<std::string>());
  EXPECT_EQ(gpu.device.serial, absent<std::string>(Missing::not_permitted));
  EXPECT_EQ(gpu.reading.memory_unified, true);
  EXPECT_EQ(gpu.reading.memory_total, absent<Bytes>());
  EXPECT_EQ(gpu.reading.temperature, Celsius(37));
  EXPECT_EQ(gpu.reading.temperature_memory, absent<Celsius>());
  EXPECT_EQ(gpu.reading.power, Watts(4.1));
  EXPECT_FALSE(gpu.trouble);
}

TEST(NvidiaSmiParseTest, ANumberThatNoGpuCanHaveIsAFailedReading) {
  const auto reading = fixture("v13-unified-memory.xml").gpus.at(0).reading;
  EXPECT_EQ(reading.fan, absent<Percent>(Missing::failed));
  EXPECT_EQ(reading.utilization, absent<Percent>(Missing::failed));
}

TEST(NvidiaSmiParseTest, EveryTextThatStandsForNoValueIsAbsentWithItsReason) {
  struct Case {
    const char* text;
    Missing why;
  };
  constexpr Case kCases[] = {
      {"N/A", Missing::not_supported},
      {"[N/A]", Missing::not_supported},
      {"None", Missing::not_supported},
      {"Not Found", Missing::not_supported},
      {"[Not Supported]", Missing::not_supported},
      {"", Missing::not_supported},
      {"   ", Missing::not_supported},
      {"- C", Missing::not_supported},
      {"nan", Missing::not_supported},
      {"inf W", Missing::not_supported},
      {"Requested functionality has been deprecated", Missing::not_supported},
      {"Insufficient Permissions", Missing::not_permitted},
      {"[Insufficient Permissions]", Missing::not_permitted},
      {"[REDACTED]", Missing::not_permitted},
      {"GPU is lost", Missing::failed},
      {"[GPU is lost]", Missing::failed},
      {"Unknown Error", Missing::failed},
      {"ERR!", Missing::failed},
      {"Insufficient Size", Missing::failed},
      {"GPU requires reset", Missing::failed},
      {"1e999 W", Missing::failed},
      {"99999999999999999999999999 W", Missing::failed},
  };
  for (const Case& one : kCases) {
    SCOPED_TRACE(one.text);
    const std::string text = one.text;
    const auto gpu = gpu_with("<fan_speed>" + text + "</fan_speed><power_readings><power_draw>" + text +
                              "</power_draw></power_readings><fb_memory_usage><used>" + text +
                              "</used></fb_memory_usage>" + "<serial>" + text + "</serial>");
    const bool number = text.find_first_of("0123456789") == 0;
    if (text != "1e999 W") {  // a fixed-point number: "1" and a strange unit
      EXPECT_EQ(gpu.reading.power, absent<Watts>(one.why));
      EXPECT_EQ(gpu.reading.memory_used, absent<Bytes>(one.why));
    }
    if (!number && text != "nan" && text != "inf W" && text != "- C") {
      EXPECT_EQ(gpu.device.serial, absent<std::string>(one.why));
    }
  }
}

TEST(NvidiaSmiParseTest, AMemoryOfZeroIsAChipThatSharesTheSystems) {
  const auto gpu = gpu_with("<fb_memory_usage><total>0 MiB</total><used>0 MiB</used></fb_memory_usage>");
  EXPECT_EQ(gpu.reading.memory_unified, true);
  EXPECT_EQ(gpu.reading.memory_total, 0_MiB);
}

TEST(NvidiaSmiParseTest, WarningsBeforeTheDocumentAreSkippedAndPlacesCountThem) {
  EXPECT_EQ(refusal("WARNING: infoROM\n\n<?xml version=\"1.0\" ?>\n<nvidia_smi_log/>"), "accepted");
  EXPECT_EQ(refusal("WARNING: infoROM\n<nvidia_smi_log>\n<gpu></uuid></nvidia_smi_log>"),
            "nvidia-smi XML: line 3, column 8: Start-end tags mismatch");
}

TEST(NvidiaSmiParseTest, AFanFasterThanItsNominalMaximumRunsFully) {
  EXPECT_EQ(gpu_with("<fan_speed>105 %</fan_speed>").reading.fan, Percent(100));
}

TEST(NvidiaSmiParseTest, MoreMemoryInUseThanThereIsIsAFailedReading) {
  const auto gpu = gpu_with("<fb_memory_usage><total>100 MiB</total><used>101 MiB</used></fb_memory_usage>");
  EXPECT_EQ(gpu.reading.memory_used, absent<Bytes>(Missing::failed));
  EXPECT_EQ(gpu.reading.memory_total, 100_MiB);
}

TEST(NvidiaSmiParseTest, AStubOfAGpuIsADeviceAllTheSame) {
  const auto gpu = gpu_with("<product_name>GeForce GT 610</product_name>");
  EXPECT_EQ(gpu.device.name, "GeForce GT 610");
  EXPECT_EQ(gpu.device.pci, (PciAddress{0, 1, 0, 0})) << "from the element's id";
  ASSERT_FALSE(gpu.processes);
  EXPECT_EQ(gpu.processes.error(), (Error{Errc::not_supported, "nvidia-smi lists no processes for this GPU"}));
}

TEST(NvidiaSmiParseTest, ProcessesThatThisUserMayNotSeeAreNotPermitted) {
  const auto gpu = gpu_with("<processes>Insufficient Permissions</processes>");
  ASSERT_FALSE(gpu.processes);
  EXPECT_EQ(gpu.processes.error(), (Error{Errc::not_permitted, "nvidia-smi says \"Insufficient Permissions\""}));
}

TEST(NvidiaSmiParseTest, NamesComeOutFitForAScreen) {
  const auto gpu = gpu_with(
      "<processes><process_info><pid>5</pid><process_name>a&#27;[31m\xff&amp;b</process_name>"
      "</process_info></processes>");
  ASSERT_TRUE(gpu.processes);
  ASSERT_THAT(*gpu.processes, SizeIs(1));
  EXPECT_EQ(gpu.processes->front().name, "a [31m?&b");
}

TEST(NvidiaSmiParseTest, AProcessWithoutAPidIsNone) {
  const auto gpu = gpu_with(
      "<processes><process_info><pid>N/A</pid></process_info>"
      "<process_info><pid>0</pid></process_info></processes>");
  ASSERT_TRUE(gpu.processes);
  EXPECT_THAT(*gpu.processes, IsEmpty());
  EXPECT_EQ(gpu.process_entries, 2u);
}

TEST(NvidiaSmiParseTest, ADriverWithoutAGpuIsADocumentWithoutDevices) {
  const auto document = parse_nvidia_smi("<nvidia_smi_log><attached_gpus>0</attached_gpus></nvidia_smi_log>");
  ASSERT_TRUE(document);
  EXPECT_THAT(document->gpus, IsEmpty());
}

TEST(NvidiaSmiParseTest, DamagedInputIsRefusedWithWhatAndWhere) {
  EXPECT_EQ(refusal(""), "nvidia-smi XML: it is empty");
  EXPECT_EQ(refusal(" \n "), "nvidia-smi XML: it is empty");
  EXPECT_EQ(refusal("NVIDIA-SMI has failed\nmore"),
            "nvidia-smi XML: it is not XML; it begins with \"NVIDIA-SMI has failed\"");
  EXPECT_EQ(refusal("<html><body/></html>"),
            "nvidia-smi XML: line 1, column 2: the root element is <html>, not <nvidia_smi_log>");
  EXPECT_EQ(refusal("<nvidia_smi_log>\n <gpu>\n  <uuid>x</uid>\n </gpu>\n</nvidia_smi_log>"),
            "nvidia-smi XML: line 3, column 12: Start-end tags mismatch");
  EXPECT_EQ(refusal("<nvidia_smi_log>\n <gpu>\n"),
            "nvidia-smi XML: line 2, column 7: Start-end tags mismatch; the document may have been cut off");
  EXPECT_EQ(refusal(std::string("<nvidia_smi_log>\n\0<gpu/></nvidia_smi_log>", 41)),
            "nvidia-smi XML: line 2, column 1: a NUL byte");
  EXPECT_EQ(refusal(std::string("\xff\xfe<\0n\0", 6)),
            "nvidia-smi XML: it is UTF-16, as PowerShell's > writes it: save it as UTF-8 (| Out-File -Encoding utf8)");
  EXPECT_EQ(refusal(std::string((8 << 20) + 1, ' ')), "nvidia-smi XML: it is larger than 8 MiB");
}

TEST(NvidiaSmiParseTest, ADocumentTypeWithDeclarationsIsRefused) {
  EXPECT_EQ(
      refusal("<?xml version=\"1.0\"?>\n<!DOCTYPE a [<!ENTITY b \"c\">]><nvidia_smi_log/>"),
      "nvidia-smi XML: line 2, column 13: the DOCTYPE holds declarations of its own, which nvidia-smi never writes");
  EXPECT_EQ(refusal("<!DOCTYPE nvidia_smi_log"), "nvidia-smi XML: line 1, column 1: the DOCTYPE does not end");
}

TEST(NvidiaSmiParseTest, DepthAndNumberOfElementsAreLimited) {
  std::string deep = "<nvidia_smi_log>";
  for (int i = 0; i < 100; ++i) deep += "<a>";
  for (int i = 0; i < 100; ++i) deep += "</a>";
  EXPECT_EQ(refusal(deep + "</nvidia_smi_log>"), "nvidia-smi XML: line 1, column 207: nested deeper than 64");
  std::string many = "<nvidia_smi_log>";
  many.reserve(4 << 20);
  for (int i = 0; i < 1'000'001; ++i) many += "<a/>";
  EXPECT_EQ(refusal(many + "</nvidia_smi_log>"), "nvidia-smi XML: it has more than 500000 elements");
}

TEST(NvidiaSmiParseTest, AByteOrderMarkAndPaddingAroundTheDocumentAreSkipped) {
  EXPECT_EQ(refusal("\xef\xbb\xbf<nvidia_smi_log><gpu/></nvidia_smi_log>"), "accepted");
  EXPECT_EQ(refusal(std::string("\n <nvidia_smi_log/>\n\0\0", 22)), "accepted");
}

TEST(PutInOrderTest, GpusStandInPciOrderAndEveryIdIsUnique) {
  auto document = fixture("v9-pascal-x2.xml");
  document.gpus[1].device.id = document.gpus[0].device.id;  // a masked recording
  document.gpus.emplace_back();
  document.gpus.emplace_back();
  put_in_order(document, "nvidia-smi");
  std::vector<std::string> ids;
  for (const auto& gpu : document.gpus) ids.push_back(gpu.device.id.text);
  EXPECT_THAT(
      ids, ElementsAre("GPU-bbbbbbbb-0000-0000-0000-000000000002", "PCI-0000:82:00.0", "nvidia-smi-2", "nvidia-smi-3"));
}

TEST(PutInOrderTest, ProcessesFollowAPartitionThatHadToBeRenamed) {
  auto document = fixture("v12-mig.xml");
  document.gpus.push_back(document.gpus[0]);
  document.gpus[1].device.pci->bus = 0x18;
  put_in_order(document, "nvidia-smi");
  const auto& copy = document.gpus[1];
  EXPECT_EQ(copy.device.id.text, "PCI-0000:18:00.0");
  EXPECT_EQ(copy.partitions[0].device.id.text, "MIG-PCI-0000:18:00.0/0");
  EXPECT_EQ(copy.partitions[0].device.parent, copy.device.id);
  EXPECT_EQ(copy.processes->front().partition, copy.partitions[0].device.id);
}

}  // namespace
}  // namespace gpukeeper
