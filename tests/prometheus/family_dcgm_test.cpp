#include "prometheus/family_dcgm.hpp"

#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/snapshots.hpp"
#include "golden.hpp"

namespace gpukeeper::prometheus {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string written(const Snapshot& snapshot, Syntax syntax = Syntax::text) {
  Exposition out(syntax);
  write_dcgm(out, snapshot);
  return std::move(out).finish();
}

Reading everything() {
  Reading r = busy();
  r.temperature_memory = Celsius(71.6);
  r.clock_sm = Megahertz(1965);
  r.clock_memory = Megahertz(2619);
  r.energy = Joules(1234.5678);
  r.pcie_replays = Count(3);
  r.utilization_memory = Percent(12);
  r.utilization_encoder = Percent(0);
  r.utilization_decoder = Percent(1);
  r.xid_last = Count(79);
  r.memory_reserved = from_mib(600);
  r.interconnect_rx = BytesPerSecond(1.5e9);
  r.interconnect_tx = BytesPerSecond(0.5e9);
  r.remapped_rows_corrected = Count(1);
  r.remapped_rows_uncorrected = Count(0);
  r.remapped_rows_failed = false;
  r.pcie_tx = BytesPerSecond(78'398'480);
  r.pcie_rx = BytesPerSecond(45'987'793);
  return r;
}

Device h100() {
  Device device = facts("GPU-aaaa", "NVIDIA H100 80GB HBM3", "0001:c1:00.0");
  device.minor_number = 3u;
  return device;
}

TEST(FamilyDcgmTest, IsAsItWasReviewed) {
  const Snapshot snapshot = machine({device(0, h100(), everything())});
  expect_golden(written(snapshot), "dcgm.txt");
  expect_golden(written(snapshot, Syntax::openmetrics), "dcgm.openmetrics");
}

// As dcgm-exporter prints them: the order of labels, the form of the bus.
TEST(FamilyDcgmTest, LabelsAreThoseOfTheExporter) {
  EXPECT_THAT(written(machine({device(0, h100(), everything())})),
              HasSubstr(R"(DCGM_FI_DEV_FB_USED{gpu="0",UUID="GPU-aaaa",pci_bus_id="00000001:C1:00.0",device="nvidia3",)"
                        R"(modelName="NVIDIA H100 80GB HBM3",Hostname="gpu-box",DCGM_FI_DRIVER_VERSION="580.105.08",)"
                        R"(container="",namespace="",pod=""} 62000)"
                        "\n"));
}

TEST(FamilyDcgmTest, WhatIsAbsentIsNoLine) {
  const std::string text = written(four_gpus());
  EXPECT_THAT(text, HasSubstr("DCGM_FI_DEV_GPU_TEMP{gpu=\"0\""));
  EXPECT_THAT(text, Not(HasSubstr("gpu=\"2\"")));
  EXPECT_THAT(text, Not(HasSubstr("DCGM_FI_DEV_MEMORY_TEMP")));
  EXPECT_THAT(text, Not(HasSubstr("DCGM_FI_DEV_XID_ERRORS")));
}

TEST(FamilyDcgmTest, NoXidYetIsZeroWhereThereIsSomethingToReportOne) {
  Reading r = busy();
  r.xid_last = missing(Missing::not_yet_read);
  EXPECT_THAT(written(machine({device(0, h100(), r)})), HasSubstr("pod=\"\"} 0\n"));
}

Snapshot with_pods(std::vector<std::string> pods) {
  auto d = device(0, h100(), busy());
  std::vector<GpuProcess> list;
  for (const std::string& pod : pods) {
    ProcessFacts facts = mara_trains(1);
    facts.place = ProcessPlace{.container = Container{"containerd", "4f1c9a77ab12ffff" + pod}, .pod_uid = pod};
    list.push_back(told(process(static_cast<std::int64_t>(list.size()) + 1, "x", 5), facts));
  }
  set_processes(d, std::move(list));
  return machine({d});
}

TEST(FamilyDcgmTest, APodIsToldWhereItHasTheGpuAlone) {
  EXPECT_THAT(written(with_pods({"uid-1", "uid-1"})),
              HasSubstr(R"(container="4f1c9a77ab12",namespace="",pod="uid-1"} )"));
  EXPECT_THAT(written(with_pods({"uid-1", "uid-2", "uid-1"})),
              HasSubstr(R"(container="4f1c9a77ab12",namespace="",pod=""} )"));
}

Snapshot with_names(std::vector<PodNames> names) {
  auto d = device(0, h100(), busy());
  std::vector<GpuProcess> list;
  for (PodNames& each : names) {
    ProcessFacts facts = mara_trains(1);
    facts.place = ProcessPlace{
        .container = Container{"containerd", "4f1c9a77ab12ffff"}, .pod_uid = "uid-" + each.pod, .pod = std::move(each)};
    list.push_back(told(process(static_cast<std::int64_t>(list.size()) + 1, "x", 5), facts));
  }
  set_processes(d, std::move(list));
  return machine({d});
}

TEST(FamilyDcgmTest, APodHasTheNamesThatTheKubeletTells) {
  EXPECT_THAT(written(with_names({{"ml", "trainer-0", "main"}})),
              HasSubstr(R"(container="main",namespace="ml",pod="trainer-0"} )"));
  EXPECT_THAT(written(with_names({{"ml", "trainer-0", ""}})),
              HasSubstr(R"(container="4f1c9a77ab12",namespace="ml",pod="trainer-0"} )"));
  EXPECT_THAT(written(with_names({{"ml", "trainer-0", "main"}, {"ml", "trainer-1", "main"}})),
              HasSubstr(R"(container="main",namespace="ml",pod=""} )"));
}

TEST(FamilyDcgmTest, PartitionsBearTheirGpusLabelsAndTheirOwn) {
  const std::string text = written(split_gpu());
  EXPECT_THAT(text, HasSubstr(R"(DCGM_FI_DEV_FB_USED{gpu="0",UUID="GPU-aaaa",pci_bus_id="00000000:01:00.0",device="",)"
                              R"(modelName="NVIDIA A100-SXM4-80GB",GPU_I_PROFILE="3g.40gb",GPU_I_ID="2",)"
                              R"(Hostname="gpu-box",)"));
  EXPECT_THAT(text, HasSubstr(R"(GPU_I_PROFILE="",GPU_I_ID="",Hostname)"));
}

TEST(FamilyDcgmTest, SimulatedGpusSaySo) {
  EXPECT_THAT(written(simulated_gpu()), HasSubstr("modelName=\"NVIDIA GeForce RTX 4090 (simulated)\""));
}

TEST(FamilyDcgmTest, WhatDriversSayCannotBreakALine) {
  Device hostile = h100();
  hostile.id.text = "GPU\"}\n1";
  hostile.driver_version = std::string("\xff\\");
  hostile.partition = "(((";
  EXPECT_THAT(written(machine({device(0, hostile, busy())})), HasSubstr(R"(UUID="GPU\"}?1",)"));
  EXPECT_THAT(written(machine({device(0, hostile, busy())})), HasSubstr(R"(DCGM_FI_DRIVER_VERSION="580.105.08")"));
}

}  // namespace
}  // namespace gpukeeper::prometheus
