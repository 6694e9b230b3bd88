#include "account/party.hpp"

#include <gtest/gtest.h>

namespace gpukeeper::account {
namespace {

ProcessFacts of(ProcessPlace place) {
  ProcessFacts facts;
  facts.user = "mara";
  facts.place = std::move(place);
  return facts;
}

std::string service(ProcessPlace place) {
  const ProcessFacts facts = of(std::move(place));
  return party_of(&facts, nullptr).service;
}

TEST(PartyTest, AServiceIsTheNarrowestThingThatHasAName) {
  EXPECT_EQ(service({.unit = "vllm.service"}), "vllm");
  EXPECT_EQ(service({.unit = "session-12.scope"}), "");
  EXPECT_EQ(service({.slurm_job = "48213"}), "job 48213");
  EXPECT_EQ(service({.pod_uid = "5c6a0d3e-8f41-4b7e-9a52-1d0c7be3f964"}), "pod 5c6a0d3e");
  EXPECT_EQ(service({.container = Container{"docker", "4f1c09aa37de4b5c6d7e"}}), "docker 4f1c09aa37de");
  EXPECT_EQ(service({}), "");
}

TEST(PartyTest, ALeaseSaysWhichServiceItIs) {
  const ProcessFacts facts = of({.unit = "vllm.service"});
  const LeasedProcess leased{.device = {"GPU-a"}, .pid = 7, .lease = 41, .service = "embedding"};
  const Party party = party_of(&facts, &leased);
  EXPECT_EQ(party.service, "embedding");
  EXPECT_EQ(party.lease, 41u);
  EXPECT_EQ(party.user, "mara");
}

TEST(PartyTest, OfAProcessOfWhichNothingIsKnownNothingIsMadeUp) {
  EXPECT_EQ(party_of(nullptr, nullptr), Party());
  ProcessFacts hidden;
  hidden.user = missing(Missing::not_permitted);
  EXPECT_EQ(party_of(&hidden, nullptr), Party());
}

}  // namespace
}  // namespace gpukeeper::account
