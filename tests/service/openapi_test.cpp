#include "service/openapi.hpp"

#include <stdexcept>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "service/parameters.hpp"

namespace gpukeeper::service {
namespace {

using nlohmann::json;

Response nothing(const Request&) {
  return {};
}

TEST(OpenApiTest, ARowIsAnOperation) {
  const auto document =
      json::parse(openapi(std::vector<Route>{described(
                              {"POST", "/api/v1/leases/{id}/x", "Does x.", nothing, false, false, auth::Role::admin},
                              {.tag = kLeases,
                               .query = {kLimit, {"sort", "pid|user", "By what.", true}},
                               .takes = "api.part",
                               .gives = "leases.lease_document",
                               .status = 201,
                               .creates = true})},
                          "1.2.3"));
  EXPECT_EQ(document["openapi"], "3.1.0");
  EXPECT_EQ(document["info"]["version"], "1.2.3");
  const json operation = document["paths"]["/api/v1/leases/{id}/x"]["post"];
  EXPECT_EQ(operation["operationId"], "post_api_v1_leases_id_x");
  EXPECT_EQ(operation["summary"], "Does x.");
  EXPECT_EQ(operation["x-role"], "admin");
  EXPECT_EQ(operation["parameters"][0]["in"], "path");
  EXPECT_EQ(operation["parameters"][1]["schema"], json::parse(R"({"type": "integer", "minimum": 1})"));
  EXPECT_EQ(operation["parameters"][2]["schema"]["enum"], json::parse(R"(["pid", "user"])"));
  EXPECT_EQ(operation["parameters"][2]["required"], true);
  EXPECT_EQ(operation["parameters"][3]["name"], "Idempotency-Key");
  EXPECT_EQ(operation["requestBody"]["content"]["application/json"]["schema"]["$ref"], "#/components/schemas/api.part");
  EXPECT_EQ(operation["responses"]["201"]["content"]["application/json"]["schema"]["$ref"],
            "#/components/schemas/leases.lease_document");
  EXPECT_EQ(operation["responses"]["4XX"]["content"]["application/problem+json"]["schema"]["$ref"],
            "#/components/schemas/api.problem");
}

TEST(OpenApiTest, DefinitionsOfAFileAreComponentsOfTheirOwn) {
  const auto schemas = json::parse(openapi({}, "1"))["components"]["schemas"];
  EXPECT_EQ(schemas["status"]["properties"]["taken_at"]["$ref"], "#/components/schemas/status.time");
  EXPECT_EQ(schemas["processes.row"]["allOf"][1]["$ref"], "#/components/schemas/status.process");
  EXPECT_FALSE(schemas["status"].contains("$defs"));
  EXPECT_FALSE(schemas.contains("api"));  // which is nothing but definitions
}

TEST(OpenApiTest, ASchemaThatThereIsNotIsAMistakeOfOurs) {
  const std::vector<Route> rows{described({"GET", "/x", "X.", nothing}, {.gives = "api.nothing"})};
  EXPECT_THROW(static_cast<void>(openapi(rows, "1")), std::logic_error);
}

TEST(OpenApiTest, EverySchemaIsWhatStandsInTheFolder) {
  EXPECT_EQ(schema_text("nothing"), "");
  for (const std::string_view name : schema_names()) {
    EXPECT_EQ(json::parse(schema_text(name))["$schema"], "https://json-schema.org/draft/2020-12/schema") << name;
    EXPECT_EQ(json::parse(schema_text(name))["$id"].get<std::string>().rfind("urn:gpukeeper:schema:", 0), 0U) << name;
  }
}

}  // namespace
}  // namespace gpukeeper::service
