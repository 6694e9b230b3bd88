#include "service/routes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/fake_clock.hpp"
#include "fakes/snapshots.hpp"
#include "format/json_text.hpp"
#include "format/snapshot_json.hpp"

namespace gpukeeper::service {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;

class RoutesTest : public testing::Test {
 protected:
  RoutesTest() { see(four_gpus()); }

  void see(Snapshot snapshot) { snapshot_ = std::make_shared<const Snapshot>(std::move(snapshot)); }

  static std::shared_ptr<const Peer> user(uid_t uid) {
    auto peer = std::make_shared<Peer>();
    peer->credentials = Credentials{1, uid, uid};
    return peer;
  }
  Response get(const std::string& path, std::map<std::string, std::string> query = {}, std::vector<Header> headers = {},
               std::shared_ptr<const Peer> peer = std::make_shared<const Peer>()) {
    Request request;
    request.method = "GET";
    request.path = path;
    request.query = std::move(query);
    request.headers = std::move(headers);
    request.peer = std::move(peer);
    return router_.answer(std::move(request));
  }
  static std::string tag(const Response& response) {
    for (const auto& [name, value] : response.headers) {
      if (name == "ETag") return value;
    }
    return {};
  }

  std::shared_ptr<const Snapshot> snapshot_;
  const std::shared_ptr<FakeClock> clock_ = std::make_shared<FakeClock>();
  std::shared_ptr<const FaultList> faults_ = std::make_shared<const FaultList>();
  const Router router_{routes({.snapshot = [this] { return snapshot_; },
                               .faults = [this] { return faults_; },
                               .faults_kept_in = [] { return "/var/lib/gpukeeper/faults.db"; },
                               .health = {"1.2.3", clock_->now(), std::chrono::seconds(20)},
                               .clock = clock_,
                               .instance = "abc",
                               .own_uid = 1000})};
};

TEST_F(RoutesTest, TheIndexListsEveryRoute) {
  const auto answer = get("/");
  EXPECT_EQ(answer.status, 200U);
  const auto document = Json::parse(*answer.body);
  EXPECT_EQ(document["version"], "1.2.3");
  EXPECT_EQ(document["routes"][0]["route"], "GET /health");
  EXPECT_EQ(document["routes"].size(), router_.routes().size() - 1);  // itself left out
}

TEST_F(RoutesTest, HealthIsThatOfTheLatestSnapshot) {
  EXPECT_THAT(*get("/health").body, HasSubstr("\"sequence\":7"));
}

TEST_F(RoutesTest, TheSnapshotIsWhatStatusPrints) {
  const auto answer = get("/api/v1/snapshot");
  EXPECT_EQ(answer.status, 200U);
  EXPECT_EQ(answer.content_type, "application/json");
  EXPECT_EQ(Json::parse(*answer.body)["devices"].size(), 4U);
  EXPECT_THAT(answer.headers, Contains(Header("Cache-Control", "private, no-cache")));
}

TEST_F(RoutesTest, ASnapshotIsWrittenOnceAndSharedUntilTheNext) {
  const auto first = get("/api/v1/snapshot");
  EXPECT_EQ(get("/api/v1/snapshot").body, first.body);  // the same object
  Snapshot next = four_gpus();
  next.sequence = 8;
  see(next);
  const auto second = get("/api/v1/snapshot");
  EXPECT_NE(second.body, first.body);
  EXPECT_THAT(*second.body, HasSubstr("\"sequence\":8"));
}

TEST_F(RoutesTest, AClientThatHasTheSnapshotIsNotSentItAgain) {
  const auto first = get("/api/v1/snapshot");
  EXPECT_EQ(tag(first), "\"abc-7-0\"");
  for (const std::string known : {"\"abc-7-0\"", "W/\"abc-7-0\"", "\"x\", \"abc-7-0\"", "*"}) {
    const auto again = get("/api/v1/snapshot", {}, {{"If-None-Match", known}});
    EXPECT_EQ(again.status, 304U) << known;
    EXPECT_EQ(again.body, nullptr);
  }
  EXPECT_EQ(get("/api/v1/snapshot", {}, {{"If-None-Match", "\"abc-6-0\""}}).status, 200U);
}

TEST_F(RoutesTest, OneDeviceCanBeAskedFor) {
  const auto answer = get("/api/v1/snapshot", {{"device", "GPU-bbbb"}});
  EXPECT_EQ(Json::parse(*answer.body)["devices"].size(), 1U);
  EXPECT_EQ(tag(answer), "");
  EXPECT_EQ(
      *get("/api/v1/snapshot", {{"device", "9"}}).body,
      R"({"title":"Not Found","status":404,"code":"not_found","detail":"there is no GPU '9': there are the GPUs 0 )"
      "to 3; gpukeeper devices lists their UUIDs and PCI addresses\"}\n");
  EXPECT_EQ(
      *get("/api/v1/snapshot", {{"devise", "9"}}).body,
      R"({"title":"Bad Request","status":400,"code":"unknown_parameter","detail":"the one parameter known here is )"
      "device: ?device=INDEX or UUID\"}\n");
}

