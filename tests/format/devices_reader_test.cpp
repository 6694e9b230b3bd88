#include "format/devices_reader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/memory_files.hpp"
#include "fakes/snapshots.hpp"
#include "format/devices_json.hpp"

namespace gpukeeper {
namespace {

using testing::SizeIs;

Snapshot some_machine() {
  Device a = facts("GPU-a", "NVIDIA H200", "0000:01:00.0");
  a.links = {{Link::Kind::nvlink, "0000:02:00.0", 4}};
  a.cpu_affinity = std::string("0-31");
  a.numa_node = 0U;
  a.serial = missing(Missing::not_permitted);
  Device b = facts("GPU-b", "NVIDIA H200", "0000:02:00.0");
  b.simulated = true;
  b.minor_number = 1U;
  Snapshot snapshot = machine({device(0, a, busy()), device(1, b, Reading(Missing::asleep))});
  snapshot.host = "gpu-box";
  snapshot.devices[1].available = false;
  snapshot.devices[1].reason = "it is asleep";
  Device part = facts("MIG-1", "NVIDIA H200 MIG 1g.18gb", "0000:01:00.0");
  part.parent = DeviceId{"GPU-a"};
  part.partition = "1g.18gb";
  snapshot.devices[0].partitions.push_back(device(0, part, busy()));
  return snapshot;
}

TEST(DevicesReaderTest, WhatIsReadIsWhatWasWritten) {
  for (const Snapshot& snapshot : {some_machine(), split_gpu(), machine({})}) {
    const std::string json = devices_json(snapshot, connections(snapshot, MemoryFiles()), true);
    const auto view = parse_devices(json);
    ASSERT_TRUE(view) << view.error().message;
    EXPECT_EQ(devices_json(view->snapshot, view->ways, true), json);
  }
}

TEST(DevicesReaderTest, WhatIsNoSuchDocumentIsRefused) {
  const std::string good = devices_json(some_machine(), {}, false);
  EXPECT_THAT(parse_devices(good)->snapshot.devices, SizeIs(2));
  const auto wrong = [](const std::string& json) {
    const auto view = parse_devices(json);
    return view ? std::string("taken") : view.error().message;
  };
  const std::string refusal = "is no document of gpukeeper.devices/1";
  EXPECT_EQ(wrong(""), refusal);
  EXPECT_EQ(wrong("[]"), refusal);
  EXPECT_EQ(wrong(good.substr(0, good.size() - 1)), refusal);
  EXPECT_EQ(wrong(R"({"schema":"gpukeeper.devices/1"})"), refusal);
  EXPECT_EQ(wrong(R"({"schema":"gpukeeper.snapshot/1","taken_at":"2026-05-28T20:26:20Z","devices":[]})"), refusal);
  std::string many = R"({"schema":"gpukeeper.devices/1","taken_at":"2026-05-28T20:26:20Z","devices":[0)";
  for (int i = 0; i < 1024; ++i) many += ",0";
  EXPECT_EQ(wrong(many + "]}"), refusal);
}

TEST(DevicesReaderTest, WhatADocumentLacksIsAbsent) {
  const auto view = parse_devices(
      R"({"schema":"gpukeeper.devices/1","taken_at":"2026-05-28T20:26:20Z","devices":[{"facts":{"serial":7}},5],)"
      R"("connections":[{"from":"a","to":"b"},3]})");
  ASSERT_TRUE(view);
  ASSERT_THAT(view->snapshot.devices, SizeIs(2));
  EXPECT_EQ(view->snapshot.devices[0].device->serial, missing(Missing::failed));
  EXPECT_EQ(view->snapshot.devices[0].device->driver, missing(Missing::not_supported));
  EXPECT_EQ(view->ways[0][1].way, Way::unknown);
}

}  // namespace
}  // namespace gpukeeper
