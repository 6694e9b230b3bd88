#include "sinks/payloads.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "sinks/notices.hpp"

// What services are sent, byte for byte: whoever changes it sees here what a receiver gets.

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

AlertNotice labelled(AlertNotice notice) {
  notice.labels = {{"team", "ml"}};
  return notice;
}

TEST(PayloadsTest, Slack) {
  EXPECT_EQ(slack_payload(labelled(hot_gpu())),
            R"({"text":"[critical] GPU 0 thermal throttling: 92°C exceeds 80°C threshold","mrkdwn":false,)"
            R"("attachments":[{"color":"#d00000",)"
            R"("fallback":"[critical] GPU 0 thermal throttling: 92°C exceeds 80°C threshold","mrkdwn_in":[],)"
            R"("fields":[{"title":"Where","value":"GPU 0 (GPU-3f2a) on gpu-box","short":true},)"
            R"({"title":"Rule","value":"thermal","short":true},)"
            R"({"title":"Since","value":"2026-05-28T20:26:20.000Z","short":true},)"
            R"({"title":"What to do","value":"Look at the fans.","short":true},)"
            R"({"title":"More","value":"https://example.org/alerts#thermal","short":true},)"
            R"({"title":"team","value":"ml","short":true}],"ts":1780000000}]})");
}

