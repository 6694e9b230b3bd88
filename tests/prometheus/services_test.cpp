#include "prometheus/services.hpp"

#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "fakes/snapshots.hpp"

namespace gpukeeper::prometheus {
namespace {

ProcessFacts in(ProcessPlace place) {
  ProcessFacts facts = mara_trains(1);
  facts.place = std::move(place);
  return facts;
}

std::string service(ProcessPlace place) {
  const ProcessFacts facts = in(std::move(place));
  return service_of(&facts);
}

TEST(ServicesTest, AreWhatIsSteadyOverRestarts) {
  const Container container{"docker", "4f1c9a77ab12ffff00001111"};
  EXPECT_EQ(service({.container = container, .pod_uid = "5c6a0d3e-1"}), "pod/5c6a0d3e-1");
  EXPECT_EQ(service({.pod_uid = "5c6a0d3e-1", .pod = PodNames{"ml", "trainer-0", "main"}}), "pod/ml/trainer-0");
  EXPECT_EQ(service({.slurm_job = "4711"}), "slurm/4711");
  EXPECT_EQ(service({.container = container}), "docker/4f1c9a77ab12");
  EXPECT_EQ(service({.unit = "ollama.service"}), "ollama.service");
  EXPECT_EQ(service({.unit = "session-4.scope"}), "user/mara") << "of each login there is another";
  EXPECT_EQ(service({.unit = "user@1000.service"}), "user/mara") << "that is everything that mara runs";
}

TEST(ServicesTest, AreUnknownWhereNothingIsKnown) {
  EXPECT_EQ(service_of(nullptr), "unknown");
  const ProcessFacts nobody;
  EXPECT_EQ(service_of(&nobody), "unknown");
}

TEST(ServicesTest, MemoryIsSummedAndWhatIsAbsentIsNotThere) {
  auto d = device(0, facts("GPU-aaaa", "H100", "0000:01:00.0"), busy());
  auto silent = told(process(3, "x", 0), in({.unit = "silent.service"}));
  silent.memory = missing(Missing::not_permitted);
  set_processes(d, {told(process(1, "a", 100), in({.unit = "ollama.service"})),
                    told(process(2, "b", 20), in({.unit = "ollama.service"})), silent, process(4, "c", 500)});
  const auto memory = memory_by_service(machine({d}), d, 8);
  ASSERT_EQ(memory.size(), 2u);
  EXPECT_EQ(memory[0].service, "unknown");
  EXPECT_EQ(memory[0].bytes, from_mib(500).value());
  EXPECT_EQ(memory[1].service, "ollama.service");
  EXPECT_EQ(memory[1].bytes, from_mib(120).value());
}

TEST(ServicesTest, AreSoManyAtTheMostAndThenOthers) {
  auto d = device(0, facts("GPU-aaaa", "H100", "0000:01:00.0"), busy());
  std::vector<GpuProcess> many;
  for (std::uint64_t i = 0; i < 100; ++i) {
    many.push_back(told(process(static_cast<std::int64_t>(i) + 1, "x", 100 + i),
                        in({.unit = "s" + std::to_string(i) + ".service"})));
  }
  set_processes(d, std::move(many));
  const auto memory = memory_by_service(machine({d}), d, 2);
  ASSERT_EQ(memory.size(), 3u);
  EXPECT_EQ(memory[0].service, "s99.service");
  EXPECT_EQ(memory[1].service, "s98.service");
  EXPECT_EQ(memory[2].service, "other");
  EXPECT_EQ(memory[2].bytes, from_mib(98 * 100 + 97 * 98 / 2).value());
}

}  // namespace
}  // namespace gpukeeper::prometheus
