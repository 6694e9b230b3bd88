#include "config/key_table.hpp"

#include <set>

#include <gtest/gtest.h>

#include "inputs.hpp"

namespace gpukeeper::config {
namespace {

// Contract 1.1.2: names, defaults, and that they are whole numbers in JSON.
TEST(KeyTableTest, TheDocumentedKeysHaveTheirDefaultsAndAreLive) {
  const Settings standard;
  const std::pair<std::string, std::string> documented[] = {
      {"temp_optimal", "65"},          {"temp_normal", "75"},       {"temp_throttle", "85"},
      {"temp_critical", "90"},         {"memory_optimal", "70"},    {"memory_normal", "85"},
      {"memory_critical", "95"},       {"memory_limit_mb", "6144"}, {"memory_reserve_mb", "512"},
      {"monitor_interval", "3"},       {"history_size", "200"},     {"throttle_cooldown_seconds", "30"},
      {"critical_pause_seconds", "60"}};
  for (const auto& [name, value] : documented) {
    const Key* key = find_key(name);
    ASSERT_TRUE(key) << name;
    EXPECT_EQ(key->show(standard), value) << name;
    EXPECT_EQ(key->change, Change::live) << name;
  }
}

TEST(KeyTableTest, NamesAreUniqueAndNoSectionIsAKey) {
  std::set<std::string_view> names;
  for (const Key& key : key_table()) EXPECT_TRUE(names.insert(key.name).second) << key.name;
  for (const Key& key : key_table()) {
    for (auto dot = key.name.find('.'); dot != key.name.npos; dot = key.name.find('.', dot + 1)) {
      EXPECT_FALSE(names.contains(key.name.substr(0, dot))) << key.name;
    }
  }
}

TEST(KeyTableTest, EveryKeyHasHelpTypeAndAnEnvironmentNameOfItsOwn) {
  std::set<std::string> variables;
  for (const Key& key : key_table()) {
    EXPECT_TRUE(key.help.ends_with('.')) << key.name;
    EXPECT_FALSE(key.type.empty()) << key.name;
    EXPECT_TRUE(variables.insert(environment_name(key)).second) << key.name;
  }
  EXPECT_TRUE(variables.contains("GPUKEEPER_TEMP_THROTTLE"));
  EXPECT_TRUE(variables.contains("GPUKEEPER_LOG_ROTATE_SIZE"));
}

TEST(KeyTableTest, TheDefaultsAreWell) {
  EXPECT_EQ(check(Settings()), std::vector<std::string>());
}

// A file in which nothing has its default.
constexpr std::string_view kEverything = R"(
temp_optimal: 60
temp_normal: 70
temp_throttle: 80
temp_critical: 84.5
memory_optimal: 60
memory_normal: 80
memory_critical: 90
memory_limit_mb: 7168
memory_reserve_mb: 0
monitor_interval: 2500ms
history_size: 300
history: {span: 12h, step: 2s, memory: 64MiB, metrics: [power_watts, temperature_celsius],
  store: {enabled: false, keep: 480h, keep_1s: 24h, keep_10s: 120h, keep_1m: 360h, batch: 30s, size: 256MiB}}
kubernetes: {pod_resources: /run/kubelet.sock, helper: /opt/pod-resources}
throttle_cooldown_seconds: 1m
critical_pause_seconds: 90
vendors: {amd: {temp_throttle: 95, temp_critical: 100, temp_auto: false}, intel: {memory_normal: 84}}
devices:
  - {device: "*H200*", temp_normal: 68}
  - device: GPU-1
    temp_auto: true
temp_auto: {enabled: true, optimal: 20, normal: 12, throttle: 6, critical: 2}
hysteresis_celsius: 1.5
hysteresis_memory_percent: 1
min_dwell_samples: {up: 2, down: 5}
missing_sensor_hold_samples: 7
load_throttle_percent: 98
load_sustain_seconds: 10
power_throttle_percent: 101
power_sustain_seconds: 11
yield: {enabled: true, any: true, classes: [gaming], ours: [python3, "ollama*"], multiplier: 0.8}
alerts:
  rules:
    - {rule: thermal, devices: ["*H200*"], warning: 82, critical: 88, sustain: 20s, clear: 4, repeat: 2h}
    - {rule: fan_stopped, enabled: false}
  user_rules:
    - {id: hungry, metric: power_watts, comparison: ">=", threshold: 300, critical: 400, duration: 1m, clear: 10,
       repeat: 1h, severity: 55, message: "{gpu} takes {value} W", remedy: Ask it to stop., devices: [GPU-1]}
    - {id: notebook, process: "jupyter*", metric: memory_used_bytes, threshold: 1}
  idle_severity_cap: 60
  hoarding_memory: 20
  documentation_url: https://wiki.example.org/alerts.md
  silences: [{rule: thermal, device: GPU-1, level: warning, comment: known}]
sinks:
  - {name: chat, kind: webhook, enabled: false, min_level: critical, rules: [thermal], devices: [GPU-1],
     send_resolved: false, url: "https://ops.example/secret?key=1", token_env: TOKEN, headers: ["X-Place: secret"],
     body: "a\\nb", content_type: text/plain, ca_file: /ca.pem, labels: [site=here], timeout: 3s}
  - {name: mail, kind: email, url: "smtp://mail.example", user: u, password_file: /p, from: a@example.org,
     to: [b@example.org], starttls: true}
actuators:
  {power_limit: true, power_limit_lowest: 60, locked_clocks: true, clocks_lowest: 70, fan: true, fan_slow: 60, fan_fast: 90,
   freeze: true, freeze_cgroups: [/batch/*], max_pause: 60s, devices: [GPU-1], pause_down: 3s, pause_up: 20s}
ledger:
  headroom: 512MiB
  most: auto
  burst_ratio: 1.5
  devices: [{device: "*H200*", headroom: 0MiB, most: 100GiB, burst_ratio: 2}, {device: "1", most: auto}]
  quotas:
    - {service: embedding_service, min_request: 1MiB, max_request: 4GiB, total: 8GiB, leases: 4, devices: ["0", GPU-1],
       preferred_device: "0", near: [rag], apart: [training], priority: 5}
    - {service: training}
  strategy: pack
  bookkeeping_only: true
  queue: 10
  ageing: 10s
  allocation_timeout: 1m
  deallocation_timeout: 20s
  history: 50
  overuse: terminate
  overuse_patience: 1m
  overuse_grace: 20s
reclaim:
  {enabled: true, memory_threshold: 0.9, optimization_interval: 1m, ask_timeout: 5s, idle_after: 1h,
   holder_hosts: ["*.example"], suspend_services: [batch], terminate_services: ["batch-*"], terminate_idle: [jupyter*],
   terminate_grace: 20s}
sample_interval: 500ms
source: [nvml, sysfs]
process_monitoring: false
rules: /etc/x.yaml
state_dir: /var/lib/x
listen: ["127.0.0.1:8000", unix:/run/x.sock]
insecure_listen: true
hosts: gpu-box.example
auth: {loopback_role: operator, admin_groups: [gpu-admins], operator_groups: [gpu],
       certificates: [{common_name: ci, san: ci.example, role: operator, service: embedding}]}
tls: {certificate: /etc/c.pem, key: /etc/k.pem, client_ca: /etc/ca.pem, client_required: true, min_version: 1.3, hsts: 24h}
cors: {origins: ["https://dashboard.example"]}
http: {connections: 10, connections_per_peer: 5, head_size: 32KiB, body_size: 1MiB, slowest: 1KiB, requests_per_minute: 100, allow: [10.1.0.0/16], request_timeout: 2s, answer_timeout: 3s, idle_timeout: 1m}
events: {clients: 7, high_usage: 60, high_usage_time: 9s}
metrics: {families: [dcgm], prefix: mine, service_name: llm, listen: ["127.0.0.1:8000"]}
database: {url: "postgresql://me:secret@db/gpu?password=secret", url_file: /u, password_file: /p, host: node-1, interval: 1m,
           timeout: 5s, keep: off, spool: 1MiB, metrics: [power_watts]}
remote_write: {url: "https://push.example/secret", families: [dcgm], interval: 1m, timeout: 5s, queue: 1MiB, token_file: /t,
               user: u, password_file: /p, ca_file: /c, headers: ["X-Key: secret"], labels: [a=b]}
otlp: {url: "https://push.example/secret", families: [dcgm], interval: 1m, timeout: 5s, queue: 1MiB, token_file: /t,
       user: u, password_file: /p, ca_file: /c, headers: ["X-Key: secret"], labels: [a=b]}
tariff: {price_per_kwh: 0.3, currency: EUR, carbon_g_per_kwh: 380}
account: {interval: 10s, length: 720h}
log: {file: /var/log/x.log, level: debug, format: json, rotate: {size: 1MiB, keep: 3}}
)";

// Remote-write may have been left out of this build, and its address is refused then.
const bool kHasRemoteWrite = push::check_remote_write({.url = "https://push.example/"}).empty();

std::string everything() {
  std::string text(kEverything);
  constexpr std::string_view kUrl = "remote_write: {url: \"https://push.example/secret\", ";
  if (!kHasRemoteWrite) text.replace(text.find(kUrl), kUrl.size(), "remote_write: {");
  return text;
}

TEST(KeyTableTest, EverythingCanBeSaidAndWhatIsShownCanBeReadAgain) {
  const auto read = from_file(everything());
  ASSERT_TRUE(read) << read.error().message;
  const Settings standard;
  std::vector<Assignment> shown;
  for (const Key& key : key_table()) {
    if (key.name == "remote_write.url" && !kHasRemoteWrite) continue;
    EXPECT_NE(key.show(read->settings), key.show(standard)) << key.name << " is not in the test";
    auto value = yaml::parse_yaml(key.show(read->settings), "shown");
    ASSERT_TRUE(value) << key.name;
    shown.push_back({.key = std::string(key.name), .value = std::move(*value), .place = {}});
  }
  const auto again = effective({.requests = std::move(shown)});
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->settings, read->settings);
}

TEST(KeyTableTest, WhatMayBeASecretIsShownToNobody) {
  const auto read = from_file(everything());
  ASSERT_TRUE(read) << read.error().message;
  for (const Key& key : key_table()) {
    EXPECT_EQ(key.published(read->settings).find("secret"), std::string::npos) << key.name;
  }
  EXPECT_NE(find_key("sinks")->show(read->settings).find("secret"), std::string::npos);  // they are there
}

TEST(KeyTableTest, SettingsReachTheirPlaces) {
  const auto read = from_file(everything());
  ASSERT_TRUE(read) << read.error().message;
  const Settings& s = read->settings;
  using namespace std::chrono_literals;
  EXPECT_EQ(s.engine.governor.thresholds.temp_critical, Celsius(84.5));
  EXPECT_EQ(s.engine.governor.monitor_interval, 2500ms);
  EXPECT_EQ(s.engine.governor.throttle_cooldown, 1min);
  EXPECT_EQ(s.engine.governor.vendors.at(Vendor::amd).temp_critical, Celsius(100));
  EXPECT_EQ(s.engine.governor.devices.at(1).changes.temp_auto, true);
  EXPECT_EQ(s.engine.governor.yield.multiplier, 0.8);
  EXPECT_EQ(s.engine.governor.load_throttle_percent, Percent(98));
  EXPECT_EQ(s.book.ledger.documented.limit, from_mib(7168));
  EXPECT_EQ(s.book.ledger.limit, (DeviceLimit{.headroom = 512_MiB, .most_is_auto = true, .burst_ratio = 1.5}));
  EXPECT_EQ(
      s.book.devices.at(0),
      (DeviceLimitChange{.device = "*H200*", .headroom = Bytes(0), .most = from_mib(102'400), .burst_ratio = 2.0}));
  EXPECT_TRUE(s.book.devices.at(1).most_is_auto);
  EXPECT_EQ(s.book.ledger.services.at(0).total, 8192_MiB);
  EXPECT_EQ(s.book.ledger.services.at(0).apart, std::vector<std::string>{"training"});
  EXPECT_FALSE(s.book.ledger.services.at(1).leases);
  EXPECT_EQ(s.book.ledger.strategy, Strategy::pack);
  EXPECT_EQ(s.book.overuse.policy, OverusePolicy::terminate);
  EXPECT_EQ(s.engine.andon.rules.at(0).sustain, 20s);
  EXPECT_EQ(s.engine.andon.user_rules.at(0).comparison, Comparison::at_least);
  EXPECT_EQ(s.engine.andon.silences.at(0).level, AlertLevel::warning);
  EXPECT_EQ(s.engine.sample_interval, 500ms);
  EXPECT_EQ(s.source, (std::vector<std::string>{"nvml", "sysfs"}));
  EXPECT_EQ(s.listen.at(1).to_string(), "unix:/run/x.sock");
  EXPECT_EQ(s.hosts, std::vector<std::string>{"gpu-box.example"});
  EXPECT_EQ(s.log.rotate_size, from_mib(1));
  EXPECT_EQ(s.http.idle_timeout, 1min);
  EXPECT_EQ(s.events.clients, 7U);
  EXPECT_EQ(s.events.high_usage, Percent(60));
  EXPECT_EQ(s.events.high_usage_time, 9s);
}

}  // namespace
}  // namespace gpukeeper::config
