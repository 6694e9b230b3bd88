#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include <gtest/gtest.h>

#include "backend/simulated/simulated_backend.hpp"
#include "contract/backend_contract.hpp"
#include "core/text.hpp"
#include "fakes/fake_clock.hpp"

namespace gpukeeper::simulated {
namespace {

std::string content(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

std::vector<std::filesystem::path> shipped() {
  std::set<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(GPUKEEPER_SOURCE_DIR "/examples/scenarios")) {
    files.insert(entry.path());
  }
  return {files.begin(), files.end()};
}

// A hang would stop this thread, and with it the clock that ends the hang; hangs have a test of their own.
Scenario without_hangs(Scenario scenario) {
  for (DeviceSpec& device : scenario.devices) {
    std::erase_if(device.faults, [](const Fault& fault) { return fault.kind == FaultKind::hang; });
  }
  return scenario;
}

std::string name_of(const testing::TestParamInfo<std::filesystem::path>& file) {
  std::string name = file.param.stem().string();
  std::erase(name, '-');
  return name;
}

class ShippedScenarioTest : public testing::TestWithParam<std::filesystem::path> {};

TEST_P(ShippedScenarioTest, SaysWhatItShows) {
  EXPECT_TRUE(content(GetParam()).starts_with("# "));
}

TEST_P(ShippedScenarioTest, KeepsTheContractForTenMinutes) {
  auto scenario = parse_scenario(content(GetParam()), GetParam().filename().string());
  ASSERT_TRUE(scenario) << scenario.error().message;
  FakeClock clock;
  SimulatedBackend backend(without_hangs(*std::move(scenario)), clock);
  for (int second = 0; second <= 600 && !HasFailure(); ++second) {
    SCOPED_TRACE(second);
    check_backend_contract(backend);
    clock.advance(std::chrono::seconds(1));
  }
}

TEST_P(ShippedScenarioTest, EveryDeviceIsLabelledSimulated) {
  FakeClock clock;
  const auto backend = open(GetParam().string(), clock);
  ASSERT_TRUE(backend) << backend.error().message;
  clock.advance(std::chrono::seconds(45));
  const auto devices = *(*backend)->list();
  EXPECT_FALSE(devices.empty());
  for (const Device& device : devices) EXPECT_TRUE(device.simulated && !device.recorded) << device.id.text;
}

// NVML's counters and the energy of a board only grow.
TEST_P(ShippedScenarioTest, CountersOnlyGrow) {
  FakeClock clock;
  SimulatedBackend backend(without_hangs(*parse_scenario(content(GetParam()), "")), clock);
  std::map<std::pair<std::string, std::string_view>, double> last;
  for (int i = 0; i < 300; ++i, clock.advance(std::chrono::milliseconds(1700))) {
    const auto devices = *backend.list();
    for (const Device& device : devices) {
      const auto reading = backend.read(device.id);
      if (!reading) continue;
      for (const MetricRow& row : metric_table()) {
        const auto value = to_number(row.value(device, *reading));
        if (row.type != MetricType::counter || !value) continue;
        auto& before = last[{device.id.text, row.name}];
        EXPECT_GE(*value, before) << device.id.text << ' ' << row.name;
        before = *value;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, ShippedScenarioTest, testing::ValuesIn(shipped()), name_of);

TEST(ShippedScenariosTest, EveryPromisedOneIsThere) {
  std::set<std::string> names;
  for (const auto& path : shipped()) names.insert(path.filename().string());
  for (const auto* name : {"two-gpus.yaml", "eight-gpus.yaml", "hot-training.yaml", "heating.yaml", "faults.yaml",
                           "mixed-vendors.yaml", "sleeping-laptop.yaml", "mig.yaml"}) {
    EXPECT_TRUE(names.contains(name)) << name;
  }
}

}  // namespace
}  // namespace gpukeeper::simulated
