#include "classify/pool.hpp"

#include <gtest/gtest.h>

namespace gpukeeper::classify {
namespace {

constexpr std::string_view kWallet = "0x1234567890abcdef1234567890abcdef12345678";

std::string found(const std::vector<std::string_view>& arguments) {
  const PoolFacts facts = find_pool(arguments);
  return facts.address + (facts.stratum ? " stratum" : "") + (facts.wallet ? " wallet" : "");
}

TEST(PoolTest, AddressIsHostAndPortAlone) {
  EXPECT_EQ(found({"-o", "pool.example:3333"}), "pool.example:3333");
  EXPECT_EQ(found({"--url=ssl://me.rig:pass@pool.example:443/path"}), "pool.example:443");
  EXPECT_EQ(found({"stratum+tcp://me@pool.example:3333#x"}), "pool.example:3333 stratum");
  EXPECT_EQ(found({"--config", "url=stratum+ssl://pool.example:3333,x"}), "pool.example:3333 stratum");
  EXPECT_EQ(found({"-uri", "ethproxy://me@[2001:db8::1]:4444"}), "");
  EXPECT_EQ(found({"--server", "pool.example", "--port", "3333"}), "pool.example:3333");
  EXPECT_EQ(found({"-o", "127.0.0.1:3333"}), "127.0.0.1:3333");
}

TEST(PoolTest, OtherAddressesAreNoPool) {
  EXPECT_EQ(found({"-o", "out.txt"}), "");
  EXPECT_EQ(found({"-o", "out:3333"}), "");
  EXPECT_EQ(found({"-o", "pool.example:0"}), "");
  EXPECT_EQ(found({"-o", "pool.example:70000"}), "");
  EXPECT_EQ(found({"-o"}), "");
  EXPECT_EQ(found({"pool.example:3333"}), "");
  EXPECT_EQ(found({"https://site.example:8443/x"}), "");
  EXPECT_EQ(found({"--server", "db.example", "--user", "reporting"}), "");
  EXPECT_EQ(found({"-o", "\x1b[31m.example:3333"}), "");
  EXPECT_EQ(found({"stratum+tcp://"}), "");
}

TEST(PoolTest, WalletStandsAsUserAndIsLongWithDigits) {
  const std::string wallet(kWallet);
  EXPECT_EQ(found({"-u", kWallet}), " wallet");
  EXPECT_EQ(found({"--wallet", wallet + ".rig1"}), " wallet");
  EXPECT_EQ(found({"--user=RVN:RXaBcDeFgHiJkLmNoPqRsTuVwXyZ123456/rig"}), " wallet");
  EXPECT_EQ(found({"-o", "stratum+tcp://" + wallet + ".rig@pool.example:3333"}), "pool.example:3333 stratum wallet");
  EXPECT_EQ(found({"-u", "account.worker"}), "");
  EXPECT_EQ(found({"-u", "a-very-long-user-name-of-our-company-1"}), "");
  EXPECT_EQ(found({"-u", "averylongusernamewithoutanydigitatall"}), "");
  EXPECT_EQ(found({"--token", kWallet}), "");
}

}  // namespace
}  // namespace gpukeeper::classify
