#include "sinks/alert_notice.hpp"

#include <cmath>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "sinks/notices.hpp"

namespace gpukeeper {
namespace {

TEST(AlertNoticeTest, JsonSaysEverything) {
  AlertNotice notice = hot_gpu();
  notice.labels = {{"team", "ml"}};
  EXPECT_EQ(notice_json(notice),
            R"({"event":"fired","at":"2026-05-28T20:26:40.000Z","host":"gpu-box","origin":null,)"
            R"("alert":{"id":"a1","rule":"thermal","level":"critical","severity":92,"gpu":0,"device":"GPU-3f2a",)"
            R"("subject":null,"message":"GPU 0 thermal throttling: 92°C exceeds 80°C threshold",)"
            R"("remedy":"Look at the fans.","link":"https://example.org/alerts#thermal","value":92.0,"threshold":80.0,)"
            R"("since":"2026-05-28T20:26:20.000Z","fired_at":"2026-05-28T20:26:35.000Z","resolved_at":null},)"
            R"("labels":{"team":"ml"}})");
}

TEST(AlertNoticeTest, JsonIsReadBackAsItWas) {
  using enum AlertNotice::Kind;
  for (const auto kind : {fired, escalated, repeated, resolved, test}) {
    AlertNotice notice = hot_gpu(kind);
    notice.origin = "simulated";
    notice.labels = {{"team", "ml"}, {"rack", "7"}};
    EXPECT_EQ(parse_notice(notice_json(notice)), notice) << to_string(kind);
  }
  EXPECT_EQ(parse_notice(notice_json(bare_notice())), bare_notice());
}

TEST(AlertNoticeTest, WhatIsNoNoticeIsNone) {
  const std::string whole = notice_json(hot_gpu());
  for (std::size_t size = 0; size < whole.size(); ++size) EXPECT_FALSE(parse_notice(whole.substr(0, size))) << size;
  for (const char* text : {"", "[]", "7", "{}", R"({"event":"fired","at":"2026-05-28T20:26:40Z","alert":[]})",
                           R"({"event":"burnt","at":"2026-05-28T20:26:40Z","alert":{}})"}) {
    EXPECT_FALSE(parse_notice(text)) << text;
  }
}

TEST(AlertNoticeTest, HostileTextsMakeJsonOfOneLineThatIsReadBack) {
  const std::string json = notice_json(hostile_notice());
  EXPECT_EQ(json.find('\n'), std::string::npos);
  EXPECT_TRUE(nlohmann::json::accept(json));
  const auto read = parse_notice(json);
  ASSERT_TRUE(read);
  EXPECT_EQ(notice_json(*read), json);
}

TEST(AlertNoticeTest, AValueThatIsNoNumberIsNull) {
  AlertNotice notice = hot_gpu();
  notice.alert.value = std::nan("");
  EXPECT_THAT(notice_json(notice), testing::HasSubstr(R"("value":null)"));
}

TEST(AlertNoticeTest, AHeadlineSaysWhatAndHowBad) {
  using enum AlertNotice::Kind;
  const std::string text = "GPU 0 thermal throttling: 92°C exceeds 80°C threshold";
  EXPECT_EQ(headline(hot_gpu(fired)), "[critical] " + text);
  EXPECT_EQ(headline(hot_gpu(escalated)), "[critical] " + text);
  EXPECT_EQ(headline(hot_gpu(repeated)), "[still critical] " + text);
  EXPECT_EQ(headline(hot_gpu(resolved)), "[resolved] " + text);
  EXPECT_EQ(headline(hot_gpu(test)), "[test] " + text);
  AlertNotice simulated = hot_gpu();
  simulated.origin = "simulated";
  EXPECT_EQ(headline(simulated), "[critical] simulated: " + text);
  EXPECT_EQ(headline(simulated, 20), "[critical] simulate…");
  EXPECT_EQ(headline(hostile_notice()).find_first_of("\r\n\x1b"), std::string::npos);
}

TEST(AlertNoticeTest, WhereIsAGpuOrTheMachine) {
  EXPECT_EQ(where(hot_gpu().alert), "GPU 0 (GPU-3f2a)");
  EXPECT_EQ(where(bare_notice().alert), "this machine");
  Alert lost = hot_gpu().alert;
  lost.device_index.reset();
  EXPECT_EQ(where(lost), "GPU-3f2a");
}

}  // namespace
}  // namespace gpukeeper
