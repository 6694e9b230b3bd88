#include "config/effective.hpp"

#include <gtest/gtest.h>

#include "inputs.hpp"

namespace gpukeeper::config {
namespace {

TEST(EffectiveTest, NothingSaidIsAllDefaults) {
  for (const std::string text : {"", "# nothing\n", "---\n"}) {
    const auto read = from_file(text);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->settings, Settings());
    EXPECT_TRUE(read->origins.empty());
  }
}

// The order that the documentation promises: each layer stands above those before it, for every pair of them.
TEST(EffectiveTest, EachLayerStandsAboveThoseBeforeIt) {
  for (unsigned layers = 0; layers < 16; ++layers) {
    Inputs inputs;
    std::string wanted = "90";
    Origin origin{Layer::standard, ""};
    if (layers & 1U) {
      inputs.file = File{"f.yaml", "temp_critical: 91\n"};
      wanted = "91";
      origin = {Layer::file, "f.yaml:1:16"};
    }
    if (layers & 2U) {
      inputs.environment = variables({{"GPUKEEPER_TEMP_CRITICAL", "92"}});
      wanted = "92";
      origin = {Layer::environment, "GPUKEEPER_TEMP_CRITICAL"};
    }
    if (layers & 4U) {
      inputs.command_line = assigned({"temp_critical=93"});
      wanted = "93";
      origin = {Layer::command_line, "--set"};
    }
    if (layers & 8U) {
      inputs.requests = assigned({"temp_critical=94"}, "");
      wanted = "94";
      origin = {Layer::request, ""};
    }
    const auto result = effective(inputs);
    ASSERT_TRUE(result) << result.error().message;
    EXPECT_EQ(find_key("temp_critical")->show(result->settings), wanted) << layers;
    EXPECT_EQ(result->origin("temp_critical").layer, origin.layer) << layers;
    EXPECT_EQ(result->origin("temp_critical").place, origin.place) << layers;
  }
}

TEST(EffectiveTest, ListsAreTakenWholeAndCommasSeparateInTheEnvironment) {
  const auto result = effective({.file = File{"f.yaml", "source: [nvml, sysfs]\n"},
                                 .environment = variables({{"GPUKEEPER_SOURCE", " rocm-smi, ,nvidia-smi "}}),
                                 .command_line = assigned({"hosts=a,b"})});
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->settings.source, (std::vector<std::string>{"rocm-smi", "nvidia-smi"}));
  EXPECT_EQ(result->settings.hosts, (std::vector<std::string>{"a", "b"}));
}

TEST(EffectiveTest, AValueThatBeginsAsYamlIsYaml) {
  const auto result = effective({.command_line = assigned({"vendors={amd: {temp_critical: 100}}"})});
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->settings.engine.governor.vendors.at(Vendor::amd).temp_critical, Celsius(100));
}

struct Case {
  std::string text, message;
};

