#include "kubernetes/pod_names.hpp"

#include <gmock/gmock.h>

#include "node.hpp"

namespace gpukeeper::kubernetes {
namespace {

using Names = std::map<ContainerKey, PodNames>;

Names names(const std::vector<Pod>& pods, const Snapshot& snapshot) {
  return names_of(claims_of(pods, snapshot.devices), sightings_of(snapshot));
}

std::string place(const std::vector<DeviceSnapshot>& devices, std::string id, std::string resource = "nvidia.com/gpu") {
  const Claims claims = claims_of({pod("n", "p", {given("c", {std::move(id)}, std::move(resource))})}, devices);
  return claims.empty() ? "" : claims.begin()->first.text;
}

TEST(ClaimsTest, NvidiasPluginsNameDevicesInManyWays) {
  Device second = facts("GPU-b", "NVIDIA A10G", "0000:02:00.0");
  second.minor_number = 7;
  auto devices = std::vector{gpu(0, facts("PCI-0000:01:00.0", "An AMD", "0000:01:00.0", Vendor::amd)),
                             nvidia(1, "GPU-a"), gpu(2, second)};
  devices[1].partitions = {partition(0, "MIG-a1")};
  EXPECT_EQ(place(devices, "GPU-b"), "GPU-b");
  EXPECT_EQ(place(devices, "GPU-b::3"), "GPU-b");
  EXPECT_EQ(place(devices, "MIG-a1", "nvidia.com/mig-1g.10gb"), "MIG-a1");
  EXPECT_EQ(place(devices, "MIG-a1::0", "nvidia.com/mig-1g.10gb.shared"), "MIG-a1");
  EXPECT_EQ(place(devices, "0"), "GPU-a");  // the first of NVIDIA's
  EXPECT_EQ(place(devices, "1"), "GPU-b");
  EXPECT_EQ(place(devices, "2"), "");
  EXPECT_EQ(place(devices, "nvidia7"), "GPU-b");
  EXPECT_EQ(place(devices, "nvidia7/vgpu1"), "GPU-b");
  for (const auto* id : {"nvidia7/gi1", "0:1", "GPU-c", "", "::", "nvidia", "card7-0", "99999999999"}) {
    EXPECT_EQ(place(devices, id), "") << id;
  }
}

TEST(ClaimsTest, AmdsAreNamedByPciAndIntelsByCard) {
  Device arc = facts("PCI-0000:03:00.0", "Arc A770", "0000:03:00.0", Vendor::intel);
  arc.minor_number = 1;
  const auto devices = std::vector{gpu(0, facts("AMD-0123", "MI210", "0000:01:00.0", Vendor::amd)), gpu(1, arc)};
  EXPECT_EQ(place(devices, "0000:01:00.0", "amd.com/gpu"), "AMD-0123");
  EXPECT_EQ(place(devices, "card1-0", "gpu.intel.com/i915"), "PCI-0000:03:00.0");
  EXPECT_EQ(place(devices, "card1-12", "gpu.intel.com/xe"), "PCI-0000:03:00.0");
  EXPECT_EQ(place(devices, "0000:03:00.0", "amd.com/gpu"), "");
  EXPECT_EQ(place(devices, "0", "amd.com/gpu"), "");
  EXPECT_EQ(place(devices, "0000:01:00.0", "example.com/gpu"), "");
}

TEST(ClaimsTest, ARecordedDeviceIsAnotherMachines) {
  Device device = facts("GPU-a", "NVIDIA A10G", "0000:01:00.0");
  device.recorded = true;
  EXPECT_EQ(place({gpu(0, device)}, "GPU-a"), "");
  EXPECT_TRUE(sightings_of(node({gpu(0, device, {in_pod(1, "u", "c")})})).empty());
}

TEST(PodNamesTest, APodThatHasADeviceAloneIsNamed) {
  const auto found = names({pod("ml", "trainer-0", {given("main", {"GPU-a", "GPU-b"})})},
                           node({nvidia(0, "GPU-a", {in_pod(1, "u1", "c1"), in_pod(2, "u1", "c1")}),
                                 nvidia(1, "GPU-b", {in_pod(1, "u1", "c1")})}));
  EXPECT_EQ(found, (Names{{{"u1", "c1"}, {"ml", "trainer-0", "main"}}}));
}

TEST(PodNamesTest, PodsThatShareADeviceAreNot) {
  const auto found =
      names({pod("dev", "one", {given("c", {"GPU-a::0"})}), pod("dev", "two", {given("c", {"GPU-a::1"})})},
            node({nvidia(0, "GPU-a", {in_pod(1, "u1", "c1"), in_pod(2, "u2", "c2")})}));
  EXPECT_EQ(found, Names());
}

TEST(PodNamesTest, OfThoseThatShareOneIsToldByAnotherDevice) {
  const auto found = names({pod("dev", "one", {given("c", {"GPU-a::0", "GPU-b::0"})}),
                            pod("dev", "two", {given("c", {"GPU-a::1", "GPU-c::0"})})},
                           node({nvidia(0, "GPU-a", {in_pod(1, "u1", "c1"), in_pod(2, "u2", "c2")}),
                                 nvidia(1, "GPU-b", {in_pod(1, "u1", "c1")}), nvidia(2, "GPU-c")}));
  EXPECT_EQ(found, (Names{{{"u1", "c1"}, {"dev", "one", "c"}}}));
}

// One of them has the device by the kubelet; the other sees all GPUs of the node without having asked for any.
TEST(PodNamesTest, WhereTwoLookLikeOnePodNeitherIsNamed) {
  const auto found = names({pod("ml", "trainer-0", {given("main", {"GPU-a"})})},
                           node({nvidia(0, "GPU-a", {in_pod(1, "u1", "c1"), in_pod(2, "u2", "c2")})}));
  EXPECT_EQ(found, Names());
}

TEST(PodNamesTest, WhoUsesADeviceThatNobodyGaveHasNoName) {
  const auto found =
      names({pod("ml", "trainer-0", {given("main", {"GPU-a"})})},
            node({nvidia(0, "GPU-a", {in_pod(1, "u1", "c1")}), nvidia(1, "GPU-b", {in_pod(1, "u1", "c1")})}));
  EXPECT_EQ(found, Names());
  EXPECT_EQ(names({}, node({nvidia(0, "GPU-a", {in_pod(1, "u1", "c1")})})), Names());
}

TEST(PodNamesTest, ContainersOfOnePodAreToldApartByTheirDevices) {
  const auto pods = std::vector{pod("ml", "pair", {given("left", {"GPU-a"}), given("right", {"GPU-b"})})};
  EXPECT_EQ(
      names(pods, node({nvidia(0, "GPU-a", {in_pod(1, "u1", "c1")}), nvidia(1, "GPU-b", {in_pod(2, "u1", "c2")})})),
      (Names{{{"u1", "c1"}, {"ml", "pair", "left"}}, {{"u1", "c2"}, {"ml", "pair", "right"}}}));
}

TEST(PodNamesTest, ContainersThatShareADeviceHaveTheirPodsNameAlone) {
  const auto pods = std::vector{pod("ml", "pair", {given("left", {"GPU-a::0"}), given("right", {"GPU-a::1"})})};
  EXPECT_EQ(names(pods, node({nvidia(0, "GPU-a", {in_pod(1, "u1", "c1"), in_pod(2, "u1", "c2")})})),
            (Names{{{"u1", "c1"}, {"ml", "pair", ""}}, {{"u1", "c2"}, {"ml", "pair", ""}}}));
}

TEST(PodNamesTest, PodsInPartitionsOfOneGpuAreToldApart) {
  auto split = nvidia(0, "GPU-a", {in_pod(1, "u1", "c1", "MIG-1"), in_pod(2, "u2", "c2", "MIG-2")});
  split.partitions = {partition(0, "MIG-1"), partition(1, "MIG-2")};
  const auto pods = std::vector{pod("n", "one", {given("c", {"MIG-1"}, "nvidia.com/mig-1g.10gb")}),
                                pod("n", "two", {given("c", {"MIG-2"}, "nvidia.com/mig-1g.10gb")})};
  EXPECT_EQ(names(pods, node({split})), (Names{{{"u1", "c1"}, {"n", "one", "c"}}, {{"u2", "c2"}, {"n", "two", "c"}}}));
  // Whose partition is not known may be in either.
  split.processes = std::make_shared<const std::vector<GpuProcess>>(std::vector{in_pod(1, "u1", "c1")});
  EXPECT_EQ(names(pods, node({split})), Names());
}

TEST(PodNamesTest, WhoHasAWholeGpuHasItsPartitions) {
  auto split = nvidia(0, "GPU-a", {in_pod(1, "u1", "c1", "MIG-1")});
  split.partitions = {partition(0, "MIG-1")};
  EXPECT_EQ(names({pod("n", "one", {given("c", {"GPU-a"})})}, node({split})),
            (Names{{{"u1", "c1"}, {"n", "one", "c"}}}));
}

}  // namespace
}  // namespace gpukeeper::kubernetes
