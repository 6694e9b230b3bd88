#include "auth/network.hpp"

#include <gtest/gtest.h>

namespace gpukeeper::auth {
namespace {

bool holds(const char* network, const char* address) {
  const auto parsed = Network::parse(network);
  EXPECT_TRUE(parsed) << network;
  return parsed && parsed->contains(address);
}

std::string mistake(const char* network) {
  const auto parsed = Network::parse(network);
  return parsed ? "none" : parsed.error().message;
}

TEST(NetworkTest, HoldsTheAddressesThatBeginAlike) {
  EXPECT_TRUE(holds("10.1.0.0/16", "10.1.2.3"));
  EXPECT_FALSE(holds("10.1.0.0/16", "10.2.0.0"));
  EXPECT_TRUE(holds("192.168.1.128/25", "192.168.1.255"));
  EXPECT_FALSE(holds("192.168.1.128/25", "192.168.1.127"));
  EXPECT_TRUE(holds("fd00::/8", "fdff::1"));
  EXPECT_FALSE(holds("fd00::/8", "fe80::1"));
}

TEST(NetworkTest, OneAddressHoldsItself) {
  EXPECT_TRUE(holds("192.168.1.7", "192.168.1.7"));
  EXPECT_FALSE(holds("192.168.1.7", "192.168.1.8"));
  EXPECT_TRUE(holds("2001:db8::1", "2001:0db8:0:0::1"));
}

TEST(NetworkTest, AnAddressOfVersionFourIsTheSameWithinVersionSix) {
  EXPECT_TRUE(holds("10.0.0.0/8", "::ffff:10.1.2.3"));
  EXPECT_TRUE(holds("0.0.0.0/0", "203.0.113.9"));
  EXPECT_FALSE(holds("0.0.0.0/0", "2001:db8::1"));
  EXPECT_TRUE(holds("::/0", "203.0.113.9"));
}

TEST(NetworkTest, HoldsNothingThatIsNoAddress) {
  EXPECT_FALSE(holds("::/0", ""));
  EXPECT_FALSE(holds("::/0", "localhost"));
}

TEST(NetworkTest, SaysWhatIsWrong) {
  EXPECT_EQ(mistake("localhost"),
            "'localhost' is no address such as 192.168.1.7 or fd00::7, and no network such as "
            "10.1.0.0/16 or fd00::/8");
  EXPECT_EQ(mistake("10.0.0.0/33"), "'10.0.0.0/33': after the slash stands how many bits are alike, 0 to 32");
  EXPECT_EQ(mistake("fd00::/129"), "'fd00::/129': after the slash stands how many bits are alike, 0 to 128");
  EXPECT_EQ(mistake("10.0.0.0/"), "'10.0.0.0/': after the slash stands how many bits are alike, 0 to 32");
  EXPECT_EQ(mistake("10.1.2.3/16"), "'10.1.2.3/16' says more than its first 16 bits: 10.1.2.3 is that address alone");
}

}  // namespace
}  // namespace gpukeeper::auth
