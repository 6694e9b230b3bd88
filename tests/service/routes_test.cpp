#include "service/routes.hpp"

#include <array>
#include <map>
#include <set>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/fake_clock.hpp"
#include "fakes/past.hpp"
#include "fakes/snapshots.hpp"
#include "format/json_text.hpp"
#include "format/snapshot_json.hpp"
#include "service/identity.hpp"
#include "service/later.hpp"
#include "service/site_answer.hpp"

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
    request.who = identity_of(*request.peer, 1000);
    auto response = router_.answer(std::move(request));
    if (elsewhere_.empty()) return response;
    elsewhere_.front()();  // what another thread would do
    elsewhere_.clear();
    return (*response.later->take())();
  }
  static std::string tag(const Response& response) {
    for (const auto& [name, value] : response.headers) {
      if (name == "ETag") return value;
    }
    return {};
  }

  // Five minutes of one GPU that heats by 6 degrees a minute.
  void remember() {
    history_ = std::make_shared<History>();
    for (int second = 0; second <= 300; ++second) {
      see(gpukeeper::Past::one(second, 40 + second * 0.1));
      history_->add(*snapshot_);
    }
  }
  void expect_refusal(const std::string& path, std::map<std::string, std::string> query, unsigned status,
                      const std::string& code, const std::string& detail) {
    const auto answer = get(path, std::move(query));
    EXPECT_EQ(answer.status, status);
    const auto document = Json::parse(*answer.body);
    EXPECT_EQ(document["code"], code);
    EXPECT_EQ(document["detail"], detail);
  }

  Response send(const std::string& method, const std::string& path, std::shared_ptr<const Peer> peer) {
    Request request;
    request.method = method;
    request.path = path;
    request.body = "body";
    request.peer = std::move(peer);
    request.who = identity_of(*request.peer, 1000);
    return router_.answer(std::move(request));
  }

  bool monitoring_ = true;
  bool opened_ = true;
  std::vector<std::function<void()>> askers_;
  std::vector<std::function<void()>> elsewhere_;  // what is to be run there
  bool busy_ = false;
  std::shared_ptr<const Snapshot> snapshot_;
  std::shared_ptr<History> history_;
  std::shared_ptr<const std::vector<LeakSuspect>> leaks_ = std::make_shared<const std::vector<LeakSuspect>>();
  const std::shared_ptr<FakeClock> clock_ = std::make_shared<FakeClock>();
  std::shared_ptr<const FaultList> faults_ = std::make_shared<const FaultList>();
  const Router router_{
      routes({.snapshot = [this] { return snapshot_; },
              .faults = [this] { return faults_; },
              .faults_kept_in = [] { return "/var/lib/gpukeeper/faults.db"; },
              .health =
                  [started = clock_->now()] {
                    return HealthFacts{"1.2.3", started, std::chrono::seconds(20)};
                  },
              .clock = clock_,
              .instance = "abc",
              .own_uid = 1000,
              .past = {[this] { return history_; }, [this] { return leaks_; }},
              .elsewhere =
                  [this](std::function<void()> work) {
                    if (busy_) return false;
                    elsewhere_.push_back(std::move(work));
                    return true;
                  },
              .site = &site::built_in()},
             {.configuration = [] { return json_answer(200, "all keys"); },
              .change_configuration = [](const Request& r) { return json_answer(200, "set " + r.body); },
              .monitoring = [this] { return monitoring_; },
              .monitor =
                  [this](bool on) {
                    const bool changed = monitoring_ != on;
                    monitoring_ = on;
                    return changed;
                  },
              .lives = false,
              .opened = [this] { return opened_; },
              .period = [] { return std::chrono::seconds(1); },
              .when_fresh =
                  [this](std::function<void()> done) {
                    askers_.push_back(std::move(done));
                    return true;
                  }})};
};

