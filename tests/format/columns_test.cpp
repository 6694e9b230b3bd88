#include "format/columns.hpp"

#include <gtest/gtest.h>

#include "fakes/snapshots.hpp"

namespace gpukeeper {
namespace {

std::string chosen(const Snapshot& snapshot, std::vector<std::string> selectors) {
  const auto result = select_devices(snapshot, selectors);
  if (!result) return result.error().message;
  std::string text;
  for (const DeviceSnapshot& d : result->devices) text += d.device->id.text + " ";
  return text;
}

TEST(SelectDevicesTest, TakesAnIndexAUuidAPciAddressOrAPartition) {
  EXPECT_EQ(chosen(four_gpus(), {}), "GPU-aaaa GPU-bbbb AMD-cccc GPU-dddd ");
  EXPECT_EQ(chosen(four_gpus(), {"1"}), "GPU-bbbb ");
  EXPECT_EQ(chosen(four_gpus(), {"gpu-BBBB"}), "GPU-bbbb ");
  EXPECT_EQ(chosen(four_gpus(), {"02:00.0"}), "GPU-bbbb ");
  EXPECT_EQ(chosen(four_gpus(), {"00000000:02:00.0"}), "GPU-bbbb ");
  EXPECT_EQ(chosen(four_gpus(), {"3", "0", "0"}), "GPU-aaaa GPU-dddd ");
  EXPECT_EQ(chosen(split_gpu(), {"0:1"}), "MIG-1 ");
  EXPECT_EQ(chosen(split_gpu(), {"MIG-0"}), "MIG-0 ");
  EXPECT_EQ(chosen(split_gpu(), {"0:1", "0"}), "GPU-aaaa ");
}

TEST(SelectDevicesTest, SaysWhatThereIsWhenASelectorNamesNothing) {
  EXPECT_EQ(chosen(four_gpus(), {"4"}),
            "there is no GPU '4': there are the GPUs 0 to 3; gpukeeper devices lists their UUIDs and PCI addresses");
  EXPECT_EQ(chosen(split_gpu(), {"-1"}),
            "there is no GPU '-1': there is only GPU 0; gpukeeper devices lists their UUIDs and PCI addresses");
  EXPECT_EQ(chosen(machine({}), {"0"}), "there is no GPU '0': no GPU was found");
  EXPECT_EQ(chosen(four_gpus(), {""}).substr(0, 18), "there is no GPU ''");
}

TEST(SelectDevicesTest, APartitionChosenAloneKeepsItsIndexAndItsProcesses) {
  const std::vector<std::string> selectors[] = {{"0:0"}, {"0:1"}};
  const auto idle = select_devices(split_gpu(), selectors[0]);
  const auto busy = select_devices(split_gpu(), selectors[1]);
  ASSERT_TRUE(idle && busy);
  EXPECT_EQ(index_text({&busy->devices.at(0), nullptr}), "0:1");
  EXPECT_TRUE(idle->devices.at(0).processes->empty());
  ASSERT_EQ(busy->devices.at(0).processes->size(), 1u);
  EXPECT_EQ(busy->devices.at(0).processes->front().pid, 77);
}

TEST(FindKeyTest, NamesTheNearestMetricForAMistake) {
  EXPECT_EQ(find_key("power_watts")->metric->name, "power_watts");
  EXPECT_EQ(find_key("uuid")->identity->name, "uuid");
  EXPECT_EQ(
      find_key("temprature_celsius").error(),
      (Error{Errc::invalid_argument, "there is no metric 'temprature_celsius': did you mean temperature_celsius?"}));
  EXPECT_EQ(find_key("power").error().message, "there is no metric 'power': did you mean power_watts?");
  EXPECT_EQ(find_key("zzzzzz").error().message, "there is no metric 'zzzzzz': gpukeeper metrics lists them all");
}

}  // namespace
}  // namespace gpukeeper
