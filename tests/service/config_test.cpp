#include "service/config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gpukeeper::service {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

std::string refusal(std::string_view text) {
  const auto config = parse_config(text, "f.yaml");
  return config ? "taken" : config.error().message;
}

TEST(ConfigTest, EverythingThatCanBeSaid) {
  const auto config = parse_config(R"(
source: [nvml, sysfs]
listen:
  - 127.0.0.1:8000
  - unix:/run/x.sock
insecure_listen: true
hosts: gpu-box.example
state_dir: /var/lib/x
rules: /etc/x.yaml
sample_interval: 500ms
http: {connections: 10, request_timeout: 2s, answer_timeout: 3s, idle_timeout: 1m}
log: {file: /var/log/x.log, level: debug, format: json, rotate: {size: 1MiB, keep: 3}}
)",
                                   "f.yaml");
  ASSERT_TRUE(config.has_value()) << config.error().message;
  EXPECT_THAT(config->source, ElementsAre("nvml", "sysfs"));
  ASSERT_EQ(config->listen.size(), 2U);
  EXPECT_EQ(config->listen[1].to_string(), "unix:/run/x.sock");
  EXPECT_EQ(config->insecure_listen, true);
  EXPECT_THAT(config->hosts, ElementsAre("gpu-box.example"));
  EXPECT_EQ(config->state_dir, "/var/lib/x");
  EXPECT_EQ(config->rules, "/etc/x.yaml");
  EXPECT_EQ(config->sample_interval, 500ms);
  const auto http = http_options(*config);
  EXPECT_EQ(http.connections, 10U);
  EXPECT_EQ(http.request, 2s);
  EXPECT_EQ(http.answer, 3s);
  EXPECT_EQ(http.idle, 1min);
  EXPECT_EQ(config->log.level, LogLevel::debug);
  EXPECT_EQ(log_target_options(*config, true), (LogTargetOptions{.file = "/var/log/x.log",
                                                                 .format = LogFormat::json,
                                                                 .rotate_size = from_mib(1),
                                                                 .rotate_keep = 3,
                                                                 .journal = true}));
}

TEST(ConfigTest, NothingSaidIsAllDefaults) {
  EXPECT_EQ(*parse_config("", "f.yaml"), Config());
  EXPECT_EQ(*parse_config("# nothing\n", "f.yaml"), Config());
  EXPECT_EQ(log_target_options(Config(), false), LogTargetOptions());
}

TEST(ConfigTest, AMistakeIsShownWithItsPlaceAndWhatWouldBeRight) {
  EXPECT_EQ(refusal("lisen: x"), "f.yaml:1:1: unknown key 'lisen' in the configuration: did you mean 'listen'?");
  EXPECT_EQ(refusal("log:\n  levle: info"), "f.yaml:2:3: unknown key 'levle' in log: did you mean 'level'?");
  EXPECT_EQ(refusal("log: {level: loud}"),
            "f.yaml:1:14: 'level' must be one of error, warning, info, debug, not 'loud'");
  EXPECT_EQ(refusal("listen: 7909"), "f.yaml:1:9: listen on '7909': did you mean 127.0.0.1:7909?");
  EXPECT_EQ(refusal("listen:\n  - unix:/x\n  - nowhere"),
            "f.yaml:3:5: listen on 'nowhere': it must be ADDRESS:PORT, [v6]:PORT or unix:PATH");
  EXPECT_EQ(refusal("insecure_listen: yes"), "f.yaml:1:18: 'insecure_listen' must be one of true, false, not 'yes'");
  EXPECT_EQ(refusal("sample_interval: 1ms"), "f.yaml:1:18: 'sample_interval' must be from 100ms to 1h, not '1ms'");
  EXPECT_EQ(refusal("sample_interval: soon"),
            "f.yaml:1:18: 'sample_interval' must be a duration such as 90s, 5m or 1h30m, not 'soon'");
  EXPECT_EQ(refusal("http: {idle_timeout: 2h}"), "f.yaml:1:22: 'idle_timeout' must be from 100ms to 1h, not '2h'");
  EXPECT_EQ(refusal("http: {connections: 0}"), "f.yaml:1:21: 'connections' must be from 1 to 100000, not 0");
  EXPECT_EQ(refusal("log: {rotate: {size: 1}}"),
            "f.yaml:1:22: 'size' must be a size of 64KiB or more, such as 10MiB, not '1'");
  EXPECT_EQ(refusal("log: {rotate: {keep: 1001}}"), "f.yaml:1:22: 'keep' must be from 0 to 1000, not 1001");
  EXPECT_EQ(refusal("source: {a: b}"), "f.yaml:1:9: 'source' must be a text, not a mapping");
}

TEST(ConfigTest, WhatStandsAboveWins) {
  Config above;
  above.source = {"nvml"};
  above.log.level = LogLevel::debug;
  Config below;
  below.source = {"sysfs", "rocm-smi"};
  below.log.level = LogLevel::error;
  below.log.file = "/x";
  below.insecure_listen = true;
  const Config both = merged(above, below);
  EXPECT_THAT(both.source, ElementsAre("nvml"));
  EXPECT_EQ(both.log.level, LogLevel::debug);
  EXPECT_EQ(both.log.file, "/x");
  EXPECT_EQ(both.insecure_listen, true);
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

TEST(ConfigTest, WithoutAChoiceItListensOnLoopbackAndWhereARuntimeFolderIs) {
  EXPECT_THAT(defaults({}, 0), ElementsAre("unix:/run/gpukeeper/gpukeeper.sock", "127.0.0.1:7909"));
  EXPECT_THAT(defaults({}, 1000), ElementsAre("127.0.0.1:7909"));
  EXPECT_THAT(defaults({{"XDG_RUNTIME_DIR", "/run/user/1000"}}, 1000),
              ElementsAre("unix:/run/user/1000/gpukeeper.sock", "127.0.0.1:7909"));
  EXPECT_THAT(defaults({{"RUNTIME_DIRECTORY", "/run/a:/run/b"}, {"XDG_RUNTIME_DIR", "/x"}}, 0),
              ElementsAre("unix:/run/a/gpukeeper.sock", "127.0.0.1:7909"));
}

TEST(ConfigTest, WhatOtherMachinesReachNeedsConsent) {
  const std::vector<ListenAddress> open = {*parse_listen_address("127.0.0.1:1"), *parse_listen_address("0.0.0.0:7909")};
  EXPECT_TRUE(check_exposure(open, true).has_value());
  const auto refused = check_exposure(open, false);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error(),
            (Error{Errc::not_permitted,
                   "listen on 0.0.0.0:7909: other machines reach that address, and there is no authentication yet: "
                   "listen on 127.0.0.1 behind a proxy that has one, or consent with --insecure-listen"}));
}

TEST(ConfigTest, WhatCannotBeChangedLiveIsNamed) {
  Config after;
  after.log.level = LogLevel::debug;
  EXPECT_THAT(changes_for_restart(Config(), after), testing::IsEmpty());
  after.listen = {*parse_listen_address("127.0.0.1:1")};
  after.hosts = {"a"};
  after.sample_interval = 2s;
  EXPECT_THAT(changes_for_restart(Config(), after), ElementsAre("listen", "hosts", "sample_interval"));
}

}  // namespace
}  // namespace gpukeeper::service
