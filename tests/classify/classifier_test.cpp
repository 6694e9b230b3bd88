#include "classify/classifier.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;

TEST(ClassifierTest, BuiltInRulesAreRead) {
  EXPECT_GT(Classifier::built_in().rules().size(), 50u);
}

TEST(ClassifierTest, MinerIsNamedWithItsPoolAndNeverWithItsWallet) {
  const Evidence evidence{
      .command = "xmrig",
      .executable = "/opt/xmrig-6.21.0/xmrig",
      .arguments = {"./xmrig", "-o", "stratum+tcp://47xSecretWallet0123456789abcdef@pool.example:3333"}};
  const Classification expected{ProcessClass::mining, "miner-with-pool",
                                "the executable is 'xmrig' and its arguments name the mining pool pool.example:3333",
                                0.95};
  const auto verdict = Classifier::built_in().classify(evidence);
  EXPECT_EQ(verdict, expected) << verdict.reason;
}

TEST(ClassifierTest, MinersNameAloneIsUnknownAndSaysWhy) {
  const auto verdict = Classifier::built_in().classify({.command = "xmrig"});
  EXPECT_EQ(verdict.kind, ProcessClass::unknown);
  EXPECT_EQ(verdict.rule, "miner-by-name");
  EXPECT_EQ(verdict.reason,
            "it calls itself 'xmrig', named like a miner, but its arguments name no pool and it is not known to have "
            "kept the GPU busy for 10 min");
}

}  // namespace
}  // namespace gpukeeper