TEST_F(RoutesTest, ABookThatIsClosedIsNoHealth) {
  Snapshot snapshot = four_gpus();
  snapshot.monotonic = clock_->now();
  auto booked = std::make_shared<Booked>();
  snapshot.booked = booked;
  see(snapshot);
  EXPECT_EQ(Json::parse(*get("/health").body)["reasons"].dump().find("lease"), std::string::npos);
  booked->closed = "the disk is full";
  const auto document = Json::parse(*get("/health").body);
  EXPECT_EQ(document["status"], "degraded");
  EXPECT_THAT(document["reasons"], Contains("no leases are granted: the disk is full"));
}

TEST_F(RoutesTest, TheIndexListsEveryRoute) {
  const auto answer = get("/");
  EXPECT_EQ(answer.status, 200U);
  const auto document = Json::parse(*answer.body);
  EXPECT_EQ(document["version"], "1.2.3");
  EXPECT_EQ(document["routes"][0]["route"], "GET /health");
  const std::size_t of_the_page = site_routes(site::built_in()).size();
  EXPECT_EQ(document["routes"].size(), router_.routes().size() - 1 - of_the_page);  // itself left out, too
}

TEST_F(RoutesTest, AtTheSameAddressIsThePageForBrowsers) {
  const auto page = get("/", {}, {{"Accept", "text/html,*/*;q=0.8"}});
  EXPECT_EQ(page.status, 200U);
  EXPECT_EQ(page.content_type, "text/html; charset=utf-8");
  EXPECT_THAT(get("/").headers, Contains(Header("Vary", "Accept")));
}

TEST_F(RoutesTest, ThePageIsForWhoeverComesAndTheListIsNot) {
  Request request;
  request.method = "GET";
  request.path = "/";
  const auto list = router_.answer(request);
  EXPECT_EQ(list.status, 401U);
  EXPECT_THAT(*list.body, HasSubstr("other machines are answered with a token only"));
  request.headers = {{"Accept", "text/html"}};
  EXPECT_EQ(router_.answer(request).status, 200U);
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
  const auto first = get("/api/v1/faults", {{"limit", "1"}});
  EXPECT_EQ(Json::parse(*first.body)["faults"][0]["id"], 2);
  ASSERT_EQ(first.headers.back(),
            Header("Link", "</api/v1/faults?limit=1&cursor=6661756c74733a302032>; rel=\"next\""));  // "faults:0 2"
  const auto second = get("/api/v1/faults", {{"limit", "1"}, {"cursor", "6661756c74733a302032"}});
  EXPECT_EQ(Json::parse(*second.body)["faults"][0]["id"], 1);
  EXPECT_NE(second.headers.back().first, "Link");
}

