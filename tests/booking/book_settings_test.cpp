#include "booking/book_settings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/snapshots.hpp"

namespace gpukeeper {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

BookSettings with(ServiceQuota quota) {
  BookSettings settings;
  settings.ledger.services.push_back(std::move(quota));
  return settings;
}

TEST(BookSettingsTest, TheDefaultsAreWell) {
  EXPECT_THAT(check(BookSettings()), IsEmpty());
}

TEST(BookSettingsTest, WhatDoesNotFitTogetherIsSaidWithItsKey) {
  BookSettings settings = with({.service = "a",
                                .min_request = 2048_MiB,
                                .max_request = 1024_MiB,
                                .total = 512_MiB,
                                .near = {"rag_service"},
                                .apart = {"rag-service"}});
  settings.ledger.services.push_back({.service = "embedding_service"});
  settings.ledger.services.push_back({.service = "embedding-service"});
  EXPECT_THAT(
      check(settings),
      ElementsAre("ledger.quotas: a: min_request (2048 MiB) is above max_request (1024 MiB): no request could be both",
                  "ledger.quotas: a: min_request (2048 MiB) is above total (512 MiB): nothing could ever be granted; a "
                  "total of 0 says so",
                  "ledger.quotas: a: 'rag-service' stands in near and in apart: it cannot be both",
                  "ledger.quotas: embedding-service stands twice; '-' and '_' are the same in a service's name"));
  EXPECT_THAT(check(with({.service = "a", .min_request = 2048_MiB, .total = Bytes(0)})), IsEmpty());
}

TEST(BookSettingsTest, DevicesAreNamedByIndexNameAndUuidAndTheLaterWins) {
  BookSettings settings;
  settings.ledger.limit.headroom = 100_MiB;
  settings.devices = {{.device = "nvidia h*", .headroom = Bytes(0), .most = 1000_MiB},
                      {.device = "GPU-h200", .most_is_auto = true},
                      {.device = "1", .burst_ratio = 2.0}};
  Snapshot snapshot;
  snapshot.devices = {device(0, facts("GPU-h200", "NVIDIA H200", "0000:01:00.0"), busy()),
                      device(1, facts("GPU-t4", "Tesla T4", "0000:02:00.0"), busy()),
                      device(2, facts("GPU-t5", "Tesla T4", "0000:03:00.0"), busy())};
  const LedgerSettings now = settings_for(settings, snapshot);
  ASSERT_EQ(now.limits.size(), 2u);
  EXPECT_EQ(now.limits.at("GPU-h200"), (DeviceLimit{.headroom = Bytes(0), .most_is_auto = true}));
  EXPECT_EQ(now.limits.at("GPU-t4"), (DeviceLimit{.headroom = 100_MiB, .burst_ratio = 2.0}));
}

TEST(BookSettingsTest, PartitionsAreNamedBehindTheirDevice) {
  BookSettings settings;
  settings.devices = {{.device = "0:1", .most = 1000_MiB}};
  Snapshot snapshot;
  snapshot.devices = {device(0, facts("GPU-a", "NVIDIA H200", "0000:01:00.0"), busy())};
  snapshot.devices[0].partitions = {device(1, facts("MIG-1", "1g.18gb", ""), busy())};
  EXPECT_EQ(settings_for(settings, snapshot).limits.at("MIG-1").most, 1000_MiB);
}

TEST(BookSettingsTest, ADeviceThatIsNotThereNeverMeansAll) {
  Snapshot snapshot;
  snapshot.devices = {device(0, facts("GPU-a", "NVIDIA H200", "0000:01:00.0"), busy())};
  const auto quota = [&](std::vector<std::string> devices, std::string preferred) {
    return settings_for(with({.service = "a", .devices = std::move(devices), .preferred_device = std::move(preferred)}),
                        snapshot)
        .services.front();
  };
  EXPECT_THAT(quota({}, "").devices, IsEmpty());
  EXPECT_THAT(quota({"*T4*"}, "").devices, ElementsAre("*T4*"));
  EXPECT_THAT(quota({"*T4*", "0"}, "").devices, ElementsAre("*T4*", "GPU-a"));
  EXPECT_EQ(quota({}, "nvidia*").preferred_device, "GPU-a");
  EXPECT_EQ(quota({}, "1").preferred_device, "1");
}

}  // namespace
}  // namespace gpukeeper