TEST(PayloadsTest, SlackIsToldOfTheEndInGreenAndWithoutARemedy) {
  const std::string json = slack_payload(hot_gpu(AlertNotice::Kind::resolved));
  EXPECT_THAT(json, HasSubstr(R"("text":"[resolved] GPU 0)"));
  EXPECT_THAT(json, HasSubstr(R"("color":"#2eb67d")"));
  EXPECT_THAT(json, HasSubstr(R"({"title":"Until","value":"2026-05-28T20:26:40.000Z","short":true})"));
  EXPECT_THAT(json, Not(HasSubstr("What to do")));
}

TEST(PayloadsTest, NobodyIsCalledThroughSlack) {
  const std::string json = slack_payload(hostile_notice());
  ASSERT_TRUE(nlohmann::json::accept(json));
  EXPECT_THAT(json, Not(HasSubstr("<!")));
  EXPECT_THAT(json, HasSubstr("&lt;!channel&gt;"));
}

TEST(PayloadsTest, Discord) {
  EXPECT_EQ(discord_payload(hot_gpu()),
            R"({"username":"gpukeeper","allowed_mentions":{"parse":[]},)"
            R"("embeds":[{"title":"[critical] GPU 0 thermal throttling: 92°C exceeds 80°C threshold","color":13631488,)"
            R"("timestamp":"2026-05-28T20:26:40.000Z",)"
            R"("fields":[{"name":"Where","value":"GPU 0 (GPU-3f2a) on gpu-box","inline":true},)"
            R"({"name":"Rule","value":"thermal","inline":true},)"
            R"({"name":"Since","value":"2026-05-28T20:26:20.000Z","inline":true},)"
            R"({"name":"What to do","value":"Look at the fans.","inline":true},)"
            R"({"name":"More","value":"https://example.org/alerts#thermal","inline":true}]}]})");
}

TEST(PayloadsTest, DiscordsLimitsAreKept) {
  AlertNotice huge = hot_gpu();
  huge.alert.message = huge.alert.remedy = huge.alert.link = huge.host = std::string(10'000, 'x');
  for (int i = 0; i < 100; ++i) huge.labels.emplace_back("label" + std::to_string(i), std::string(500, 'y'));
  const auto json = nlohmann::json::parse(discord_payload(huge));
  const auto& embed = json["embeds"][0];
  std::size_t all = embed["title"].get<std::string>().size();
  EXPECT_LE(all, 256u);
  EXPECT_LE(embed["fields"].size(), 25u);
  EXPECT_GT(embed["fields"].size(), 5u);
  for (const auto& field : embed["fields"]) {
    EXPECT_LE(field["value"].get<std::string>().size(), 1024u);
    EXPECT_GE(field["value"].get<std::string>().size(), 1u);
    all += field["name"].get<std::string>().size() + field["value"].get<std::string>().size();
  }
  EXPECT_LE(all, 6000u);
}

TEST(PayloadsTest, PagerDutyIsTriggered) {
  EXPECT_EQ(pagerduty_payload(labelled(hot_gpu()), "KEY"),
            R"({"routing_key":"KEY","event_action":"trigger","dedup_key":"gpukeeper/gpu-box/thermal/a1",)"
            R"("client":"gpukeeper",)"
            R"("payload":{"summary":"[critical] GPU 0 thermal throttling: 92°C exceeds 80°C threshold",)"
            R"("source":"gpu-box","severity":"critical","timestamp":"2026-05-28T20:26:35.000Z",)"
            R"j("component":"GPU 0 (GPU-3f2a)","class":"thermal",)j"
            R"("custom_details":{"remedy":"Look at the fans.","value":92.0,"threshold":80.0,"team":"ml"}},)"
            R"("links":[{"href":"https://example.org/alerts#thermal","text":"documentation"}]})");
}

TEST(PayloadsTest, PagerDutyIsResolvedByTheSameKey) {
  EXPECT_EQ(pagerduty_payload(hot_gpu(AlertNotice::Kind::resolved), "KEY"),
            R"({"routing_key":"KEY","event_action":"resolve","dedup_key":"gpukeeper/gpu-box/thermal/a1"})");
}

TEST(PayloadsTest, AKeyIsShortAndPlainAndTheSameEachTime) {
  EXPECT_EQ(dedup_key(hostile_notice()), dedup_key(hostile_notice()));
  EXPECT_EQ(dedup_key(hostile_notice()).find_first_of("\r\n\x1b"), std::string::npos);
  AlertNotice lengthy = hot_gpu();
  lengthy.alert.id = std::string(300, 'x');
  EXPECT_LE(dedup_key(lengthy).size(), 255u);
  AlertNotice other = lengthy;
  other.alert.id.back() = 'y';
  EXPECT_NE(dedup_key(other), dedup_key(lengthy));
}

TEST(PayloadsTest, AlertmanagerIsToldUntilWhenItHolds) {
  const AlertNotice notice = labelled(hot_gpu());
  EXPECT_EQ(alertmanager_payload({&notice, 1}, kTold, 300s),
            R"([{"labels":{"alertname":"thermal","severity":"critical","host":"gpu-box","gpu":"0","device":"GPU-3f2a",)"
            R"("team":"ml"},"annotations":{"summary":"GPU 0 thermal throttling: 92°C exceeds 80°C threshold",)"
            R"("remedy":"Look at the fans.","value":"92.0","threshold":"80.0"},)"
            R"("generatorURL":"https://example.org/alerts#thermal",)"
            R"("startsAt":"2026-05-28T20:26:35.000Z","endsAt":"2026-05-28T20:31:40.000Z"}])");
}

TEST(PayloadsTest, AlertmanagerIsToldOfTheEndWhateverLevelItKnows) {
  const AlertNotice notice = hot_gpu(AlertNotice::Kind::resolved);
  const auto json = nlohmann::json::parse(alertmanager_payload({&notice, 1}, kTold + 60s, 300s));
  ASSERT_EQ(json.size(), 2u);
  EXPECT_EQ(json[0]["labels"]["severity"], "critical");
  EXPECT_EQ(json[1]["labels"]["severity"], "warning");
  for (const auto& each : json) EXPECT_EQ(each["endsAt"], "2026-05-28T20:26:40.000Z");
}

TEST(PayloadsTest, AWarningThatHasBecomeCriticalIsAnotherAlertForAlertmanager) {
  const AlertNotice notice = hot_gpu(AlertNotice::Kind::escalated);
  const auto json = nlohmann::json::parse(alertmanager_payload({&notice, 1}, kTold, 300s));
  ASSERT_EQ(json.size(), 2u);
  EXPECT_EQ(json[0]["labels"]["severity"], "warning");
  EXPECT_EQ(json[0]["endsAt"], "2026-05-28T20:26:40.000Z");
  EXPECT_EQ(json[1]["labels"]["severity"], "critical");
  EXPECT_EQ(json[1]["endsAt"], "2026-05-28T20:31:40.000Z");
}

TEST(PayloadsTest, AnAlertNeverEndsBeforeItBegins) {
  AlertNotice notice = hot_gpu();
  notice.alert.fired_at = kTold + 1h;  // by a clock that was set back since
  const auto json = nlohmann::json::parse(alertmanager_payload({&notice, 1}, kTold, 300s));
  EXPECT_EQ(json[0]["startsAt"], json[0]["endsAt"]);
}

TEST(PayloadsTest, WhatIsNotOfALivingDeviceSaysSoEverywhere) {
  AlertNotice notice = hot_gpu();
  notice.origin = "simulated";
  EXPECT_THAT(slack_payload(notice), HasSubstr("simulated"));
  EXPECT_THAT(discord_payload(notice), HasSubstr("simulated"));
  EXPECT_THAT(pagerduty_payload(notice, "KEY"), HasSubstr("simulated"));
  const auto json = nlohmann::json::parse(alertmanager_payload({&notice, 1}, kTold, 300s));
  EXPECT_EQ(json[0]["labels"]["origin"], "simulated");
  EXPECT_THAT(json[0]["annotations"]["summary"].get<std::string>(), HasSubstr("simulated: "));
}

TEST(PayloadsTest, HostileTextsStayTexts) {
  const AlertNotice notice = hostile_notice();
  for (const std::string& json : {slack_payload(notice), discord_payload(notice), pagerduty_payload(notice, "KEY"),
                                  alertmanager_payload({&notice, 1}, kTold, 300s)}) {
    EXPECT_TRUE(nlohmann::json::accept(json)) << json;
    EXPECT_EQ(json.find_first_of("\r\n\x1b"), std::string::npos);
  }
  const auto pager = nlohmann::json::parse(pagerduty_payload(notice, "KEY"));
  EXPECT_FALSE(pager.contains("links")) << "what is no address is no link";
}

TEST(PayloadsTest, TextsAreCutBetweenCharacters) {
  EXPECT_EQ(cut("abc", 3), "abc");
  EXPECT_EQ(cut("abcdef", 5), "ab…");
  EXPECT_EQ(cut("°°°°", 7), "°°…");
  EXPECT_EQ(cut("°°°°", 6), "°…");
  EXPECT_EQ(cut("a\nb", 9), "a?b");
  EXPECT_EQ(cut("abc", 2), "");
}

}  // namespace
}  // namespace gpukeeper
