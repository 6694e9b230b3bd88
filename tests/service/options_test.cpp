#include "service/options.hpp"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "auth/token_file.hpp"
#include "fakes/certificates.hpp"
#include "fakes/memory_files.hpp"
#include "fakes/temporary_folder.hpp"

namespace gpukeeper::service {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

TEST(ServiceOptionsTest, TheSettingsReachTheServerAndTheLog) {
  const auto http = http_options({.connections = 10,
                                  .connections_per_peer = 4,
                                  .head_size = Bytes(1000),
                                  .body_size = Bytes(2000),
                                  .slowest = Bytes(3000),
                                  .request_timeout = 2s,
                                  .answer_timeout = 3s,
                                  .idle_timeout = 1min});
  EXPECT_EQ(http.connections, 10U);
  EXPECT_EQ(http.per_peer, 4U);
  EXPECT_EQ(http.limits.head, 1000U);
  EXPECT_EQ(http.limits.body, 2000U);
  EXPECT_EQ(http.slowest, 3000U);
  EXPECT_EQ(http.request, 2s);
  EXPECT_EQ(http.handshake, 2s);
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
  EXPECT_EQ(http.per_peer, standard.per_peer);
  EXPECT_EQ(http.limits.head, standard.limits.head);
  EXPECT_EQ(http.limits.body, standard.limits.body);
  EXPECT_EQ(http.slowest, standard.slowest);
  EXPECT_EQ(http.handshake, standard.handshake);
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
  EXPECT_THAT(defaults({}, 0), ElementsAre("unix:/run/gpukeeper/gpukeeper.sock", "127.0.0.1:8737"));
  EXPECT_THAT(defaults({}, 1000), ElementsAre("127.0.0.1:8737"));
  EXPECT_THAT(defaults({{"XDG_RUNTIME_DIR", "/run/user/1000"}}, 1000),
              ElementsAre("unix:/run/user/1000/gpukeeper.sock", "127.0.0.1:8737"));
  EXPECT_THAT(defaults({{"RUNTIME_DIRECTORY", "/run/a:/run/b"}, {"XDG_RUNTIME_DIR", "/x"}}, 0),
              ElementsAre("unix:/run/a/gpukeeper.sock", "127.0.0.1:8737"));
}

TEST(ServiceOptionsTest, WhatOtherMachinesReachTakesATokenOrConsent) {
  const TemporaryFolder folder;
  config::Settings settings;
  settings.listen = {*parse_listen_address("127.0.0.1:8737"), *parse_listen_address("unix:/run/x.sock")};
  EXPECT_TRUE(check_listen(settings, folder.path()));
  settings.listen.push_back(*parse_listen_address("0.0.0.0:8737"));
  for (const std::string& state : {folder.path().string(), std::string()}) {
    const auto refused = check_listen(settings, state);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::invalid_argument);
    EXPECT_EQ(refused.error().message,
              "listen on 0.0.0.0:8737: other machines reach that address, and there is no token to know them by: make "
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

TEST(ServiceOptionsTest, OverTlsACertificateWillDoForAToken) {
  config::Settings settings;
  settings.listen = {*parse_listen_address("https://0.0.0.0:7910")};
  EXPECT_FALSE(check_listen(settings, ""));
  settings.auth.certificates = {{.common_name = "ci"}};
  EXPECT_TRUE(check_listen(settings, ""));
  settings.listen.push_back(*parse_listen_address("0.0.0.0:8737"));  // where nobody can show one
  EXPECT_FALSE(check_listen(settings, ""));
}

TEST(ServiceOptionsTest, TheFilesOfTlsAreLookedAtWhereSomethingListensWithIt) {
  MemoryFiles files;
  const auto made = make_certificate("gpu1");
  files.write("/c.pem", made.certificate);
  files.write("/k.pem", made.key);
  config::Settings settings;
  settings.tls.certificate = "/c.pem";
  settings.tls.key = "/none.pem";
  EXPECT_TRUE(check_tls(settings, files));
  settings.metrics.listen = {*parse_listen_address("https://127.0.0.1:8000")};
  EXPECT_EQ(check_tls(settings, files).error().code, Errc::not_found);
  settings.tls.key = "/k.pem";
  EXPECT_TRUE(check_tls(settings, files));
}

}  // namespace
}  // namespace gpukeeper::service
