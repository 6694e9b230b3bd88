#include "policy/andon/andon_settings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

AndonSettings with(RuleChange change) {
  return {.rules = {std::move(change)}};
}

UserRule hot_memory() {
  return {.id = "vram_hot",
          .metric = "temperature_memory_celsius",
          .comparison = Comparison::at_least,
          .threshold = 90,
          .critical = 100,
          .duration = 1min};
}

AndonSettings with(UserRule rule) {
  return {.user_rules = {std::move(rule)}};
}

TEST(AndonSettingsTest, DefaultsAndSensibleChangesAreFine) {
  EXPECT_THAT(check(AndonSettings{}), IsEmpty());
  EXPECT_THAT(check(with(RuleChange{.rule = "thermal",
                                    .devices = {"0", "GPU-*"},
                                    .enabled = false,
                                    .warning = 85,
                                    .critical = 85,
                                    .sustain = 0s,
                                    .clear = 0,
                                    .repeat = 0s})),
              IsEmpty());
  EXPECT_THAT(check(with(hot_memory())), IsEmpty());
  EXPECT_THAT(check(AndonSettings{.user_rules = {hot_memory()},
                                  .silences = {{.rule = "vram_*"}, {.rule = "thermal", .level = AlertLevel::warning}}}),
              IsEmpty());
}

TEST(AndonSettingsTest, EveryComplaintNamesKeyValueAndRule) {
  struct Case {
    AndonSettings settings;
    std::string complaint;
  };
  const auto changed = [](auto change) {
    UserRule rule = hot_memory();
    change(rule);
    return with(std::move(rule));
  };
  const Case cases[] = {
      {with(RuleChange{.rule = "termal"}), "alerts.rules.termal: there is no such rule; did you mean thermal?"},
      {with(RuleChange{.rule = "xid", .warning = 5}), "alerts.rules.xid.warning = 5: this rule has no border to set"},
      {with(RuleChange{.rule = "xid", .critical = 5}), "alerts.rules.xid.critical = 5: this rule has no border to set"},
      {with(RuleChange{.rule = "thermal", .critical = 70}),
       "alerts.rules.thermal.critical = 70: it must not be below warning, which is 80"},
      {with(RuleChange{.rule = "thermal", .warning = 91}),
       "alerts.rules.thermal.warning = 91: it must not be above critical, which is 90"},
      {with(RuleChange{.rule = "memory_pressure", .critical = 101}),
       "alerts.rules.memory_pressure.critical = 101: it must be from 0 to 100 %"},
      {with(RuleChange{.rule = "thermal", .warning = -1}),
       "alerts.rules.thermal.warning = -1: it must be from 0 to 150 °C"},
      {with(RuleChange{.rule = "ecc", .warning = -1}), "alerts.rules.ecc.warning = -1: it must be a number from 0"},
      {with(RuleChange{.rule = "ecc", .clear = -1}), "alerts.rules.ecc.clear = -1: it must be a number from 0"},
      {with(RuleChange{.rule = "ecc", .sustain = -1s}), "alerts.rules.ecc.sustain = -1 s: it must be from 0 to 7 days"},
      {with(RuleChange{.rule = "ecc", .repeat = 5s}),
       "alerts.rules.ecc.repeat = 5 s: it must be 0 (told once), or from 10 seconds to 365 days"},
      {with(RuleChange{.rule = "ecc", .devices = {""}}),
       "alerts.rules.ecc.devices = '': a pattern must not be empty; * is every device"},
      {changed([](UserRule& r) { r.id = "Hot!"; }),
       "alerts.user_rules.id = 'Hot!': it must be 1 to 64 small letters, digits and underscores"},
      {changed([](UserRule& r) { r.id = "thermal"; }),
       "alerts.user_rules.thermal.id = 'thermal': a built-in rule has that id; choose another"},
      {changed([](UserRule& r) { r.metric = "power_wats"; }),
       "alerts.user_rules.vram_hot.metric = 'power_wats': there is no such metric; did you mean power_watts?"},
      {changed([](UserRule& r) { r.process = "python*"; }),
       "alerts.user_rules.vram_hot.metric = 'temperature_memory_celsius': of a process there are memory_used_bytes and "
       "utilization_percent"},
      {changed([](UserRule& r) { r.metric = "serial"; }),
       "alerts.user_rules.vram_hot.metric = 'serial': it is a text or a yes/no, and only numbers can be compared"},
      {changed([](UserRule& r) { r.critical = 80; }),
       "alerts.user_rules.vram_hot.critical = 80: it must not be below threshold, which is 90"},
      {changed([](UserRule& r) { r.comparison = Comparison::below; }),
       "alerts.user_rules.vram_hot.critical = 100: it must not be above threshold, which is 90"},
      {changed([](UserRule& r) { r.severity = 101; }),
       "alerts.user_rules.vram_hot.severity = 101: it must be from 0 to 100"},
      {changed([](UserRule& r) { r.duration = 200h; }),
       "alerts.user_rules.vram_hot.duration = 720000 s: it must be from 0 to 7 days"},
      {AndonSettings{.idle_severity_cap = 101}, "alerts.idle_severity_cap = 101: it must be from 0 to 100"},
      {AndonSettings{.documentation_url = "wiki/alerts"},
       "alerts.documentation_url = 'wiki/alerts': it must begin with http:// or https:// and have no blank and no #; "
       "each "
       "rule's section is added"},
      {AndonSettings{.documentation_url = "https://wiki/#a"},
       "alerts.documentation_url = 'https://wiki/#a': it must begin with http:// or https:// and have no blank and no "
       "#; "
       "each rule's section is added"},
      {AndonSettings{.silences = {{.rule = "therm"}}},
       "alerts.silences.rule = 'therm': there is no such rule; did you mean thermal?"},
      {AndonSettings{.user_rules = {hot_memory(), hot_memory()}},
       "alerts.user_rules.vram_hot.id = 'vram_hot': there are two rules with that id"},
  };
  for (const Case& each : cases) EXPECT_THAT(check(each.settings), ElementsAre(each.complaint));
}