TEST(EffectiveTest, AMistakeIsShownWithItsPlaceItsKeyAndWhatWouldBeRight) {
  for (const auto& [text, message] : {
           Case{"lisen: x", "f.yaml:1:1: unknown key 'lisen' in the configuration: did you mean 'listen'?"},
           Case{"log:\n  levle: info", "f.yaml:2:3: unknown key 'levle' in log: did you mean 'level'?"},
           Case{"log: {level: loud}", "f.yaml:1:14: log.level: 'loud' is none of error, warning, info, debug"},
           Case{"log: info", "f.yaml:1:6: log: 'info' is no mapping of file, level, format, rotate"},
           Case{"- x", "f.yaml:1:1: the configuration must be a mapping such as 'temp_throttle: 85', not a list"},
           Case{"a: [", "f.yaml:1:1: not YAML: end of sequence flow not found"},
           Case{"temp_throttle: hot", "f.yaml:1:16: temp_throttle: 'hot' is no number"},
           Case{"temp_throttle: nan", "f.yaml:1:16: temp_throttle: 'nan' is no number"},
           Case{"temp_normal: 75\ntemp_throttle:", "f.yaml:2:1: temp_throttle: nothing is no number"},
           Case{"temp_throttle: [85]", "f.yaml:1:16: temp_throttle: a list is no number"},
           Case{"temp_throttle: 500", "f.yaml:1:16: temp_throttle: 500 is not from 1 to 150"},
           Case{"memory_limit_mb: 0.5", "f.yaml:1:18: memory_limit_mb: '0.5' is no whole number"},
           Case{"monitor_interval: -1", "f.yaml:1:19: monitor_interval: -1 is not from 100ms to 24h"},
           Case{"monitor_interval: 0", "f.yaml:1:19: monitor_interval: 0 is not from 100ms to 24h"},
           Case{"listen: 8737", "f.yaml:1:9: listen on '8737': did you mean 127.0.0.1:8737?"},
           Case{"listen:\n  - unix:/x\n  - nowhere",
                "f.yaml:3:5: listen on 'nowhere': it must be ADDRESS:PORT, [v6]:PORT, https://ADDRESS:PORT or "
                "unix:PATH"},
           Case{"insecure_listen: yes", "f.yaml:1:18: insecure_listen: 'yes' is none of true, false"},
           Case{"sample_interval: 1ms", "f.yaml:1:18: sample_interval: 1ms is not from 100ms to 1h"},
           Case{"sample_interval: soon",
                "f.yaml:1:18: sample_interval: 'soon' is no number of seconds, and no time such as 90s, 5m or 1h30m"},
           Case{"auth: {loopback_role: admin}", "f.yaml:1:23: auth.loopback_role: 'admin' is none of viewer, operator"},
           Case{"http: {idle_timeout: 2h}", "f.yaml:1:22: http.idle_timeout: 2h is not from 100ms to 1h"},
           Case{"http: {connections: 0}", "f.yaml:1:21: http.connections: 0 is not from 1 to 100000"},
           Case{"log: {rotate: {size: 1}}",
                "f.yaml:1:22: log.rotate.size: '1' is no size of 64KiB or more, such as 10MiB"},
           Case{"log: {rotate: {keep: 1001}}", "f.yaml:1:22: log.rotate.keep: 1001 is not from 0 to 1000"},
           Case{"source: {a: b}", "f.yaml:1:9: source: a mapping is no text"},
           Case{"state_dir: \"\"",
                "f.yaml:1:12: state_dir: must be one line of text without control characters, and not empty"},
           Case{"load_throttle_percent: often", "f.yaml:1:24: load_throttle_percent: 'often' is no number"},
           Case{"load_throttle_percent:",
                "f.yaml:1:1: load_throttle_percent: nothing is no number; off is the word for none"},
           Case{"yield: {multiplier: 0.7}", "f.yaml:1:21: yield.multiplier: '0.7' is none of 0.8, 0.5, 0"},
           Case{"vendors: {nvida: {}}", "f.yaml:1:11: unknown key 'nvida' in vendors: did you mean 'nvidia'?"},
           Case{"vendors: {amd: {temp_throttle: x}}", "f.yaml:1:32: vendors.amd.temp_throttle: 'x' is no number"},
           Case{"devices: [{temp_normal: 70}]", "f.yaml:1:11: devices[0]: needs device"},
           Case{"memory_limit_mb:",
                "f.yaml:1:1: memory_limit_mb: nothing is no number; auto is the word for 80 % of the GPU"},
           Case{"memory_limit_mb: lots", "f.yaml:1:18: memory_limit_mb: 'lots' is no whole number"},
           Case{"ledger: {most: half}", "f.yaml:1:16: ledger.most: 'half' is no size of 0B or more, such as 10MiB"},
           Case{"ledger: {burst_ratio: 0.5}", "f.yaml:1:23: ledger.burst_ratio: 0.5 is not from 1 to 100"},
           Case{"ledger: {strategy: best}",
                "f.yaml:1:20: ledger.strategy: 'best' is none of most_free, best_fit, spread, pack, coolest"},
           Case{"ledger: {overuse: kill}", "f.yaml:1:19: ledger.overuse: 'kill' is none of alert, ask, terminate"},
           Case{"ledger: {devices: [{most: auto}]}", "f.yaml:1:20: ledger.devices[0]: needs device"},
           Case{"ledger: {quotas: [{service: x, totl: 1GiB}]}",
                "f.yaml:1:32: unknown key 'totl' in ledger.quotas[0]: did you mean 'total'?"},
           Case{"alerts: {user_rules: [{id: x, metric: power_watts, threshold: 1, comparison: over}]}",
                "f.yaml:1:78: alerts.user_rules[0].comparison: 'over' is none of >, >=, <, <="},
       }) {
    EXPECT_EQ(refusal_of(text), message);
  }
}

TEST(EffectiveTest, TheWholeIsJudgedAndTheMessageSaysWhatWouldDo) {
  for (const auto& [text, message] : {
           Case{"temp_throttle: 60",
                "f.yaml:1:16: temp_throttle: 60 is not above temp_normal (75); as things stand "
                "temp_throttle may be 78 to 90"},
           Case{"temp_normal: 90",
                "f.yaml:1:14: temp_throttle: 85 is not above temp_normal (90); as things stand "
                "temp_normal may be 68 to 82"},
           Case{"temp_critical: 80",
                "f.yaml:1:16: temp_critical: 80 is below temp_throttle (85); as things stand "
                "temp_critical may be 85 to 150"},
           Case{"temp_throttle: 76",
                "f.yaml:1:16: temp_throttle: 76 less hysteresis_celsius (3) is below temp_normal "
                "(75): the states overlap; as things stand temp_throttle may be 78 to 90"},
           Case{"memory_normal: 96",
                "f.yaml:1:16: memory_critical: 95 is not above memory_normal (96); as things "
                "stand memory_normal may be 72 to 93"},
           Case{"ledger: {quotas: [{service: x, min_request: 2GiB, max_request: 1GiB}]}",
                "f.yaml:1:18: ledger.quotas: x: min_request (2048 MiB) is above max_request (1024 MiB): no request "
                "could be both"},
           Case{"vendors: {amd: {temp_throttle: 70}}",
                "f.yaml:1:10: vendors.amd.temp_throttle: 70 is not above temp_normal (75)"},
           Case{"history: {metrics: [power_wats]}",
                "f.yaml:1:20: history.metrics: there is no metric 'power_wats': did you mean 'power_watts'?"},
           Case{"alerts: {rules: [{rule: thermal, critical: 1}]}",
                "f.yaml:1:17: alerts.rules.thermal.critical = 1: it must not be below warning, which is 80"},
       }) {
    EXPECT_EQ(refusal_of(text), message);
  }
}