TEST_F(RoutesTest, TheFaultsAreThoseThatAreAskedFor) {
  FaultList list;
  for (const auto& [id, uuid] : {std::pair(1, "GPU-aaaa"), {2, "GPU-bbbb"}}) {
    FaultRecord record;
    record.id = static_cast<std::uint64_t>(id);
    record.kind = EventKind::xid;
    record.code = 79;
    record.device.text = uuid;
    record.severity = Severity::critical;
    list.records.push_back(std::make_shared<const FaultRecord>(record));
  }
  faults_ = std::make_shared<const FaultList>(list);
  const auto all = Json::parse(*get("/api/v1/faults").body);
  EXPECT_EQ(all["faults"].size(), 2U);
  EXPECT_EQ(all["journal"]["place"], "/var/lib/gpukeeper/faults.db");
  EXPECT_EQ(Json::parse(*get("/api/v1/faults", {{"device", "GPU-bbbb"}}).body)["faults"][0]["id"], 2);
  EXPECT_EQ(Json::parse(*get("/api/v1/faults", {{"kind", "xid,lost"}, {"limit", "1"}}).body)["faults"].size(), 1U);
  EXPECT_EQ(get("/api/v1/faults", {{"device", "9"}}).status, 404U);
}

TEST_F(RoutesTest, WhatTheFaultsAreAskedMustBeUnderstood) {
  const auto detail = [&](const std::string& name, const std::string& value) {
    const auto answer = get("/api/v1/faults", {{name, value}});
    EXPECT_EQ(answer.status, 400U);
    return Json::parse(*answer.body)["detail"].get<std::string>();
  };
  EXPECT_EQ(detail("severity", "bad"), "severity is one of info, warning, error, critical, not 'bad'");
  EXPECT_THAT(detail("kind", "xid,xit"), AllOf(HasSubstr("kind is one of xid, ecc_corrected, "), HasSubstr("'xit'")));
  EXPECT_EQ(detail("limit", "-1"), "limit takes a whole number, not '-1'");
  EXPECT_THAT(detail("since", "yesterday"), HasSubstr("since takes a time ago such as 90s"));
  EXPECT_EQ(detail("sine", "1h"),
            "there is no parameter 'sine': device, severity, kind, since and limit are known here");
}

TEST_F(RoutesTest, BeforeTheFirstSnapshotItIsNotThereYet) {
  see({});
  const auto answer = get("/api/v1/snapshot");
  EXPECT_EQ(answer.status, 503U);
  EXPECT_THAT(answer.headers, Contains(Header("Retry-After", "1")));
}

TEST_F(RoutesTest, CommandLinesAreLeftOutForWhoMayNotReadThem) {
  Snapshot snapshot = four_gpus();
  set_processes(snapshot.devices[0], {told(process(4242, "python3", 12'000), mara_trains(4242))});
  see(snapshot);
  const auto is_given = [](const Response& answer) { return answer.body->find("--epochs 90") != std::string::npos; };
  for (const std::map<std::string, std::string>& query : {std::map<std::string, std::string>{}, {{"device", "0"}}}) {
    EXPECT_TRUE(is_given(get("/api/v1/snapshot", query, {}, user(1000))));
    EXPECT_FALSE(is_given(get("/api/v1/snapshot", query, {}, user(1001))));
    EXPECT_FALSE(is_given(get("/api/v1/snapshot", query)));
    EXPECT_THAT(*get("/api/v1/snapshot", query).body, HasSubstr("\"user\":\"mara\""));
  }
}

TEST_F(RoutesTest, OnlyRootAndOurOwnUserOverTheUnixSocketMayReadCommandLines) {
  EXPECT_FALSE(may_read_command_lines(Peer(), 1000));
  EXPECT_FALSE(may_read_command_lines(Peer(), 0));  // over TCP, whoever we are
  EXPECT_TRUE(may_read_command_lines(*user(1000), 1000));
  EXPECT_TRUE(may_read_command_lines(*user(0), 1000));
  EXPECT_FALSE(may_read_command_lines(*user(1001), 1000));
  EXPECT_EQ(tag(get("/api/v1/snapshot", {}, {}, user(1000))), "\"abc-7-1\"");  // another document, another tag
  EXPECT_EQ(tag(get("/api/v1/snapshot", {}, {}, user(1001))), "\"abc-7-0\"");
}

}  // namespace
}  // namespace gpukeeper::service
