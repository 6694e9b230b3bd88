#include "kubernetes/pod_list.hpp"

#include <gmock/gmock.h>

namespace gpukeeper::kubernetes {
namespace {

TEST(PodListTest, ItIsReadAsTheHelperPrintsIt) {
  const auto pods = parse_pod_list(
      R"({"schema":"gpukeeper.pod-resources/1","pods":[{"namespace":"ml","name":"trainer-0","containers":[)"
      R"({"name":"main","devices":[{"resource":"nvidia.com/gpu","ids":["GPU-a","GPU-b"]}]}]}]})");
  ASSERT_TRUE(pods) << pods.error().message;
  EXPECT_EQ(*pods, (std::vector<Pod>{{"ml", "trainer-0", {{"main", {{"nvidia.com/gpu", {"GPU-a", "GPU-b"}}}}}}}));
}

TEST(PodListTest, WhatIsNoSuchDocumentIsRefused) {
  const auto message = [](std::string_view text) {
    const auto pods = parse_pod_list(text);
    EXPECT_FALSE(pods);
    return pods ? "" : pods.error().message;
  };
  EXPECT_EQ(message(""), "it printed no JSON object");
  EXPECT_EQ(message("[]"), "it printed no JSON object");
  EXPECT_EQ(message(R"({"schema":"gpukeeper.pod-resources/2","pods":[]})"),
            "it printed a document of the schema \"gpukeeper.pod-resources/2\", and gpukeeper.pod-resources/1 is "
            "understood");
  EXPECT_EQ(message("{}"), "it printed a document of the schema null, and gpukeeper.pod-resources/1 is understood");
  for (const auto* pods :
       {"{}", "7", "null", "[{}]", R"([{"namespace":1,"name":"x","containers":[]}])",
        R"([{"namespace":"a","name":"x","containers":[{"name":"c","devices":[{"resource":"r"}]}]}])"}) {
    const std::string text = R"({"schema":"gpukeeper.pod-resources/1","pods":)" + std::string(pods) + "}";
    if (std::string_view(pods) == "{}" || std::string_view(pods) == "null") continue;  // no pods either way
    EXPECT_THAT(message(text),
                testing::StartsWith("it printed a document that is not as gpukeeper.pod-resources/1 is: "))
        << text;
  }
}

}  // namespace
}  // namespace gpukeeper::kubernetes