TEST(EffectiveTest, AllMistakesAreSaidAtOnceWhereverTheyAre) {
  const auto result =
      effective({.file = File{"f.yaml", "temp_optimal: warm\nlisen: x\nhttp: {connections: 0, idle_timeout: x}\n"},
                 .environment = variables({{"GPUKEEPER_LOG_LEVEL", "loud"}}),
                 .command_line = assigned({"memory_normal=99", "sample_interval=never"})});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Errc::invalid_argument);
  EXPECT_EQ(result.error().message,
            "7 mistakes in the configuration:\n"
            "  f.yaml:2:1: unknown key 'lisen' in the configuration: did you mean 'listen'?\n"
            "  f.yaml:1:15: temp_optimal: 'warm' is no number\n"
            "  f.yaml:3:21: http.connections: 0 is not from 1 to 100000\n"
            "  f.yaml:3:38: http.idle_timeout: 'x' is no number of seconds, and no time such as 90s, 5m or 1h30m\n"
            "  GPUKEEPER_LOG_LEVEL: log.level: 'loud' is none of error, warning, info, debug\n"
            "  --set: sample_interval: 'never' is no number of seconds, and no time such as 90s, 5m or 1h30m\n"
            "  --set: memory_critical: 95 is not above memory_normal (99); as things stand memory_normal may be 72 to "
            "93");
}

TEST(EffectiveTest, ThousandsOfMistakesAreCountedNotListed) {
  std::string text = "devices:\n";
  for (int i = 0; i < 3000; ++i) text += "  - {device: a, temp_normal: 200}\n";
  const auto refused = refusal_of(text);
  EXPECT_TRUE(
      refused.starts_with("3000 mistakes in the configuration:\n  f.yaml:2:30: devices[0].temp_normal: 200 is "
                          "not from 1 to 150\n"))
      << refused.substr(0, 200);
  EXPECT_TRUE(refused.ends_with("\n  and 2950 more")) << refused.substr(refused.size() - 100);
}

TEST(EffectiveTest, WhatMayBeWrongOnlyBecauseAnotherValueIsIsNotSaid) {
  EXPECT_EQ(refusal_of("temp_throttle: hot\ntemp_normal: 88\n"), "f.yaml:1:16: temp_throttle: 'hot' is no number");
}

TEST(EffectiveTest, AnotherLayerMayMakeAFileWhole) {
  const auto result =
      effective({.file = File{"f.yaml", "temp_throttle: 70\n"},
                 .environment = variables({{"GPUKEEPER_TEMP_NORMAL", "66"}, {"GPUKEEPER_TEMP_OPTIMAL", "60"}})});
  EXPECT_TRUE(result) << result.error().message;
}

TEST(EffectiveTest, HostileTextIsShownHarmless) {
  EXPECT_EQ(refusal_of("\"\\e[31mkey\": 1\n").find('\x1b'), std::string::npos);
  EXPECT_EQ(refusal_of("temp_throttle: \"\\e]0;x\\a\"\n"), "f.yaml:1:16: temp_throttle: '?]0;x?' is no number");
}

TEST(EffectiveTest, AnAssignmentMustBeOneOfAKeyThatThereIs) {
  for (const auto& [text, message] : {
           Case{"temp_throttle", "--set: 'temp_throttle' is not KEY=VALUE, such as temp_throttle=85"},
           Case{"=5", "--set: '=5' is not KEY=VALUE, such as temp_throttle=85"},
           Case{"temp_trottle=5", "--set: there is no key 'temp_trottle': did you mean 'temp_throttle'?"},
           Case{"xyzzy=5", "--set: there is no key 'xyzzy': gpukeeper config show lists them"},
           Case{"vendors={amd", "--set:1:1: not YAML: end of map flow not found"},
       }) {
    const auto result = parse_assignment(text, "--set");
    ASSERT_FALSE(result) << text;
    EXPECT_EQ(result.error(), (Error{Errc::invalid_argument, message}));
  }
}

}  // namespace
}  // namespace gpukeeper::config
