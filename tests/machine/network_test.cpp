#include "machine/network.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fake_kernel_calls.hpp"
#include "fakes/memory_files.hpp"

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Optional;

constexpr std::string_view kDev =
    "Inter-|   Receive                                                |  Transmit\n"
    " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier\n"
    "    lo:     100      2    0    0    0     0          0         0      100       2    0    0    0     0       0\n"
    "  eth0:5000 40 0 0 0 0 0 0 7000 60 0 0 0 0 0 0\n"
    "eth0:1: 1 2 3 4 5 6 7 8 9 10 11\n";

TEST(NetworkTest, CountersAreByTheInterfacesName) {
  const auto look = parse_network(kDev);
  EXPECT_THAT(look, ElementsAre(std::pair(std::string("eth0"), NetworkCounters{5000, 40, 7000, 60}),
                                std::pair(std::string("eth0:1"), NetworkCounters{1, 2, 9, 10}),
                                std::pair(std::string("lo"), NetworkCounters{100, 2, 100, 2})));
}

TEST(NetworkTest, LinesThatAreNoneAreLeftOut) {
  for (const std::string_view text : {"", ":", "eth0: 1 2 3", "eth0: a b c d e f g h i j", ": 1 2 3 4 5 6 7 8 9 10",
                                      "../x: 1 2 3 4 5 6 7 8 9 10", "\xff\xff\n\n"}) {
    EXPECT_THAT(parse_network(text), IsEmpty()) << text;
  }
}

TEST(NetworkTest, NoMoreThan1024Interfaces) {
  std::string text;
  for (int i = 0; i < 3000; ++i) text += "if" + std::to_string(i) + ": 1 2 3 4 5 6 7 8 9 10\n";
  EXPECT_EQ(parse_network(text).size(), 1024u);
}

TEST(NetworkTest, ConnectionsAreThoseThatAreEstablished) {
  EXPECT_EQ(parse_connections("Ip: a\nIp: 1\nTcp: Rto Max CurrEstab InSegs\nTcp: 1 2 42 9\n"), 42u);
  for (const std::string_view text :
       {"", "Tcp: Rto\nTcp: 1\n", "Tcp: Rto CurrEstab\nTcp: 1\n", "Tcp: CurrEstab\n", "Tcp: CurrEstab\nTcp: many\n"}) {
    EXPECT_EQ(parse_connections(text), std::nullopt) << text;
  }
}

TEST(NetworkTest, AnInterfaceHasRatesAddressesAndAState) {
  MemoryFiles files;
  FakeKernelCalls calls;
  calls.interfaces["eth0"] = {"192.168.1.7", "fe80::1"};
  files.write("/proc/net/snmp", "Tcp: CurrEstab\nTcp: 3\n");
  files.write("/sys/class/net/eth0/flags", "0x1003\n");
  files.write("/sys/class/net/eth0/operstate", "up\n");
  files.write("/sys/class/net/lo/flags", "0x9\n");
  files.write("/sys/class/net/lo/operstate", "unknown\n");
  files.write("/sys/class/net/wlan0/flags", "0x1003\n");
  files.write("/sys/class/net/wlan0/operstate", "dormant\n");
  const NetworkCounters one{1, 1, 1, 1};
  const auto facts = network_facts(files, calls, {{"eth0", {1000, 1, 500, 1}}},
                                   {{"eth0", {5000, 1, 700, 1}}, {"lo", one}, {"tun0", one}, {"wlan0", one}}, 2s);
  ASSERT_EQ(facts.interfaces.size(), 4u);
  EXPECT_EQ(facts.connections, 3u);
  const InterfaceFacts& eth0 = facts.interfaces[0];
  EXPECT_THAT(eth0.received_bytes_per_second, Optional(2000.0));
  EXPECT_THAT(eth0.sent_bytes_per_second, Optional(100.0));
  EXPECT_THAT(eth0.addresses, ElementsAre("192.168.1.7", "fe80::1"));
  EXPECT_EQ(eth0.is_up, true);
  EXPECT_EQ(facts.interfaces[1].is_up, true);  // the loopback says no more than its flag
  EXPECT_EQ(facts.interfaces[1].sent_bytes_per_second, std::nullopt);
  EXPECT_EQ(facts.interfaces[2].is_up, std::nullopt);  // /sys does not tell
  EXPECT_EQ(facts.interfaces[3].is_up, false);
}

}  // namespace
}  // namespace gpukeeper
