#include "core/machine_name.hpp"

#include <map>

#include <gtest/gtest.h>

namespace gpukeeper {
namespace {

std::string name_of(const std::map<std::string, std::string, std::less<>>& environment) {
  return machine_name([&](std::string_view name) -> std::optional<std::string> {
    const auto found = environment.find(name);
    return found == environment.end() ? std::nullopt : std::optional(found->second);
  });
}

TEST(MachineNameTest, IsWhatTheEnvironmentSays) {
  EXPECT_EQ(name_of({{"GPUKEEPER_HOSTNAME", " gpu-node-7\n"}}), "gpu-node-7");
  EXPECT_EQ(name_of({{"GPUKEEPER_HOSTNAME", "a"}, {"NODE_NAME", "b"}, {"KUBERNETES_SERVICE_HOST", "10.0.0.1"}}), "a");
}

TEST(MachineNameTest, InAPodIsThatOfTheNodeWhereItIsKnown) {
  EXPECT_EQ(name_of({{"NODE_NAME", "gpu-node-7"}, {"KUBERNETES_SERVICE_HOST", "10.0.0.1"}}), "gpu-node-7");
  EXPECT_EQ(name_of({{"NODE_NAME", ""}, {"KUBERNETES_SERVICE_HOST", "10.0.0.1"}}), name_of({}));
}

TEST(MachineNameTest, ElseIsItsOwn) {
  EXPECT_NE(name_of({}), "");
  EXPECT_EQ(name_of({{"GPUKEEPER_HOSTNAME", "  "}}), name_of({}));
  EXPECT_EQ(name_of({{"NODE_NAME", "built-in"}}), name_of({}));  // a build server's
}

}  // namespace
}  // namespace gpukeeper
