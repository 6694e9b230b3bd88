#include "client/host.hpp"

#include <gtest/gtest.h>

namespace gpukeeper::client {
namespace {

TEST(HostTest, ASocketAMachineAndAPortAreRead) {
  const std::pair<std::string_view, Host> cases[] = {
      {"unix:/run/gpukeeper/s.sock", {.path = "/run/gpukeeper/s.sock", .name = {}, .port = 0}},
      {"gpu-box", {.path = {}, .name = "gpu-box", .port = 8737}},
      {"gpu-box.lab.example:8737", {.path = {}, .name = "gpu-box.lab.example", .port = 8737}},
      {"10.0.0.5", {.path = {}, .name = "10.0.0.5", .port = 8737}},
      {"[::1]", {.path = {}, .name = "::1", .port = 8737}},
      {"[fe80::1]:80", {.path = {}, .name = "fe80::1", .port = 80}},
      {"http://localhost", {.path = {}, .name = "localhost", .port = 8737}},
      {"http://10.0.0.5:80/", {.path = {}, .name = "10.0.0.5", .port = 80}},
      {"http://[::1]:80", {.path = {}, .name = "::1", .port = 80}},
      {"https://gpu-box", {.path = {}, .name = "gpu-box", .port = 8737, .tls = true}},
      {"https://[::1]:7910/", {.path = {}, .name = "::1", .port = 7910, .tls = true}},
  };
  for (const auto& [text, host] : cases) {
    const auto read = parse_host(text, "--host");
    ASSERT_TRUE(read) << text << ": " << read.error().message;
    EXPECT_EQ(*read, host) << text;
  }
}

TEST(HostTest, WhatIsNoneIsRefused) {
  for (const std::string_view text :
       {"", "unix:", "http://", ":80", "a:b", "a:0", "a:65536", "a:80x", "a/b", "a b", "::1", "[::1", "[a]:80", "-a",
        "http://a/api", "user@a", "http://unix:/a", "https://", "https://http://a"}) {
    const auto read = parse_host(text, "--host");
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error(),
              (Error{Errc::invalid_argument,
                     "--host takes unix:PATH, HOST[:PORT] or https://HOST[:PORT], not '" + std::string(text) + "'"}));
  }
}

TEST(HostTest, AnAddressIsItsOwnAndNobodyIsAsked) {
  const auto of = [](Host host) { return look_up(host).value().front().to_string(); };
  EXPECT_EQ(of({.path = "/s", .name = {}}), "unix:/s");
  EXPECT_EQ(of({.path = {}, .name = "127.0.0.1"}), "127.0.0.1:8737");
  EXPECT_EQ(of({.path = {}, .name = "::1", .port = 80}), "[::1]:80");
  EXPECT_EQ(of({.path = {}, .name = "localhost", .port = 80}), "127.0.0.1:80") << "whatever the resolver says";
  EXPECT_EQ(of({.path = {}, .name = "localhost", .port = 80, .tls = true}), "https://127.0.0.1:80");
}

}  // namespace
}  // namespace gpukeeper::client
