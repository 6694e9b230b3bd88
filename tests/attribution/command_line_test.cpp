#include "attribution/command_line.hpp"

#include <string>

#include <gtest/gtest.h>

#include "core/text.hpp"

namespace gpukeeper {
namespace {

using namespace std::string_literals;
using Arguments = std::vector<std::string_view>;

TEST(CommandLineTest, EveryArgumentEndsWithANul) {
  EXPECT_EQ(arguments_of("python3\0train.py\0--epochs\0003\0"s), (Arguments{"python3", "train.py", "--epochs", "3"}));
  EXPECT_EQ(arguments_of("a\0\0b\0"s), (Arguments{"a", "", "b"}));
  EXPECT_EQ(arguments_of("nginx: worker process\0\0\0\0"s), (Arguments{"nginx: worker process"}));
  EXPECT_EQ(arguments_of("no end"), (Arguments{"no end"}));
  EXPECT_EQ(arguments_of(""), Arguments{});
  EXPECT_EQ(arguments_of("\0\0"s), Arguments{});
}

TEST(CommandLineTest, BlanksPartALine) {
  EXPECT_EQ(arguments_of_line("python3  train.py "), (Arguments{"python3", "train.py"}));
  EXPECT_EQ(arguments_of_line(""), Arguments{});
}

TEST(CommandLineTest, ArgumentThatDoesNotFitIsLeftOut) {
  const std::string text = "app\0"s + std::string(kMostArgumentBytes, 'x');
  EXPECT_EQ(arguments_of(text), (Arguments{"app"}));
  EXPECT_EQ(arguments_of(std::string(kMostArgumentBytes + 1, 'x')), Arguments{});
}

TEST(CommandLineTest, LongLineIsCutBetweenCharacters) {
  EXPECT_EQ(shown_command_line({"app", "--token", "x"}), "app --token ***");
  for (std::size_t extra = 0; extra < 4; ++extra) {
    std::string text(extra, 'a');
    while (text.size() < 2 * kMostLineBytes) text += "ä";
    const auto line = shown_command_line({text});
    EXPECT_LE(line.size(), kMostLineBytes);
    EXPECT_TRUE(line.ends_with("…"));
    EXPECT_EQ(printable(line), line);  // valid UTF-8
  }
}

// A secret that the cut goes through was hidden before.
TEST(CommandLineTest, SecretAtTheCutIsHidden) {
  const std::string filler(kMostLineBytes - 20, 'x');
  const auto line = shown_command_line({filler, "sk-AbCdEfGhIjKlMnOpQrStUvWxYz0123456789"});
  EXPECT_TRUE(line.ends_with("x ***")) << line.substr(line.size() - 40);
}

}  // namespace
}  // namespace gpukeeper