TEST(AndonSettingsTest, WhatIsNoNumberIsNoBorder) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinite = std::numeric_limits<double>::infinity();
  EXPECT_THAT(check(with(RuleChange{.rule = "thermal", .warning = nan})),
              ElementsAre("alerts.rules.thermal.warning = nan: it must be from 0 to 150 °C"));
  UserRule rule = hot_memory();
  rule.threshold = infinite;
  rule.critical.reset();
  EXPECT_THAT(check(with(rule)), ElementsAre("alerts.user_rules.vram_hot.threshold = inf: it must be a number"));
}

TEST(AndonSettingsTest, ThereAreLimits) {
  AndonSettings settings;
  for (int i = 0; i < 101; ++i) {
    settings.user_rules.push_back(hot_memory());
    settings.user_rules.back().id = "rule_" + std::to_string(i);
  }
  settings.silences.resize(1001);
  EXPECT_THAT(check(settings), ElementsAre("alerts.user_rules: there are 101; there may be at most 100",
                                           "alerts.silences: there are 1001; there may be at most 1000"));
}

TEST(AndonSettingsTest, SeverityTellsTheLevel) {
  EXPECT_EQ(level_of(100), AlertLevel::critical);
  EXPECT_EQ(level_of(80), AlertLevel::critical);
  EXPECT_EQ(level_of(79), AlertLevel::warning);
  EXPECT_EQ(level_of(40), AlertLevel::warning);
  EXPECT_EQ(level_of(39), AlertLevel::info);
}

TEST(AndonSettingsTest, ComparisonsAreReadAsTheyAreWritten) {
  for (const auto comparison : {Comparison::above, Comparison::at_least, Comparison::below, Comparison::at_most}) {
    EXPECT_EQ(parse_comparison(to_string(comparison)), comparison);
  }
  EXPECT_EQ(parse_comparison("=>"), std::nullopt);
}

}  // namespace
}  // namespace gpukeeper
