#include "prometheus/family_prefix.hpp"

#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "fakes/snapshots.hpp"

namespace gpukeeper::prometheus {
namespace {

std::string written(const std::string& prefix, const Snapshot& snapshot) {
  const FamilyByPrefix family(prefix);
  Exposition out(Syntax::text);
  family.write(out, snapshot);
  return std::move(out).finish();
}

// The third GPU sleeps, and the fourth does not answer.
TEST(FamilyPrefixTest, IsAsItWasReviewed) {
  EXPECT_EQ(written("entrenar", four_gpus()),
            "# HELP entrenar_gpu_utilization_percent GPU utilization, 0 to 100.\n"
            "# TYPE entrenar_gpu_utilization_percent gauge\n"
            "entrenar_gpu_utilization_percent{device=\"0\"} 97.4\n"
            "entrenar_gpu_utilization_percent{device=\"1\"} 97.4\n"
            "# HELP entrenar_gpu_utilization GPU utilization, 0 to 100.\n"
            "# TYPE entrenar_gpu_utilization gauge\n"
            "entrenar_gpu_utilization{device=\"0\"} 97.4\n"
            "entrenar_gpu_utilization{device=\"1\"} 97.4\n"
            "# HELP entrenar_gpu_memory_used_bytes GPU memory in use.\n"
            "# TYPE entrenar_gpu_memory_used_bytes gauge\n"
            "entrenar_gpu_memory_used_bytes{device=\"0\"} 65011712000\n"
            "entrenar_gpu_memory_used_bytes{device=\"1\"} 82837504000\n"
            "# HELP entrenar_gpu_temperature_celsius GPU temperature.\n"
            "# TYPE entrenar_gpu_temperature_celsius gauge\n"
            "entrenar_gpu_temperature_celsius{device=\"0\"} 64\n"
            "entrenar_gpu_temperature_celsius{device=\"1\"} 83\n"
            "# HELP entrenar_gpu_power_watts GPU power draw.\n"
            "# TYPE entrenar_gpu_power_watts gauge\n"
            "entrenar_gpu_power_watts{device=\"0\"} 612.345678\n"
            "entrenar_gpu_power_watts{device=\"1\"} 612.345678\n");
}

TEST(FamilyPrefixTest, BearsAnotherPrefixAndIsEmptyWithoutGpus) {
  EXPECT_TRUE(written("mine", simulated_gpu()).starts_with("# HELP mine_gpu_utilization_percent "));
  EXPECT_EQ(written("mine", machine({})), "");
}

}  // namespace
}  // namespace gpukeeper::prometheus
