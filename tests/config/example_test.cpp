#include "config/example.hpp"

#include <sstream>

#include <gtest/gtest.h>

#include "config/effective.hpp"
#include "config/key_table.hpp"

namespace gpukeeper::config {
namespace {

// The first '#' of each line below the head taken away: all that it offers is chosen.
std::string chosen(const std::string& text) {
  std::istringstream in(text.substr(text.find("\n\n")));
  std::string result;
  for (std::string line; std::getline(in, line);) {
    EXPECT_TRUE(line.empty() || line.front() == '#') << line;
    result += (line.empty() ? line : line.substr(1)) + "\n";
  }
  return result;
}

TEST(ExampleTest, AsItIsItChangesNothing) {
  const auto read = effective({.file = File{"gpukeeper.yaml", example()}});
  ASSERT_TRUE(read) << read.error().message;
  for (const Key& key : key_table()) {
    EXPECT_EQ(read->origin(key.name).layer, Layer::standard) << key.name;
  }
}

TEST(ExampleTest, WithoutTheMarksItNamesEveryKeyAtItsDefault) {
  const auto read = effective({.file = File{"gpukeeper.yaml", chosen(example())}});
  ASSERT_TRUE(read) << read.error().message;
  for (const Key& key : key_table()) {
    EXPECT_EQ(key.show(read->settings), key.show(Settings())) << key.name;
    EXPECT_NE(read->origin(key.name).place, "") << key.name << " is not in the example";
  }
}

// However the lines were broken.
std::string words_of(std::string_view text) {
  std::string words;
  for (const char c : text) {
    const bool space = c == ' ' || c == '\n' || c == '#';
    if (!space || (!words.empty() && words.back() != ' ')) words += space ? ' ' : c;
  }
  return words;
}

TEST(ExampleTest, EveryKeyIsExplained) {
  const std::string words = words_of(example());
  for (const Key& key : key_table()) {
    EXPECT_NE(words.find(words_of(key.help) + " ["), std::string::npos) << key.name;
  }
  EXPECT_NE(words.find("[number, 1 to 150; °C] temp_optimal: 65 "), std::string::npos);
}

}  // namespace
}  // namespace gpukeeper::config
