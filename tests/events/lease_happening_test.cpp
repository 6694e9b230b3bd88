#include "events/lease_happening.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gpukeeper::events {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Lease lease_of(std::string_view service) {
  Lease lease;
  lease.id = LeaseId{7};
  lease.service = Symbol(std::string(service));
  lease.device = Symbol("GPU-a");
  return lease;
}

TEST(LeaseHappeningTest, AnEndSaysWhy) {
  Lease lease = lease_of("embedding");
  lease.reason = EndReason::owner_died;
  const auto happening = happening_of(lease_happening({.kind = LedgerEvent::Kind::ended, .id = lease.id}, lease), {});
  EXPECT_EQ(happening.type, EventType::lease_ended);
  EXPECT_THAT(happening.devices, ElementsAre("GPU-a"));
  EXPECT_EQ(happening.payload,
            R"({"lease":"7","service":"embedding","device":"GPU-a","reason":"owner_died","note":null})");
}

TEST(LeaseHappeningTest, AServiceMayBeCalledAnything) {
  Lease lease = lease_of("a\"\n\xff");
  lease.device = Symbol("");
  const auto happening = happening_of(
      lease_happening({.kind = LedgerEvent::Kind::granted, .id = lease.id, .note = "it waited"}, lease), {});
  EXPECT_EQ(happening.type, EventType::lease_granted);
  EXPECT_THAT(happening.devices, IsEmpty());
  EXPECT_EQ(
      happening.payload,
      "{\"lease\":\"7\",\"service\":\"a\\\"\\n\xef\xbf\xbd\",\"device\":null,\"reason\":null,\"note\":\"it waited\"}");
}

}  // namespace
}  // namespace gpukeeper::events
