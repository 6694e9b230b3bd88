#include "core/listen_address.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gpukeeper {
namespace {

std::string round_trip(std::string_view text) {
  const auto address = parse_listen_address(text);
  return address ? address->to_string() : "refused: " + address.error().message;
}

TEST(ListenAddressTest, AddressesAreReadAndWrittenAlike) {
  for (const std::string text : {"127.0.0.1:8737", "0.0.0.0:0", "[::1]:65535", "[fe80::1]:80", "unix:/run/x.sock",
                                 "unix:x", "https://0.0.0.0:443", "https://[::1]:7910"}) {
    EXPECT_EQ(round_trip(text), text);
  }
  EXPECT_EQ(round_trip("localhost:80"), "127.0.0.1:80");
  EXPECT_EQ(round_trip("tls:localhost:443"), "https://127.0.0.1:443");
  EXPECT_EQ(round_trip("http://10.0.0.1:80"), "10.0.0.1:80");
  EXPECT_EQ(round_trip("unix:/" + std::string(106, 'a')), "unix:/" + std::string(106, 'a'));
}

TEST(ListenAddressTest, AMistakeIsSaidWithWhatWouldBeRight) {
  const auto message = [](std::string_view text) { return parse_listen_address(text).error().message; };
  EXPECT_EQ(message(""), "listen on '': it must be ADDRESS:PORT, [v6]:PORT, https://ADDRESS:PORT or unix:PATH");
  EXPECT_EQ(message("https://443"), "listen on 'https://443': did you mean https://127.0.0.1:443?");
  EXPECT_EQ(message("https://gpu:443"),
            "listen on 'https://gpu:443': an IPv4 address must stand before the port, such as 127.0.0.1; names are not "
            "looked up");
  EXPECT_EQ(message("8737"), "listen on '8737': did you mean 127.0.0.1:8737?");
  EXPECT_EQ(message("/run/x.sock"), "listen on '/run/x.sock': did you mean unix:/run/x.sock?");
  EXPECT_EQ(message("::1:80"), "listen on '::1:80': an IPv6 address stands in brackets: did you mean [::1]:80?");
  EXPECT_EQ(message("[::g]:80"), "listen on '[::g]:80': between the brackets must stand an IPv6 address");
  EXPECT_EQ(message(":80"),
            "listen on ':80': an IPv4 address must stand before the port, such as 127.0.0.1; names are not looked up");
  EXPECT_EQ(
      message("gpu-box:80"),
      "listen on 'gpu-box:80': an IPv4 address must stand before the port, such as 127.0.0.1; names are not looked "
      "up");
  EXPECT_EQ(message("127.0.0.1:65536"), "listen on '127.0.0.1:65536': the port must be a number from 0 to 65535");
  EXPECT_EQ(message("127.0.0.1:"), "listen on '127.0.0.1:': the port must be a number from 0 to 65535");
  EXPECT_EQ(message("unix:"), "listen on 'unix:': a path must follow");
  EXPECT_EQ(
      message("unix:/" + std::string(107, 'a')),
      "listen on 'unix:/" + std::string(107, 'a') + "': the path has 108 bytes, and that of a unix socket at most 107");
}

TEST(ListenAddressTest, OnlyLoopbackAndUnixSocketsAreThisMachinesOwn) {
  for (const std::string text : {"127.0.0.1:1", "127.1.2.3:1", "[::1]:1", "unix:/x"}) {
    EXPECT_TRUE(parse_listen_address(text)->is_local()) << text;
  }
  for (const std::string text : {"0.0.0.0:1", "10.0.0.1:1", "[::]:1", "[fe80::1]:1", "128.0.0.1:1"}) {
    EXPECT_FALSE(parse_listen_address(text)->is_local()) << text;
  }
}

}  // namespace
}  // namespace gpukeeper
