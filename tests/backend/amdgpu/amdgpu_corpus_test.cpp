// The recorded machines: every row of the corpus's table about amdgpu, and the contract over every tree.
#include <filesystem>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "backend/amdgpu/amdgpu_backend.hpp"
#include "backend/sysfs/drm_processes.hpp"
#include "contract/backend_contract.hpp"
#include "core/text.hpp"
#include "fakes/corpus.hpp"
#include "fakes/fake_clock.hpp"
#include "fakes/memory_files.hpp"

namespace gpukeeper {
namespace {

struct Recorded {
  explicit Recorded(const std::filesystem::path& root)
      : files(root.string()),
        processes(files, clock, {}),
        backend(make_amdgpu_backend({files, system, clock, processes, false, true})) {}

  RealFiles files;
  RealFiles system;
  FakeClock clock;
  DrmProcesses processes;
  std::unique_ptr<Backend> backend;
};

// A cell's number without its unit; nothing for "-".
std::optional<double> cell(const CorpusRow& row, std::string_view column) {
  const auto& text = row.at(std::string(column));
  if (text == "-") return std::nullopt;
  const auto number = leading_number(text);
  EXPECT_TRUE(number) << column << " is " << text;
  return number;
}

template <class T>
void expect_cell(const CorpusRow& row, std::string_view column, const Metric<T>& metric) {
  const auto told = cell(row, column);
  ASSERT_EQ(metric.has_value(), told.has_value()) << column;
  if (told) {
    EXPECT_NEAR(static_cast<double>(metric->value()), *told, 1e-6) << column;
  } else {
    EXPECT_EQ(metric.error(), Missing::not_supported) << column << ": it is not there, and that is no failure";
  }
}

TEST(AmdgpuCorpusTest, EveryRowOfTheTableIsTold) {
  const auto folder = corpus();
  if (!folder) GTEST_SKIP() << "no corpus: set GPUKEEPER_CORPUS";
  int seen = 0;
  for (const CorpusRow& row : corpus_table(*folder, "file,vendor,name")) {
    if (!row.at("file").starts_with("amdgpu/") || row.at("quirk").find("driver amdgpu") == std::string::npos) continue;
    SCOPED_TRACE(row.at("file"));
    ++seen;
    Recorded machine(*folder / row.at("file"));
    const auto devices = machine.backend->list();
    ASSERT_TRUE(devices) << devices.error().message;
    ASSERT_EQ(devices->size(), 1u);
    const Device& device = devices->front();
    EXPECT_EQ(device.vendor, Vendor::amd);
    EXPECT_TRUE(device.recorded);
    EXPECT_FALSE(device.name.empty());
    const auto pci = row.at("quirk").find("pci 1002:");
    ASSERT_NE(pci, std::string::npos);
    EXPECT_EQ(device.pci_id, row.at("quirk").substr(pci + 4, 9));

    const auto reading = machine.backend->read(device.id);
    ASSERT_TRUE(reading) << reading.error().message;
    EXPECT_EQ(reading->attention, Attention::awake);
    expect_cell(row, "temp_c", reading->temperature);
    expect_cell(row, "mem_used", reading->memory_used);
    expect_cell(row, "mem_total", reading->memory_total);
    expect_cell(row, "util", reading->utilization);
    expect_cell(row, "power_w", reading->power);
    expect_cell(row, "power_limit_w", reading->power_limit);
    expect_cell(row, "fan", reading->fan_speed);
    // "temps edge=38 junction=38 mem=39;"
    const auto temps = row.at("quirk").find("temps ");
    const auto list = row.at("quirk").substr(temps + 6, row.at("quirk").find(';', temps) - temps - 6);
    for (const auto one : split(list, ' ')) {
      const auto parts = split(one, '=');
      ASSERT_EQ(parts.size(), 2u);
      const auto& metric = parts[0] == "edge"       ? reading->temperature
                           : parts[0] == "junction" ? reading->temperature_hotspot
                                                    : reading->temperature_memory;
      EXPECT_EQ(metric, Celsius(*parse_double(parts[1]))) << one;
    }
    if (const auto gtt = row.at("quirk").find("gtt "); gtt != std::string::npos) {
      const auto sizes = split(std::string_view(row.at("quirk")).substr(gtt + 4), '/');
      EXPECT_EQ(reading->memory_gtt_used, Bytes(*parse_u64(sizes[0])));
      EXPECT_EQ(reading->memory_gtt_total, Bytes(static_cast<std::uint64_t>(*leading_number(sizes[1]))));
    }
    const auto processes = machine.backend->processes(device.id);
    ASSERT_FALSE(processes) << "a recording has no /proc";
    EXPECT_EQ(processes.error().code, Errc::not_supported);
  }
  EXPECT_GE(seen, 10);
}

Reading read_only_device(Recorded& machine) {
  const auto devices = machine.backend->list();
  EXPECT_TRUE(devices && devices->size() == 1);
  if (!devices || devices->empty()) return Reading{Missing::failed};
  const auto reading = machine.backend->read(devices->front().id);
  EXPECT_TRUE(reading);
  return reading ? *reading : Reading{Missing::failed};
}

// What the table's column "quirk" tells beyond the other columns.
TEST(AmdgpuCorpusTest, TheQuirksOfTheTableAreUnderstood) {
  const auto folder = corpus();
  if (!folder) GTEST_SKIP() << "no corpus: set GPUKEEPER_CORPUS";
  const auto read = [&](const char* name) {
    SCOPED_TRACE(name);
    Recorded machine(*folder / "amdgpu" / name);
    return read_only_device(machine);
  };
  const auto none = [](auto& metric) { return !metric && metric.error() == Missing::not_supported; };

  const Reading r7 = read("r7-240");
  EXPECT_TRUE(none(r7.clock_graphics_max)) << "pp_dpm_* hold only a newline";
  EXPECT_TRUE(none(r7.fan)) << "fan control is off";

  const Reading vega = read("vega56");
  EXPECT_EQ(vega.fan, Percent(0)) << "5 rpm at pwm 0 means stopped";
  EXPECT_EQ(vega.memory_bar1_total, 256_MiB);
  EXPECT_EQ(vega.pcie_generation, Count(3)) << "both levels are starred, and the same";
  EXPECT_EQ(vega.pcie_width, Count(16));
  EXPECT_EQ(vega.clock_graphics_max, Megahertz(1590));
  EXPECT_EQ(vega.temperature_slowdown, Celsius(85));
  EXPECT_EQ(vega.temperature_shutdown, Celsius(90));

  const Reading navi10 = read("rx5700xt");
  EXPECT_TRUE(none(navi10.fan)) << "29 rpm at pwm 65";
  EXPECT_EQ(navi10.clock_graphics, Megahertz(10)) << "freq1, as no level is starred";
  EXPECT_EQ(navi10.pcie_generation, Count(3)) << "16.0 GT/s is the inside of the card";

  const Reading navi23 = read("rx6600");
  EXPECT_TRUE(none(navi23.fan)) << "1395 rpm at pwm 0";
  EXPECT_EQ(navi23.clock_graphics, Megahertz(20)) << "not the starred 2605";
  EXPECT_EQ(navi23.pcie_width, Count(8));

  const Reading navi21 = read("rx6900xt");
  EXPECT_EQ(navi21.memory_total, Bytes(17163091968)) << "through the padding";
  EXPECT_EQ(navi21.throttle_reasons, ThrottleReasons());
  EXPECT_EQ(navi21.utilization_memory, Percent(0));
  EXPECT_EQ(navi21.pcie_generation, Count(4));
  EXPECT_EQ(navi21.pcie_width, Count(16));

  const Reading laptop = read("rx7600s");
  EXPECT_TRUE(none(laptop.fan)) << "the fan belongs to the laptop's controller";
  EXPECT_EQ(laptop.power_limit_min, laptop.power_limit_max);
  EXPECT_EQ(laptop.performance_state, "manual");
  EXPECT_EQ(laptop.clock_graphics, Megahertz(0)) << "asleep inside: a true 0";
  EXPECT_TRUE(laptop.throttle_reasons);

  const Reading navi31 = read("rx7900xtx");
  EXPECT_EQ(navi31.clock_graphics, Megahertz(31));
  EXPECT_EQ(navi31.clock_graphics_max, Megahertz(2219));
  EXPECT_EQ(navi31.power_limit_min, Watts(261));
  EXPECT_EQ(navi31.pcie_generation, Count(4)) << "three starred lines, all the same";

  const Reading navi48 = read("rx9070");
  EXPECT_EQ(navi48.clock_graphics_max, Megahertz(2070));
  EXPECT_EQ(navi48.power_limit_min, Watts(0));
  EXPECT_EQ(navi48.pcie_generation, Count(4)) << "32.0 GT/s is the inside of the card";
  EXPECT_NEAR(navi48.fan->value(), 100.0 * 117 / 255, 1e-9);

  const Reading phoenix = read("phoenix");
  EXPECT_EQ(phoenix.memory_unified, true);
  EXPECT_NEAR(phoenix.power_instant->value(), 3.142, 1e-9);
  EXPECT_EQ(phoenix.utilization, Percent(0)) << "not the table's 79";
  EXPECT_TRUE(none(phoenix.power_limit));
  EXPECT_EQ(phoenix.clock_memory, Megahertz(400));
  EXPECT_EQ(phoenix.runtime_power_state, "active");

  const Reading deck = read("vangogh");
  EXPECT_EQ(deck.memory_unified, true);
  EXPECT_NEAR(deck.power_instant->value(), 4.057, 1e-9);
  EXPECT_EQ(deck.power_limit_max, Watts(29));
  EXPECT_EQ(deck.clock_memory, Megahertz(687));
  EXPECT_TRUE(none(deck.fan_speed));
  ASSERT_EQ(deck.sensors.size(), 1u);
  EXPECT_EQ(deck.sensors[0], (Sensor{"fastPPT limit", "watts", 15}));
  EXPECT_EQ(vega.memory_unified, false);
}

TEST(AmdgpuCorpusTest, IdsAreTheUniqueIdOrTheAddress) {
  const auto folder = corpus();
  if (!folder) GTEST_SKIP() << "no corpus: set GPUKEEPER_CORPUS";
  const auto id = [&](const char* name) {
    Recorded machine(*folder / "amdgpu" / name);
    return machine.backend->list()->front().id.text;
  };
  EXPECT_EQ(id("rx6900xt"), "AMD-0123456789abcdef");
  EXPECT_EQ(id("phoenix"), "PCI-0000:64:00.0");
  Recorded phoenix(*folder / "amdgpu/phoenix");
  EXPECT_EQ(phoenix.backend->list()->front().architecture, "gfx1103");
}

TEST(AmdgpuCorpusTest, TheRecordedTopologiesAreDevicesEvenWithoutCards) {
  const auto folder = corpus();
  if (!folder) GTEST_SKIP() << "no corpus: set GPUKEEPER_CORPUS";
  Recorded eight(*folder / "other/kfd/mi210-x8");
  const auto mi210 = eight.backend->list();
  ASSERT_TRUE(mi210);
  ASSERT_EQ(mi210->size(), 8u);
  for (const Device& device : *mi210) {
    EXPECT_EQ(device.architecture, "gfx90a");
    EXPECT_EQ(device.links.size(), 3u);
    EXPECT_FALSE(device.parent);
  }
  check_backend_contract(*eight.backend);

  Recorded cpx(*folder / "other/kfd/mi300x-cpx-one-gpu");
  const auto mi300 = cpx.backend->list();
  ASSERT_TRUE(mi300);
  ASSERT_EQ(mi300->size(), 9u) << "one GPU and its eight partitions";
  EXPECT_EQ(mi300->front().pci->to_string(), "0000:05:00.0");
  for (std::size_t i = 1; i < 9; ++i) {
    EXPECT_EQ((*mi300)[i].parent, mi300->front().id);
    EXPECT_EQ((*mi300)[i].partition, fmt::format("CPX (partition {})", i - 1));
  }
  check_backend_contract(*cpx.backend);
}

TEST(AmdgpuCorpusTest, EveryRecordedTreeKeepsTheContract) {
  const auto folder = corpus();
  if (!folder) GTEST_SKIP() << "no corpus: set GPUKEEPER_CORPUS";
  for (const auto& entry : std::filesystem::directory_iterator(*folder / "amdgpu")) {
    SCOPED_TRACE(entry.path().filename().string());
    Recorded machine(entry.path());
    check_backend_contract(*machine.backend);
  }
}

}  // namespace
}  // namespace gpukeeper
