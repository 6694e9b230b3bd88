#include "service/options.hpp"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "auth/token_file.hpp"
#include "fakes/temporary_folder.hpp"

namespace gpukeeper::service {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

TEST(ServiceOptionsTest, TheSettingsReachTheServerAndTheLog) {
  const auto http =
      http_options({.connections = 10, .request_timeout = 2s, .answer_timeout = 3s, .idle_timeout = 1min});
  EXPECT_EQ(http.connections, 10U);
  EXPECT_EQ(http.request, 2s);
  EXPECT_EQ(http.answer, 3s);
  EXPECT_EQ(http.idle, 1min);
  EXPECT_EQ(
      log_target_options(
          {.file = "/var/log/x.log", .format = LogFormat::json, .rotate_size = from_mib(1), .rotate_keep = 3}, true),
      (LogTargetOptions{.file = "/var/log/x.log",
                        .format = LogFormat::json,
                        .rotate_size = from_mib(1),
                        .rotate_keep = 3,
                        .journal = true}));
}

TEST(ServiceOptionsTest, TheDefaultsAreThoseOfTheServerAndTheLog) {
  EXPECT_EQ(log_target_options({}, false), LogTargetOptions());
  const auto http = http_options({});
  const HttpServerOptions standard;
  EXPECT_EQ(http.connections, standard.connections);
  EXPECT_EQ(http.request, standard.request);
  EXPECT_EQ(http.answer, standard.answer);
  EXPECT_EQ(http.idle, standard.idle);
}

std::vector<std::string> defaults(std::map<std::string, std::string> environment, uid_t user) {
  std::vector<std::string> result;
  const auto addresses = default_listen(
      [&](std::string_view name) -> std::optional<std::string> {
        const auto found = environment.find(std::string(name));
        return found == environment.end() ? std::nullopt : std::optional(found->second);
      },
      user);
  for (const ListenAddress& address : addresses) result.push_back(address.to_string());
  return result;
}

TEST(ServiceOptionsTest, WithoutAChoiceItListensOnLoopbackAndWhereARuntimeFolderIs) {
  EXPECT_THAT(defaults({}, 0), ElementsAre("unix:/run/gpukeeper/gpukeeper.sock", "127.0.0.1:7909"));
  EXPECT_THAT(defaults({}, 1000), ElementsAre("127.0.0.1:7909"));
  EXPECT_THAT(defaults({{"XDG_RUNTIME_DIR", "/run/user/1000"}}, 1000),
              ElementsAre("unix:/run/user/1000/gpukeeper.sock", "127.0.0.1:7909"));
  EXPECT_THAT(defaults({{"RUNTIME_DIRECTORY", "/run/a:/run/b"}, {"XDG_RUNTIME_DIR", "/x"}}, 0),
              ElementsAre("unix:/run/a/gpukeeper.sock", "127.0.0.1:7909"));
}

TEST(ServiceOptionsTest, WhatOtherMachinesReachTakesATokenOrConsent) {
  const TemporaryFolder folder;
  config::Settings settings;
  settings.listen = {*parse_listen_address("127.0.0.1:7909"), *parse_listen_address("unix:/run/x.sock")};
  EXPECT_TRUE(check_listen(settings, folder.path()));
  settings.listen.push_back(*parse_listen_address("0.0.0.0:7909"));
  for (const std::string& state : {folder.path().string(), std::string()}) {
    const auto refused = check_listen(settings, state);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::invalid_argument);
    EXPECT_EQ(refused.error().message,
              "listen on 0.0.0.0:7909: other machines reach that address, and there is no token to know them by: make "
              "one with 'gpukeeper token create', listen on 127.0.0.1, or consent with --insecure-listen");
  }
  const auto made =
      auth::TokenFile(folder.path().string()).change([](std::vector<auth::Token>& tokens) -> Result<void> {
        tokens.push_back(auth::make_token({}, auth::system_random)->token);
        return {};
      });
  ASSERT_TRUE(made);
  EXPECT_TRUE(check_listen(settings, folder.path()));
  EXPECT_FALSE(check_listen(settings, ""));
  settings.insecure_listen = true;
  EXPECT_TRUE(check_listen(settings, ""));
}

}  // namespace
}  // namespace gpukeeper::service