TEST_F(RoutesTest, WhatTheFaultsAreAskedMustBeUnderstood) {
  const auto detail = [&](const std::string& name, const std::string& value) {
    const auto answer = get("/api/v1/faults", {{name, value}});
    EXPECT_EQ(answer.status, 400U);
    return Json::parse(*answer.body)["detail"].get<std::string>();
  };
  EXPECT_EQ(detail("severity", "bad"), "severity is one of info, warning, error, critical, not 'bad'");
  EXPECT_THAT(detail("kind", "xid,xit"), AllOf(HasSubstr("kind is one of xid, ecc_corrected, "), HasSubstr("'xit'")));
  EXPECT_EQ(detail("limit", "-1"), "limit takes a whole number from 1 to 100000, not '-1'");
  EXPECT_THAT(detail("since", "yesterday"), HasSubstr("since takes a time ago such as 90s"));
  EXPECT_EQ(detail("sine", "1h"),
            "there is no parameter 'sine': device, severity, kind, since, limit and cursor are known here");
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

TEST_F(RoutesTest, OnlyAnAdminForAllMayReadCommandLines) {
  EXPECT_FALSE(may_read_command_lines({}));
  EXPECT_FALSE(may_read_command_lines({.role = auth::Role::operator_, .name = "token deploy", .known = true}));
  EXPECT_TRUE(may_read_command_lines({.role = auth::Role::admin, .name = "root", .known = true}));
  EXPECT_FALSE(
      may_read_command_lines({.role = auth::Role::admin, .name = "token llm", .known = true, .service = "llm"}));
  EXPECT_EQ(tag(get("/api/v1/snapshot", {}, {}, user(1000))), "\"abc-7-1\"");  // another document, another tag
  EXPECT_EQ(tag(get("/api/v1/snapshot", {}, {}, user(1001))), "\"abc-7-0\"");
}

TEST_F(RoutesTest, TheHistoryIsAnsweredInBuckets) {
  remember();
  const auto answer = get("/api/v1/history", {{"metric", "temperature_celsius, fan_percent"}, {"step", "1m"}});
  EXPECT_EQ(answer.status, 200U);
  EXPECT_EQ(answer.content_type, "application/json");
  const auto document = Json::parse(*answer.body);
  EXPECT_EQ(document["step_seconds"], 60.0);
  const auto& metrics = document["devices"][0]["metrics"];
  EXPECT_EQ(metrics[0]["buckets"][0]["max"], 45.9);
  EXPECT_EQ(metrics[0]["buckets"].size(), 6U);
  EXPECT_TRUE(metrics[1]["buckets"][0]["max"].is_null());
  EXPECT_EQ(Json::parse(*get("/api/v1/history", {{"since", "90s"}}).body)["from"], "2026-05-28T20:30:10.000Z");
  EXPECT_EQ(Json::parse(*get("/api/v1/history").body)["step_seconds"], 2.0);  // 301 s in about 300 pieces
}

TEST_F(RoutesTest, LongAnswersAreMadeElsewhereAndNotTooManyOfThem) {
  remember();
  busy_ = true;
  for (const std::string path : {"/api/v1/history", "/api/v1/trend"}) {
    const auto answer = get(path);
    EXPECT_EQ(answer.status, 503U);
    EXPECT_EQ(Json::parse(*answer.body)["code"], "busy");
    EXPECT_EQ(answer.headers, (std::vector<Header>{{"Cache-Control", "no-store"}, {"Retry-After", "1"}}));
  }
  EXPECT_EQ(get("/api/v1/snapshot").status, 200U);
}

TEST_F(RoutesTest, WhatIsWrongWithAQuestionOfTheHistoryIsSaid) {
  remember();
  const std::string path = "/api/v1/history";
  expect_refusal(path, {{"colour", "red"}}, 400, "bad_parameter",
                 "there is no parameter 'colour' here: there are device, metric, since, step");
  expect_refusal(path, {{"metric", "temperature"}}, 400, "bad_parameter",
                 "there is no metric 'temperature': did you mean temperature_celsius?");
  expect_refusal(path, {{"device", "9"}}, 404, "not_found",
                 "there is no GPU '9': there is only GPU 0; gpukeeper devices lists their UUIDs and PCI addresses");
  expect_refusal(path, {{"step", "-1"}}, 400, "bad_parameter",
                 "step takes seconds or a duration such as 10s or 5m, not '-1'");
  expect_refusal(path, {{"step", "0.001"}}, 400, "bad_parameter",
                 "that are more than 20000 values: take a longer step, a shorter time, fewer metrics or GPUs");
  expect_refusal(path, {{"since", "soon"}}, 400, "bad_parameter",
                 "since takes a time ago such as 90s, 30m, 24h or 7d, or a date such as 2026-05-28T20:31:40.000Z, not "
                 "'soon'");
  expect_refusal(path, {{"since", "2030-01-01T00:00:00Z"}}, 400, "bad_parameter",
                 "2030-01-01T00:00:00.000Z is not in the past: it is 2026-05-28T20:31:40.000Z there");
  std::string names;
  for (int i = 0; i < 100; ++i) names += "power_watts,";
  expect_refusal(path, {{"metric", names}}, 400, "bad_parameter", "metric takes at most 64 names");
  EXPECT_EQ(get(path, {{"metric", "pcie_replays"}}).status, 404U);  // a metric, but not kept
}

TEST_F(RoutesTest, TheTrendIsAnsweredWithTheDocumentedKeys) {
  remember();
  leaks_ = std::make_shared<const std::vector<LeakSuspect>>(
      std::vector<LeakSuspect>{{DeviceId{"GPU-a"}, 0, 42, "python3", 12_GiB, 300_MiB, 1.9e9, std::nullopt}});
  const auto document = Json::parse(*get("/api/v1/trend", {{"minutes", "2"}}).body);
  EXPECT_EQ(document["devices"][0]["trend"], "rising");
  EXPECT_EQ(document["devices"][0]["duration_minutes"], 2);
  EXPECT_EQ(document["devices"][0]["sample_count"], 121);
  EXPECT_EQ(document["devices"][0]["next_limit"]["celsius"], 85.0);
  EXPECT_EQ(document["leak_suspects"][0]["pid"], 42);
  for (const std::string minutes : {"0", "1441", "-1", "five"}) {
    expect_refusal("/api/v1/trend", {{"minutes", minutes}}, 400, "bad_parameter",
                   "minutes takes a number from 1 to 1440, not '" + minutes + "'");
  }
  expect_refusal("/api/v1/trend", {{"metric", "x"}}, 400, "bad_parameter",
                 "there is no parameter 'metric' here: there are device, minutes");
}

TEST_F(RoutesTest, TheTrendGoesTowardsTheThresholdOfThatGpu) {
  remember();
  Snapshot snapshot = *snapshot_;
  snapshot.devices[0].throttling.thresholds.temp_throttle = Celsius(73);
  see(snapshot);
  const auto device = Json::parse(*get("/api/v1/trend").body)["devices"][0];
  EXPECT_EQ(device["next_limit"], (Json{{"name", "throttle"}, {"celsius", 73.0}}));
  EXPECT_EQ(device["seconds_until_limit"], 30.0);
}

TEST_F(RoutesTest, BeforeTheFirstTickThePastIsNotKnownYet) {
  const std::string detail = "the GPUs are being looked at for the first time: try again in a second";
  for (const std::string path : {"/api/v1/history", "/api/v1/trend"}) {
    expect_refusal(path, {}, 503, "starting", detail);  // no engine
    history_ = std::make_shared<History>();
    see({});
    expect_refusal(path, {}, 503, "starting", detail);
    EXPECT_THAT(get(path).headers, Contains(Header("Retry-After", "1")));
    history_.reset();
  }
}

TEST_F(RoutesTest, EveryRowNeedsARole) {
  const std::map<std::string, auth::Role> others = {{"PATCH /api/v1/config", auth::Role::admin},
                                                    {"PUT /api/v1/config", auth::Role::admin},
                                                    {"PUT /api/gpu/config", auth::Role::admin},
                                                    {"PUT /api/v1/throttle", auth::Role::admin},
                                                    {"DELETE /api/v1/throttle", auth::Role::admin},
                                                    {"POST /api/v1/leases/{id}/revoke", auth::Role::admin},
                                                    {"GET /", auth::Role::none},
                                                    {"GET /api/v1/whoami", auth::Role::none}};
  std::set<std::string_view> of_the_page;
  for (const Route& route : site_routes(site::built_in())) of_the_page.insert(route.pattern);
  for (const Route& route : router_.routes()) {
    if (of_the_page.contains(route.pattern)) continue;
    const auto other = others.find(std::string(route.method) + " " + std::string(route.pattern));
    const auto usual = route.method == "GET" ? auth::Role::viewer : auth::Role::operator_;
    EXPECT_EQ(route.role(), other == others.end() ? usual : other->second) << route.method << " " << route.pattern;
  }
}

TEST_F(RoutesTest, OnlyRootAndItsOwnUserMayChangeThings) {
  using Row = std::array<std::string, 3>;
  for (const auto& [method, path, role] :
       {Row{"PATCH", "/api/v1/config", "admin"}, Row{"POST", "/api/v1/monitoring/start", "operator"},
        Row{"POST", "/api/v1/monitoring/stop", "operator"}}) {
    EXPECT_EQ(send(method, path, user(0)).status, 200U) << path;
    EXPECT_EQ(send(method, path, user(1000)).status, 200U) << path;
    const auto other = send(method, path, user(1001));
    EXPECT_EQ(other.status, 403U);
    EXPECT_EQ(Json::parse(*other.body)["detail"],
              "this takes the role " + role +
                  ", and user 1001 has viewer: root, the user that gpukeeper runs as and the groups of auth." + role +
                  "_groups have it");
    const auto tcp = send(method, path, std::make_shared<const Peer>());
    EXPECT_EQ(tcp.status, 401U);
    EXPECT_THAT(tcp.headers, Contains(Header("WWW-Authenticate", "Bearer")));
    EXPECT_EQ(Json::parse(*tcp.body)["detail"],
              "this changes what gpukeeper does, and over TCP that takes a token: 'gpukeeper token create' makes one; "
              "send it as 'Authorization: Bearer TOKEN', or ask over the unix socket");
  }
  EXPECT_EQ(*send("PATCH", "/api/v1/config", user(0)).body, "set body");
  EXPECT_EQ(*get("/api/v1/config").body, "all keys");
}

TEST_F(RoutesTest, MonitoringIsTurnedOffAndOnAndSaysWhetherThatWasAChange) {
  const auto stopped = Json::parse(*send("POST", "/api/v1/monitoring/stop", user(0)).body);
  EXPECT_EQ(stopped["monitoring"], false);
  EXPECT_EQ(stopped["changed"], true);
  EXPECT_EQ(Json::parse(*send("POST", "/api/v1/monitoring/stop", user(0)).body)["changed"], false);
  EXPECT_EQ(Json::parse(*get("/api/v1/monitoring").body)["monitoring"], false);
  EXPECT_EQ(Json::parse(*get("/health").body)["status"], "paused");
  EXPECT_EQ(Json::parse(*get("/health").body)["reasons"][0], "monitoring is off: gpukeeper monitoring start");
  EXPECT_EQ(Json::parse(*send("POST", "/api/v1/monitoring/start", user(0)).body)["changed"], true);
  EXPECT_EQ(Json::parse(*get("/api/v1/monitoring").body)["sample_interval_seconds"], 1.0);
}

TEST_F(RoutesTest, WithoutAGpuThereIsNothingToMonitor) {
  see(machine({}));
  const auto answer = send("POST", "/api/v1/monitoring/start", user(0));
  EXPECT_EQ(answer.status, 409U);
  EXPECT_EQ(Json::parse(*answer.body)["detail"],
            "there is no GPU to monitor: gpukeeper doctor says what was looked for");
  EXPECT_EQ(send("POST", "/api/v1/monitoring/stop", user(0)).status, 200U);
  opened_ = false;
  EXPECT_EQ(send("POST", "/api/v1/monitoring/start", user(0)).status, 503U);
}

TEST_F(RoutesTest, WithMonitoringOffAQuestionWaitsForASampleOfItsOwn) {
  EXPECT_FALSE(get("/api/v1/snapshot").later);
  monitoring_ = false;
  const auto answer = get("/api/v1/snapshot");
  ASSERT_TRUE(answer.later);
  EXPECT_FALSE(answer.later->take());
  ASSERT_EQ(askers_.size(), 1U);
  Snapshot fresh = four_gpus();
  fresh.sequence = 8;
  see(std::move(fresh));
  askers_.front()();
  const auto make = answer.later->take();
  ASSERT_TRUE(make);
  EXPECT_THAT(*(*make)().body, HasSubstr("\"sequence\":8"));
}

}  // namespace
}  // namespace gpukeeper::service
