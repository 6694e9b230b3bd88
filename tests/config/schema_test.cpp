#include "config/schema.hpp"

#include <fstream>
#include <sstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "inputs.hpp"

// What is published must be what the program is.
namespace gpukeeper::config {
namespace {

std::string file(const std::string& path) {
  std::ifstream in(std::string(GPUKEEPER_SOURCE_DIR) + "/" + path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

TEST(SchemaTest, ThePublishedSchemaIsWhatTheProgramWrites) {
  EXPECT_EQ(file("docs/schema/config.json"), schema()) << "renew it: gpukeeper config schema > docs/schema/config.json";
}

TEST(SchemaTest, ThePageOfKeysIsWhatTheProgramWrites) {
  EXPECT_EQ(file("docs/configuration.md"), page())
      << "renew it: gpukeeper config schema --markdown > docs/configuration.md";
}

TEST(SchemaTest, EveryKeyHasItsPlaceAndItsDefault) {
  const auto document = nlohmann::json::parse(schema());
  const auto& properties = document.at("properties");
  EXPECT_EQ(properties.at("temp_throttle").at("default"), 85);
  EXPECT_EQ(properties.at("log").at("properties").at("rotate").at("properties").at("keep").at("maximum"), 1000);
}

TEST(SchemaTest, TheExampleIsWellAndShowsEveryKeyAtItsDefault) {
  const std::string text = file("examples/gpukeeper.yaml");
  const auto read = effective({.file = File{"examples/gpukeeper.yaml", text}});
  ASSERT_TRUE(read) << read.error().message;
  for (const Key& key : key_table()) {
    const auto dot = key.name.rfind('.');
    const std::string name(dot == key.name.npos ? key.name : key.name.substr(dot + 1));
    EXPECT_NE(text.find(name + ":"), std::string::npos) << key.name << " is not in the example";
    EXPECT_EQ(key.show(read->settings), key.show(Settings())) << key.name;
  }
}

}  // namespace
}  // namespace gpukeeper::config
