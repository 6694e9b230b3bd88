#include "sinks/body_template.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "sinks/notices.hpp"

namespace gpukeeper {
namespace {

std::string filled(std::string_view text, std::string_view type, const AlertNotice& notice) {
  const auto parsed = BodyTemplate::parse(text, type);
  return parsed ? parsed->fill(notice) : "refused: " + parsed.error().message;
}

TEST(BodyTemplateTest, PlaceholdersAreFilledIn) {
  const struct {
    std::string_view type;
    std::string_view text;
    std::string_view expected;
  } kCases[] = {
      {"", R"({"text":"{level}: {message}"})",
       R"({"text":"critical: GPU 0 thermal throttling: 92°C exceeds 80°C threshold"})"},
      {"application/json", R"({"gpu":{gpu},"value":{value},"limit":{threshold},"severity":{severity}})",
       R"({"gpu":0,"value":92,"limit":80,"severity":92})"},
      {"application/vnd.api+json; charset=utf-8", R"({"a":{"b":{"c":"{id}{rule}"}}})",
       R"({"a":{"b":{"c":"a1thermal"}}})"},
      {"application/x-www-form-urlencoded", "m={message}&d={device}",
       "m=GPU%200%20thermal%20throttling%3A%2092%C2%B0C%20exceeds%2080%C2%B0C%20threshold&d=GPU-3f2a"},
      {"text/plain", "{host} {event} {since} {fired_at} [{resolved_at}] {Not one} {} {",
       "gpu-box fired 2026-05-28T20:26:20.000Z 2026-05-28T20:26:35.000Z [] {Not one} {} {"},
      {"text/plain", "", ""},
      {"text/plain", "{{level}}", "{critical}"},
  };
  for (const auto& each : kCases) EXPECT_EQ(filled(each.text, each.type, hot_gpu()), each.expected) << each.text;
}

TEST(BodyTemplateTest, WhatAnAlertHasNotIsNullOrEmpty) {
  EXPECT_EQ(filled(R"({"gpu":{gpu},"value":{value},"device":"{device}"})", "", bare_notice()),
            R"({"gpu":null,"value":null,"device":""})");
  EXPECT_EQ(filled("{gpu},{value},{device}", "text/plain", bare_notice()), ",,");
}

TEST(BodyTemplateTest, MistakesAreRefused) {
  const std::string no_json =
      "refused: it does not make JSON once its placeholders are filled in; texts must stand in quotes: "
      R"({"text": "{message}"})";
  const struct {
    std::string text;
    std::string_view type;
    std::string expected;
  } kCases[] = {
      {"{mesage}", "text/plain", "refused: there is no placeholder {mesage}; did you mean {message}?"},
      {"{qqqqqqqqqq}", "text/plain",
       "refused: there is no placeholder {qqqqqqqqqq}; there are event, headline, id, rule, level, severity, gpu, "
       "device, "
       "subject, message, remedy, link, value, threshold, host, origin, at, since, fired_at, resolved_at"},
      {R"({"text": {message}})", "", no_json},
      {R"({"value": 1{value}})", "", no_json},
      {R"({"text": "\{message}"})", "", no_json},
      {R"({"text": "\u{message}"})", "", no_json},
      {"{message}", "application/json", no_json},
      {std::string(16 * 1024 + 1, ' '), "text/plain", "refused: it has 16385 bytes; at most 16384 are taken"},
  };
  for (const auto& each : kCases) EXPECT_EQ(filled(each.text, each.type, hot_gpu()), each.expected);
}

TEST(BodyTemplateTest, HostileTextsStayValues) {
  const std::string json =
      filled(R"({"a":"{message}","b":"{device}","c":{severity},"d":"{headline}"})", "", hostile_notice());
  const auto parsed = nlohmann::json::parse(json, nullptr, false);
  ASSERT_TRUE(parsed.is_object()) << json;
  EXPECT_EQ(parsed.size(), 4u);
  const std::string form = filled("a={message}&b={device}", "application/x-www-form-urlencoded", hostile_notice());
  EXPECT_EQ(std::ranges::count(form, '&'), 1);
  EXPECT_EQ(std::ranges::count(form, '='), 2);
  const std::string text = filled("{message}", "text/plain", hostile_notice());
  EXPECT_EQ(text.find_first_of("\r\n\x1b\xff"), std::string::npos);
}

}  // namespace
}  // namespace gpukeeper
