#include "core/glob.hpp"

#include <string>

#include <gtest/gtest.h>

namespace gpukeeper {
namespace {

TEST(GlobTest, AStarIsAnyCharactersAndAQuestionMarkOneByte) {
  struct Row {
    const char* glob;
    const char* text;
    bool fits;
  };
  const Row kRows[] = {{"GPU-a", "GPU-a", true},
                       {"*H200*", "NVIDIA H200", true},
                       {"N*a*0", "Nvidia a100", true},
                       {"*", "", true},
                       {"**", "x", true},
                       {"GPU-?", "GPU-a", true},
                       {"GPU-?", "GPU-", false},
                       {"H200", "NVIDIA H200", false},
                       {"", "x", false},
                       {"*b", "abc", false},
                       {"a*b", "ab", true},
                       {"a*b", "abb", true},
                       {"a*b*c", "a-c-b-c", true},
                       {"a*b*c", "a-c-b", false},
                       {"", "", true}};
  for (const Row& row : kRows) {
    EXPECT_EQ(fits(row.glob, row.text), row.fits) << row.glob << " over " << row.text;
    EXPECT_EQ(fits_ignoring_case(row.glob, row.text), row.fits) << row.glob << " over " << row.text;
  }
}

TEST(GlobTest, LettersOfBothCasesAreOneOnlyWhereThatIsAskedFor) {
  EXPECT_FALSE(fits("GPU-a", "gpu-A"));
  EXPECT_TRUE(fits_ignoring_case("GPU-a", "gpu-A"));
  EXPECT_TRUE(fits_ignoring_case("*h200*", "NVIDIA H200"));
  EXPECT_FALSE(fits_ignoring_case("\xc4", "\xe4")) << "of other letters nothing is known";
}

TEST(GlobTest, WhatIsMadeToTakeLongDoesNot) {
  const std::string text(20'000, 'a');
  EXPECT_FALSE(fits("*a*a*a*a*a*a*a*a*b", text));
}

}  // namespace
}  // namespace gpukeeper
