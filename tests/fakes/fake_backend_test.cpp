#include "fakes/fake_backend.hpp"

#include <thread>

#include "contract/backend_contract.hpp"
#include "fakes/fail_after_backend.hpp"

namespace gpukeeper {
namespace {

Reading warm(double celsius) {
  Reading reading{Missing::not_supported};
  reading.temperature = Celsius(celsius);
  return reading;
}

TEST(FakeBackendTest, KeepsTheContractEmptyAndFull) {
  FakeBackend backend;
  check_backend_contract(backend);
  backend.plug("GPU-b", warm(50));
  backend.plug("GPU-a", warm(60));
  Device slice;
  slice.id = DeviceId{"MIG-1"};
  slice.name = "Fake slice";
  slice.parent = DeviceId{"GPU-b"};
  slice.partition = "1g.10gb";
  backend.plug(slice, warm(50));
  backend.set_processes("GPU-a", {{.pid = 7, .name = "late", .type = {}, .partition = {}},
                                  {.pid = 3, .name = "early", .type = {}, .partition = {}}});
  backend.set_error("GPU-a", {Errc::unavailable, "read GPU-a: told to fail"});
  check_backend_contract(backend);
}

TEST(FakeBackendTest, ListsInPciOrderAndADeviceKeepsItsPlace) {
  FakeBackend backend;
  backend.plug("GPU-b");
  backend.plug("GPU-a");
  backend.unplug("GPU-b");
  EXPECT_EQ(backend.list()->size(), 1u);
  EXPECT_EQ(backend.read(DeviceId{"GPU-b"}).error(), (Error{Errc::not_found, "read GPU-b: no such device"}));
  backend.plug("GPU-b", warm(41));
  const auto devices = *backend.list();
  ASSERT_EQ(devices.size(), 2u);
  EXPECT_EQ(devices[0].id.text, "GPU-b");
  EXPECT_EQ(backend.read(DeviceId{"GPU-b"})->temperature, Celsius(41));
}

TEST(FakeBackendTest, CountsEveryCall) {
  FakeBackend backend;
  backend.plug("GPU-a");
  (void)backend.list();
  (void)backend.read(DeviceId{"GPU-a"});
  (void)backend.read(DeviceId{"GPU-a"});
  (void)backend.processes(DeviceId{"GPU-a"});
  EXPECT_EQ(backend.lists(), 1u);
  EXPECT_EQ(backend.reads("GPU-a"), 2u);
  EXPECT_EQ(backend.process_reads("GPU-a"), 1u);
  EXPECT_EQ(backend.calls(), 4u);
  EXPECT_EQ(backend.cost().calls, 4u);
}

TEST(FakeBackendTest, ABlockedReadReturnsWhenUnblockedAndHindersNoOther) {
  FakeBackend backend;
  backend.plug("GPU-a", warm(50));
  backend.plug("GPU-b", warm(60));
  backend.block("GPU-a");
  std::optional<Result<Reading>> answer;
  std::jthread reader([&] { answer = backend.read(DeviceId{"GPU-a"}); });
  backend.wait_until_hanging("GPU-a");
  EXPECT_TRUE(backend.read(DeviceId{"GPU-b"}));
  EXPECT_TRUE(backend.processes(DeviceId{"GPU-a"}));
  backend.unblock("GPU-a");
  reader.join();
  EXPECT_EQ((*answer)->temperature, Celsius(50));
}

TEST(FakeBackendTest, ItsEndReleasesABlockedRead) {
  std::jthread reader;
  {
    FakeBackend backend;
    backend.plug("GPU-a");
    backend.block("GPU-a");
    reader = std::jthread([&backend] { (void)backend.read(DeviceId{"GPU-a"}); });
    backend.wait_until_hanging("GPU-a");
  }
  reader.join();
}

TEST(FailAfterTest, FailsExactlyTheNthCall) {
  FakeBackend backend;
  backend.plug("GPU-a", warm(50));
  for (std::uint64_t n = 1; n <= 4; ++n) {
    FailAfter failing(backend, n);
    const bool failed[] = {!failing.list(), !failing.read(DeviceId{"GPU-a"}), !failing.processes(DeviceId{"GPU-a"})};
    for (std::uint64_t i = 0; i < 3; ++i) EXPECT_EQ(failed[i], i + 1 == n) << n;
    EXPECT_EQ(failing.failed(), n <= 3);
  }
}

}  // namespace
}  // namespace gpukeeper
