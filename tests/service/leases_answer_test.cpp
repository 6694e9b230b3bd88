#include "service/leases_answer.hpp"

#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "booking/reality_of.hpp"
#include "fakes/fake_clock.hpp"
#include "fakes/memory_journal.hpp"
#include "fakes/snapshots.hpp"
#include "format/json_text.hpp"
#include "service/connection_end.hpp"
#include "service/identity.hpp"
#include "service/later.hpp"

namespace gpukeeper::service {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr uid_t kOperator = 1000;
constexpr uid_t kMara = 1001;
constexpr uid_t kTom = 1002;

// Two GPUs of 8 GiB with nothing on them, a ledger without headroom, and whoever asks over a unix socket.
class LeasesAnswerTest : public testing::Test {
 protected:
  LeasesAnswerTest() {
    settings_.limit.headroom = Bytes(0);
    ServiceQuota quota;
    quota.service = "embedding-service";
    quota.total = 3_GiB;
    quota.leases = 2;
    settings_.services.push_back(quota);
    snapshot_ = std::make_shared<const Snapshot>(machine({gpu(0), gpu(1)}));
    book_ = Bookkeeper::open(settings_, {.clock = clock_,
                                         .journal = std::make_unique<MemoryJournal>(disk_, "boot"),
                                         .owners = nullptr,
                                         .boot_id = "boot"})
                .value();
    book_->observe(reality_of(*snapshot_));
    waits_ = std::make_shared<LeaseWaits>(*book_, 3);
    const auto process = [this](pid_t pid) -> std::optional<LiveProcess> {
      const auto found = processes_.find(pid);
      if (found == processes_.end()) return std::nullopt;
      return found->second;
    };
    answers_ = std::make_shared<LeaseAnswers>(LeaseDesk{.book = *book_,
                                                        .snapshot = [this] { return snapshot_; },
                                                        .own_uid = kOperator,
                                                        .process = process,
                                                        .waits = waits_});
  }

  static DeviceSnapshot gpu(std::uint32_t index) {
    Reading reading{Missing::not_supported};
    reading.memory_total = 8_GiB;
    reading.memory_used = Bytes(0);
    Device made_up = facts("GPU-" + std::to_string(index), "NVIDIA L4", "0000:0" + std::to_string(index) + ":00.0");
    made_up.simulated = true;
    return device(index, made_up, reading);
  }

  static std::shared_ptr<const Peer> user(uid_t uid, pid_t pid = 77) {
    auto peer = std::make_shared<Peer>();
    peer->credentials = Credentials{pid, uid, uid, pid > 0 ? 770u : 0u};
    return peer;
  }

  Response ask(const std::string& method, const std::string& path, uid_t uid, const std::string& body = {},
               std::map<std::string, std::string> query = {}) {
    return ask(method, path, user(uid), body, std::move(query));
  }
  Response ask(const std::string& method, const std::string& path, std::shared_ptr<const Peer> peer,
               const std::string& body = {}, std::map<std::string, std::string> query = {}) {
    const auth::Identity who = identity_of(*peer, kOperator);
    return ask(method, path, std::move(peer), who, body, std::move(query));
  }
  // With a token over TCP.
  Response ask(const std::string& method, const std::string& path, const auth::Identity& who,
               const std::string& body = {}, std::map<std::string, std::string> query = {}) {
    return ask(method, path, std::make_shared<const Peer>(), who, body, std::move(query));
  }
  Response ask(const std::string& method, const std::string& path, std::shared_ptr<const Peer> peer,
               const auth::Identity& who, const std::string& body = {}, std::map<std::string, std::string> query = {}) {
    Request request;
    request.who = who;
    if (who.known && !peer->credentials) request.headers = {{"Authorization", "Bearer x"}};
    request.method = method;
    request.path = path;
    request.body = body;
    request.query = std::move(query);
    request.peer = std::move(peer);
    return router_.answer(std::move(request));
  }
  static Json json(const Response& response) { return Json::parse(*response.body); }

  // The only lease of an answer.
  static Json lease(const Response& response) {
    const Json document = json(response);
    EXPECT_TRUE(document.contains("leases")) << *response.body;
    return document.contains("leases") ? document["leases"][0] : Json();
  }
  Json booked(const std::string& body, uid_t uid = kMara) {
    const auto answer = ask("POST", "/api/v1/leases", uid, body);
    EXPECT_EQ(answer.status, 201u) << *answer.body;
    return lease(answer);
  }
  static void expect_problem(const Response& response, unsigned status, const std::string& code,
                             const std::string& detail) {
    EXPECT_EQ(response.status, status);
    EXPECT_EQ(response.content_type, "application/problem+json");
    const Json document = json(response);
    EXPECT_EQ(document["code"], code);
    EXPECT_EQ(document["detail"], detail);
  }

  // A request that fills a whole GPU, for which it has to wait.
  static std::string waiting(const std::string& more = "") {
    return R"({"service": "w", "min_bytes": 8589934592, "wait_seconds": 30)" + more + "}";
  }
  void fill() {
    booked(R"({"service": "a", "min_bytes": 8589934592})");
    booked(R"({"service": "a", "min_bytes": 8589934592})");
  }
  Response wait(const std::string& body) {
    auto answer = ask("POST", "/api/v1/leases", kMara, body);
    if (!answer.later) throw std::runtime_error(*answer.body);
    EXPECT_EQ(answer.later->patience(), 35s);
    waits_->look();
    EXPECT_FALSE(answer.later->take());
    return answer;
  }
  // What the server would send once something was given.
  static Response given(const Response& answer) {
    const auto make = answer.later->take();
    if (!make) throw std::runtime_error("nothing was given yet");
    return (*make)();
  }
  std::string state(const std::string& id) {
    const Json one = lease(ask("GET", "/api/v1/leases/" + id, kMara));
    return one["state"].get<std::string>() + (one["reason"].is_null() ? "" : " " + one["reason"].get<std::string>());
  }
  // The process 77 uses so much of GPU 0.
  void observe(Bytes used) {
    Reality reality = reality_of(*snapshot_);
    reality.devices[0].used = used;
    ObservedProcess process;
    process.pid = 77;
    process.start_ticks = 770;
    process.memory = used;
    if (used > Bytes(0)) reality.devices[0].processes->push_back(process);
    book_->observe(reality);
  }

  FakeClock clock_;
  std::shared_ptr<JournalDisk> disk_ = std::make_shared<JournalDisk>();
  LedgerSettings settings_;
  std::shared_ptr<const Snapshot> snapshot_;
  std::unique_ptr<Bookkeeper> book_;
  std::map<pid_t, LiveProcess> processes_ = {{88, {{88, 880}, kTom}}, {99, {{99, 990}, kMara}}};
  std::shared_ptr<LeaseWaits> waits_;
  std::shared_ptr<LeaseAnswers> answers_;
  const Router router_{lease_routes([this] { return answers_; })};
};

// What the server answers on its own thread, and what it leaves to those that may wait for a disk.
TEST_F(LeasesAnswerTest, WhatNeedsNoFlushIsQuick) {
  const auto is_quick = [this](const std::string& method, const std::string& path, const std::string& body = {}) {
    Request request;
    request.method = method;
    request.path = path;
    request.body = body;
    if (path.starts_with("/api/v1/leases/")) request.parameters["id"] = path.substr(15);
    return answers_->is_quick(request);
  };
  const std::string bound = R"({"service": "a", "min_bytes": 1, "owner": "process"})";
  EXPECT_FALSE(is_quick("POST", "/api/v1/leases", bound)) << "nothing was written yet";
  booked(R"({"service": "a", "min_bytes": 1})");
  booked(bound);
  EXPECT_TRUE(is_quick("POST", "/api/v1/leases", bound));
  EXPECT_TRUE(is_quick("DELETE", "/api/v1/leases/2"));
  EXPECT_TRUE(is_quick("GET", "/api/v1/leases/1"));
  EXPECT_FALSE(is_quick("DELETE", "/api/v1/leases/1")) << "a standing one is flushed";
  EXPECT_FALSE(is_quick("PATCH", "/api/v1/leases/2"));
  EXPECT_FALSE(is_quick("DELETE", "/api/v1/leases/x"));
  EXPECT_FALSE(is_quick("DELETE", "/api/v1/leases/99"));
  EXPECT_FALSE(is_quick("POST", "/api/v1/leases", R"({"service": "a", "min_bytes": 1})"));
  EXPECT_FALSE(is_quick("POST", "/api/v1/leases", "{"));
  EXPECT_FALSE(is_quick("GET", "/api/v1/leases")) << "there may be thousands";
  EXPECT_FALSE(is_quick("DELETE", "/api/v1/leases"));
  disk_->on_write = [this] { clock_.advance(20ms); };
  booked(bound);
  EXPECT_FALSE(is_quick("DELETE", "/api/v1/leases/2")) << "the disk is slow";
}

TEST_F(LeasesAnswerTest, ABookingIsAnsweredWithItsLease) {
  const auto answer = ask("POST", "/api/v1/leases", kMara,
                          R"({"service": "chat", "min_bytes": 1073741824, "max_bytes": 2147483648, "name": "m",
                              "request_id": "7f", "priority": 3, "metadata": {"model": "x"}})");
  EXPECT_EQ(answer.status, 201u);
  Json document = json(answer);
  document["leases"][0].erase("user");  // as this machine has it
  EXPECT_EQ(document, Json::parse(
                          R"({"schema": "gpukeeper.lease/1", "leases": [{"id": "1", "group": "1",
              "group_size": 1, "generation": 1, "fencing_token": 1, "service": "chat", "device": "GPU-0", "index": 0,
              "simulated": true, "recorded": false, "name": "m", "request_id": "7f", "state": "starting",
              "reason": null, "min_bytes": 1073741824, "max_bytes": 2147483648, "observed_bytes": 0, "peak_bytes": 0,
              "charge_bytes": 1073741824, "owner": {"kind": "standing"}, "uid": 1001, "priority": 3,
              "exclusive": false, "overused": false, "surface": "native", "created": "2026-05-28T21:26:40.000Z",
              "changed": "2026-05-28T21:26:40.000Z", "ends_in_seconds": null, "metadata": {"model": "x"}}],
              "repeated": false, "note": null})"));
  EXPECT_EQ(disk_->memory.leases.size(), 1u);  // before it was answered
}

TEST_F(LeasesAnswerTest, TheSameRequestIdGetsTheSameLeaseButNotAnotherUsers) {
  const std::string body = R"({"service": "chat", "min_bytes": 1048576, "request_id": "7f"})";
  const Json first = booked(body);
  const auto again = ask("POST", "/api/v1/leases", kMara, body);
  EXPECT_EQ(again.status, 200u);
  EXPECT_EQ(json(again)["repeated"], true);
  EXPECT_EQ(lease(again)["id"], first["id"]);
  EXPECT_NE(booked(body, kTom)["id"], first["id"]);
  expect_problem(ask("POST", "/api/v1/leases", kMara, R"({"service": "chat", "min_bytes": 1, "request_id": "7f"})"),
                 409, "request_id_misused",
                 "the request id '7f' belongs to another request of service chat, which got lease 1; give each request "
                 "its own");
}

TEST_F(LeasesAnswerTest, SeveralGpusAreSeveralLeases) {
  const auto answer = ask("POST", "/api/v1/leases", kMara, R"({"service": "chat", "min_bytes": 1, "devices": 2})");
  const Json leases = json(answer)["leases"];
  ASSERT_EQ(leases.size(), 2u);
  EXPECT_EQ(leases[1]["group"], "1");
  EXPECT_EQ(leases[1]["index"], 1);
}

TEST_F(LeasesAnswerTest, ARefusalNamesWhatStandsInTheWay) {
  booked(R"({"service": "chat", "min_bytes": 6442450944, "owner": "process"})");
  booked(R"({"service": "train", "min_bytes": 7516192768, "lifetime_seconds": 90})");
  const auto answer = ask("POST", "/api/v1/leases", kTom, R"({"service": "b", "min_bytes": 4294967296})");
  expect_problem(answer, 409, "insufficient_memory",
                 "b asks for 4096 MiB, and no GPU has room for it now\n"
                 "GPU 0 (GPU-0) has 2048 MiB available, 2048 MiB short: lease 1 of chat (process 77) has 6144 MiB\n"
                 "GPU 1 (GPU-1) has 1024 MiB available, 3072 MiB short: lease 2 of train has 7168 MiB and expires in "
                 "90 s");
  EXPECT_EQ(json(answer)["refusal"]["cause"], "no_room");
  EXPECT_EQ(json(answer)["refusal"]["devices"][0],
            Json::parse(R"({"device": "GPU-0", "index": 0, "bar": "no_room", "detail": null,
                            "available_bytes": 2147483648, "capacity_bytes": 8589934592, "short_by_bytes": 2147483648,
                            "unmanaged_bytes": 0, "draining_bytes": 0, "reclaimable_bytes": 0, "behind": null,
                            "in_the_way": [{"id": "1", "service": "chat", "owner": {"kind": "process", "pid": 77},
                                            "state": "starting", "charge_bytes": 6442450944, "ends_in_seconds": null}],
                            "more_leases": 0, "foreign": []})"));
}

TEST_F(LeasesAnswerTest, EveryCauseOfARefusalHasItsCode) {
  const auto code = [&](const std::string& body) {
    const auto answer = ask("POST", "/api/v1/leases", kMara, body);
    return std::to_string(answer.status) + " " + json(answer)["code"].get<std::string>();
  };
  booked(R"({"service": "a", "name": "m", "min_bytes": 1, "devices": 2})");
  EXPECT_EQ(code(R"({"service": "a", "name": "m", "min_bytes": 1})"), "409 name_taken");
  EXPECT_EQ(code(R"({"service": "a", "min_bytes": 99999999999})"), "409 never_fits");
  EXPECT_EQ(code(R"({"service": "embedding_service", "min_bytes": 4294967296})"), "403 quota_exceeded");
  EXPECT_EQ(code(R"({"service": "a"})"), "400 invalid");
  EXPECT_EQ(code(R"({"service": "a", "min_bytes": 1, "device": "9"})"), "404 not_found");
  EXPECT_EQ(code(R"({"service": "a\n", "min_bytes": 1})"), "400 invalid");
  book_->observe({});
  EXPECT_EQ(code(R"({"service": "a", "min_bytes": 1})"), "409 insufficient_memory");
  disk_->fails = Error{Errc::resource_exhausted, "write /var/lib/gpukeeper/leases.db: No space left on device"};
  const auto full = ask("POST", "/api/v1/leases", kMara, R"({"service": "a", "min_bytes": 1})");
  EXPECT_EQ(full.status, 409u);  // nothing was to be written
  book_->observe(reality_of(*snapshot_));
  expect_problem(ask("POST", "/api/v1/leases", kMara, R"({"service": "b", "min_bytes": 1})"), 503, "ledger_closed",
                 "write /var/lib/gpukeeper/leases.db: No space left on device");
}

TEST_F(LeasesAnswerTest, BeforeThereIsALedgerItIsStarting) {
  answers_ = nullptr;
  EXPECT_EQ(ask("GET", "/api/v1/leases", kMara).status, 503u);
  EXPECT_EQ(ask("POST", "/api/v1/leases", kMara, "{").status, 503u);
}

TEST_F(LeasesAnswerTest, ThePeersProcessOwnsWhatBelongsToAProcess) {
  const std::string body = R"({"service": "a", "min_bytes": 1, "owner": "process"})";
  EXPECT_EQ(booked(body)["owner"], Json::parse(R"({"kind": "process", "pid": 77})"));
  EXPECT_EQ(std::get<ProcessOwner>(book_->leases().front().owner), (ProcessOwner{77, 770}));
  const std::string of_99 = R"({"service": "a", "min_bytes": 1, "owner": "process", "pid": 99})";
  booked(of_99);
  EXPECT_EQ(std::get<ProcessOwner>(book_->leases().back().owner), (ProcessOwner{99, 990}));
  expect_problem(ask("POST", "/api/v1/leases", kTom, of_99), 403, "not_permitted",
                 "process 99 is not yours: only root may book for another user's");
  EXPECT_EQ(ask("POST", "/api/v1/leases", 0, of_99).status, 201u);
  expect_problem(
      ask("POST", "/api/v1/leases", kTom, R"({"service": "a", "min_bytes": 1, "owner": "process", "pid": 5})"), 404,
      "not_found", "there is no process 5 to own the lease");
  expect_problem(ask("POST", "/api/v1/leases", user(kMara, 0), body), 400, "invalid",
                 "an owner \"process\" must be visible here, and you are in a pid namespace (a container) whose "
                 "processes are not: ask for an owner \"heartbeat\" or \"connection\"");
  auto gone = std::make_shared<Peer>();
  gone->credentials = Credentials{77, kMara, kMara, 0};
  expect_problem(ask("POST", "/api/v1/leases", gone, body), 404, "not_found",
                 "process 77, which is to own the lease, is gone");
}

TEST_F(LeasesAnswerTest, OverTcpNobodyBooksWithoutATokenAndEverybodyMayLook) {
  booked(R"({"service": "a", "min_bytes": 1})");
  const auto stranger = std::make_shared<const Peer>();
  constexpr const char* kToken =
      "this changes what gpukeeper does, and over TCP that takes a token: 'gpukeeper token create' makes one; send it "
      "as 'Authorization: Bearer TOKEN', or ask over the unix socket";
  expect_problem(ask("POST", "/api/v1/leases", stranger, "{}"), 401, "no_token", kToken);
  expect_problem(ask("DELETE", "/api/v1/leases/1", stranger), 401, "no_token", kToken);
  expect_problem(ask("DELETE", "/api/v1/leases", stranger), 401, "no_token", kToken);
  expect_problem(ask("PATCH", "/api/v1/leases/1", stranger, R"({"min_bytes": 2})"), 401, "no_token", kToken);
  for (const std::string what : {"heartbeat", "suspend", "resume", "revoke"}) {
    expect_problem(ask("POST", "/api/v1/leases/1/" + what, stranger), 401, "no_token", kToken);
  }
  EXPECT_EQ(json(ask("GET", "/api/v1/leases", stranger))["leases"].size(), 1u);
  EXPECT_EQ(lease(ask("GET", "/api/v1/leases/1", stranger))["id"], "1");
}

TEST_F(LeasesAnswerTest, AnOperatorsTokenBooksInTheNameOfTheDaemonsUser) {
  const auth::Identity ci{.role = auth::Role::operator_, .name = "token ci (20212223)", .known = true};
  const auto answer =
      ask("POST", "/api/v1/leases", ci, R"({"service": "a", "min_bytes": 1, "owner": "heartbeat", "ttl_seconds": 30})");
  EXPECT_EQ(answer.status, 201u) << *answer.body;
  EXPECT_EQ(lease(answer)["uid"], kOperator);
  EXPECT_EQ(ask("POST", "/api/v1/leases/1/heartbeat", ci).status, 200u);
  for (const std::string owner : {"process", "connection"}) {
    expect_problem(ask("POST", "/api/v1/leases", ci, R"({"service": "a", "min_bytes": 1, "owner": ")" + owner + "\"}"),
                   400, "invalid",
                   R"(over TCP nobody says which process asks: ask for an owner "heartbeat" or "standing")");
  }
  booked(R"({"service": "a", "min_bytes": 1})", kMara);
  EXPECT_EQ(ask("DELETE", "/api/v1/leases/2", ci).status, 403u);  // somebody else's
  expect_problem(
      ask("POST", "/api/v1/leases/2/revoke", ci), 403, "not_permitted",
      "this takes the role admin, and token ci (20212223) has operator: 'gpukeeper token create --role admin' "
      "makes a token that may");
  EXPECT_EQ(ask("DELETE", "/api/v1/leases/1", ci).status, 200u);
  const auth::Identity viewer{.role = auth::Role::viewer, .name = "token see (1)", .known = true};
  EXPECT_EQ(ask("POST", "/api/v1/leases", viewer, "{}").status, 403u);
}

TEST_F(LeasesAnswerTest, AServicesTokenIsForItsLeasesAlone) {
  const auth::Identity own{.role = auth::Role::operator_, .name = "token e (1)", .known = true, .service = "embedding"};
  const auth::Identity all{.role = auth::Role::operator_, .name = "token ci (2)", .known = true};
  EXPECT_EQ(ask("POST", "/api/v1/leases", own, R"({"service": "embedding", "min_bytes": 1})").status, 201u);
  constexpr const char* kOther = "the token e (1) is for the leases of service 'embedding', not of 'chat'";
  expect_problem(ask("POST", "/api/v1/leases", own, R"({"service": "chat", "min_bytes": 1})"), 403, "not_permitted",
                 kOther);
  EXPECT_EQ(ask("POST", "/api/v1/leases", all, R"({"service": "chat", "min_bytes": 1})").status, 201u);
  expect_problem(ask("DELETE", "/api/v1/leases/2", own), 403, "not_permitted", kOther);
  expect_problem(ask("DELETE", "/api/v1/leases", own, "", {{"service", "chat"}, {"device", "0"}}), 403, "not_permitted",
                 kOther);
  auth::Identity admin = own;
  admin.role = auth::Role::admin;
  expect_problem(ask("POST", "/api/v1/leases/1/revoke", admin), 403, "not_permitted",
                 "the token e (1) is for the leases of service 'embedding', and this is about more");
  EXPECT_EQ(ask("DELETE", "/api/v1/leases/1", own).status, 200u);
}

TEST_F(LeasesAnswerTest, ItsUserRootAndTheOperatorMayEndALease) {
  for (int i = 0; i < 4; ++i) booked(R"({"service": "a", "min_bytes": 1})");
  const auto refused = ask("DELETE", "/api/v1/leases/1", kTom);
  EXPECT_EQ(refused.status, 403u);
  EXPECT_THAT(json(refused)["detail"].get<std::string>(),
              testing::MatchesRegex("lease 1 belongs to user 1001.*: it is changed by nobody but that user and who has "
                                    "the role admin"));
  EXPECT_EQ(json(ask("DELETE", "/api/v1/leases/1", kMara)),
            Json::parse(R"({"schema": "gpukeeper.ending/1", "id": "1", "state": "ended", "already": false,
                            "observed_bytes": null, "note": null})"));
  EXPECT_EQ(json(ask("DELETE", "/api/v1/leases/1", kMara))["already"], true);
  EXPECT_EQ(ask("DELETE", "/api/v1/leases/2", 0).status, 200u);
  EXPECT_EQ(ask("DELETE", "/api/v1/leases/3", kOperator).status, 200u);
  expect_problem(
      ask("POST", "/api/v1/leases/4/revoke", kMara), 403, "not_permitted",
      "this takes the role admin, and user 1001 has viewer: root, the user that gpukeeper runs as and the groups of "
      "auth.admin_groups have it");
  EXPECT_EQ(ask("POST", "/api/v1/leases/4/revoke", kOperator).status, 200u);
  EXPECT_EQ(lease(ask("GET", "/api/v1/leases/4", kTom))["reason"], "revoked");
  expect_problem(ask("DELETE", "/api/v1/leases/99", kMara), 404, "not_found", "there is no lease 99");
  expect_problem(ask("DELETE", "/api/v1/leases/x", kMara), 404, "not_found",
                 "'x' is no lease's id: that is a whole number such as 7");
}

TEST_F(LeasesAnswerTest, WhoSpeaksOfOlderTermsIsToldSo) {
  booked(R"({"service": "a", "min_bytes": 1048576})");
  const auto resized = ask("PATCH", "/api/v1/leases/1", kMara, R"({"min_bytes": 2097152, "generation": 1})");
  EXPECT_EQ(lease(resized)["generation"], 2);
  constexpr const char* kStale =
      "generation 1 of lease 1 is over: its terms changed, and it is at generation 2; look at it again";
  expect_problem(ask("PATCH", "/api/v1/leases/1", kMara, R"({"min_bytes": 1, "generation": 1})"), 409,
                 "stale_generation", kStale);
  expect_problem(ask("DELETE", "/api/v1/leases/1", kMara, {}, {{"generation", "1"}}), 409, "stale_generation", kStale);
  expect_problem(ask("DELETE", "/api/v1/leases/1", kMara, {}, {{"generation", "one"}}), 400, "invalid",
                 "generation is 'one'; it takes a whole number such as 1");
  EXPECT_EQ(ask("PATCH", "/api/v1/leases/1", kTom, R"({"min_bytes": 1})").status, 403u);
  EXPECT_EQ(json(ask("PATCH", "/api/v1/leases/1", kMara, R"({"min_bytes": 99999999999})"))["code"], "never_fits");
  EXPECT_EQ(ask("DELETE", "/api/v1/leases/1", kMara, {}, {{"generation", "2"}}).status, 200u);
}

TEST_F(LeasesAnswerTest, AHeartbeatKeepsALeaseAndASuspendedOneGivesItsRoomAway) {
  booked(R"({"service": "a", "min_bytes": 8589934592, "owner": "heartbeat", "ttl_seconds": 10})");
  clock_.advance(6s);
  EXPECT_EQ(lease(ask("GET", "/api/v1/leases/1", kMara))["ends_in_seconds"], 4.0);
  EXPECT_EQ(lease(ask("POST", "/api/v1/leases/1/heartbeat", kMara))["ends_in_seconds"], 10.0);
  EXPECT_EQ(ask("POST", "/api/v1/leases/1/heartbeat", kTom).status, 403u);
  EXPECT_EQ(lease(ask("POST", "/api/v1/leases/1/suspend", kMara))["state"], "suspended");
  EXPECT_EQ(booked(R"({"service": "b", "min_bytes": 8589934592, "device": "0", "require_device": true})")["id"], "2");
  EXPECT_EQ(ask("POST", "/api/v1/leases/1/resume", kMara).status, 409u);
  ask("DELETE", "/api/v1/leases/2", kMara);
  EXPECT_EQ(lease(ask("POST", "/api/v1/leases/1/resume", kMara))["state"], "starting");
  expect_problem(ask("POST", "/api/v1/leases/2/heartbeat", kMara), 404, "not_found", "nobody holds lease 2");
}

TEST_F(LeasesAnswerTest, AListIsNarrowedAndAddsUp) {
  booked(R"({"service": "chat_service", "min_bytes": 1073741824, "device": "0"})");
  booked(R"({"service": "train", "min_bytes": 2147483648, "device": "1"})", kTom);
  booked(R"({"service": "train", "min_bytes": 1, "device": "1"})");
  ask("DELETE", "/api/v1/leases/3", kMara);
  const Json all = json(ask("GET", "/api/v1/leases", kTom));
  EXPECT_EQ(all["taken_at"], "2026-05-28T21:26:40.000Z");
  EXPECT_EQ(all["closed"], nullptr);
  EXPECT_EQ(all["leases"].size(), 2u);
  EXPECT_FALSE(all.contains("ended"));
  EXPECT_EQ(all["devices"][1],
            Json::parse(R"({"id": "GPU-1", "index": 1, "name": "NVIDIA L4", "simulated": true, "recorded": false,
                            "available": true, "reason": null, "total_bytes": 8589934592, "reserved_bytes": null,
                            "used_bytes": 0, "capacity_bytes": 8589934592, "headroom_bytes": 0,
                            "booked_bytes": 2147483648, "charged_bytes": 2147483648, "draining_bytes": 0,
                            "unmanaged_bytes": 0, "available_bytes": 6442450944, "leases": 1, "exclusive": false,
                            "foreign": []})"));
  const auto ids = [&](std::map<std::string, std::string> query, const std::string& list = "leases") {
    std::vector<std::string> found;
    const Json document = json(ask("GET", "/api/v1/leases", kTom, {}, std::move(query)));
    for (const Json& each : document[list]) found.push_back(each["id"]);
    return found;
  };
  EXPECT_THAT(ids({{"service", "chat-service"}}), ElementsAre("1"));
  EXPECT_THAT(ids({{"device", "GPU-1"}}), ElementsAre("2"));
  EXPECT_THAT(ids({{"state", "starting"}}), ElementsAre("1", "2"));
  EXPECT_THAT(ids({{"state", "leaked"}}), ElementsAre());
  EXPECT_THAT(ids({{"all", "true"}}, "ended"), ElementsAre("3"));
  EXPECT_EQ(json(ask("GET", "/api/v1/leases", kTom, {}, {{"device", "1"}}))["devices"].size(), 1u);
  expect_problem(ask("GET", "/api/v1/leases", kTom, {}, {{"gpu", "1"}}), 400, "invalid",
                 "there is no parameter 'gpu' here: there are device, service, state, all, limit, cursor");
  expect_problem(ask("GET", "/api/v1/leases", kTom, {}, {{"state", "gone"}}), 400, "invalid",
                 "state is 'gone'; it takes waiting, starting, active, suspended, draining, leaked or ended");
  expect_problem(
      ask("GET", "/api/v1/leases", kTom, {}, {{"device", "7"}}), 404, "not_found",
      "there is no GPU '7': there are the GPUs 0 to 1; gpukeeper devices lists their UUIDs and PCI addresses");
}

TEST_F(LeasesAnswerTest, AllLeasesOfAServiceOnAGpuEndButNotThoseOfOthers) {
  for (const uid_t uid : {kMara, kMara, kTom}) booked(R"({"service": "a", "min_bytes": 1, "device": "0"})", uid);
  const std::map<std::string, std::string> which = {{"service", "a"}, {"device", "0"}};
  EXPECT_EQ(json(ask("DELETE", "/api/v1/leases", kMara, {}, which)),
            Json::parse(R"({"schema": "gpukeeper.endings/1", "ended": 2})"));
  EXPECT_EQ(json(ask("DELETE", "/api/v1/leases", kOperator, {}, which))["ended"], 1);
  expect_problem(ask("DELETE", "/api/v1/leases", kMara, {}, {{"service", "a"}}), 400, "invalid",
                 "which leases? Both are needed: ?service=NAME&device=INDEX or UUID");
}

TEST_F(LeasesAnswerTest, WhoWaitsIsAnsweredWhenItIsGranted) {
  fill();
  const auto answer = wait(waiting());
  EXPECT_EQ(json(ask("GET", "/api/v1/leases", kTom))["waiting"], Json::parse(R"(["3"])"));
  EXPECT_EQ(ask("DELETE", "/api/v1/leases/1", kMara).status, 200u);
  waits_->look();
  const auto granted = given(answer);
  EXPECT_EQ(granted.status, 201u);
  EXPECT_EQ(lease(granted)["id"], "3");
  EXPECT_EQ(lease(granted)["state"], "starting");
}

TEST_F(LeasesAnswerTest, WhoWaitedInVainIsToldWhatIsInTheWay) {
  fill();
  const auto answer = wait(waiting());
  clock_.advance(31s);
  book_->tick();
  waits_->look();
  const auto refused = given(answer);
  expect_problem(refused, 409, "insufficient_memory",
                 "waited 30 s in vain: w asks for 8192 MiB, and no GPU has room for it now\n"
                 "GPU 0 (GPU-0) has 0 MiB available, 8192 MiB short: lease 1 of a has 8192 MiB\n"
                 "GPU 1 (GPU-1) has 0 MiB available, 8192 MiB short: lease 2 of a has 8192 MiB");
  EXPECT_EQ(json(refused)["waited_seconds"], 30.0);
  EXPECT_EQ(state("3"), "ended timed_out");
}

TEST_F(LeasesAnswerTest, AClientThatGoesStandsInTheQueueNoLonger) {
  fill();
  const auto answer = wait(waiting());
  answer.later->abandon();
  waits_->look();
  EXPECT_EQ(state("3"), "ended cancelled");
}

TEST_F(LeasesAnswerTest, AsLongAsAnotherWaitsForTheSameTheRequestStays) {
  fill();
  const auto first = wait(waiting(R"(, "request_id": "7f")"));
  const auto second = wait(waiting(R"(, "request_id": "7f")"));
  first.later->abandon();
  waits_->look();
  EXPECT_EQ(state("3"), "waiting");
  ask("DELETE", "/api/v1/leases/1", kMara);
  waits_->look();
  EXPECT_EQ(given(second).status, 200u);  // it is the first one's, who asked again
}

TEST_F(LeasesAnswerTest, WhatIsGrantedToAClientThatHasGoneIsGivenBackUnlessItCanAskAgain) {
  fill();
  const auto nameless = wait(waiting());
  const auto named = wait(waiting(R"(, "request_id": "7f")"));
  ask("DELETE", "/api/v1/leases/1", kMara);
  ask("DELETE", "/api/v1/leases/2", kMara);
  waits_->look();
  nameless.later->abandon();
  named.later->abandon();
  waits_->look();
  EXPECT_EQ(state("3"), "ended released");
  EXPECT_EQ(state("4"), "starting");
  EXPECT_EQ(lease(ask("POST", "/api/v1/leases", kMara, waiting(R"(, "request_id": "7f")")))["id"], "4");
  const auto at_once = ask("POST", "/api/v1/leases", kMara, R"({"service": "a", "min_bytes": 1})");
  at_once.undelivered();
  waits_->look();
  EXPECT_EQ(state("5"), "ended released");
}

TEST_F(LeasesAnswerTest, WhatIsCancelledWhileItWaitsIsAnsweredSo) {
  fill();
  const auto answer = wait(waiting());
  ask("DELETE", "/api/v1/leases/3", kMara);
  waits_->look();
  expect_problem(given(answer), 409, "cancelled", "lease 3 was cancelled while it waited");
}

TEST_F(LeasesAnswerTest, OnlySoManyMayWait) {
  fill();
  std::vector<Response> waits;
  for (int i = 0; i < 3; ++i) waits.push_back(wait(waiting()));
  expect_problem(ask("POST", "/api/v1/leases", kMara, waiting()), 503, "queue_full",
                 "too many clients wait for leases already; ask again in a moment");
  EXPECT_EQ(state("6"), "ended cancelled");
}

TEST_F(LeasesAnswerTest, ADropThatIsWaitedForIsToldOrThatItDidNotCome) {
  const std::string body = R"({"service": "a", "min_bytes": 1073741824, "owner": "process", "device": "0"})";
  for (const bool comes : {true, false}) {
    const std::string id = booked(body)["id"];
    observe(1_GiB);
    const auto answer = ask("DELETE", "/api/v1/leases/" + id, kMara, {}, {{"wait_seconds", "2.5"}});
    ASSERT_TRUE(answer.later) << *answer.body;
    waits_->look();
    EXPECT_FALSE(answer.later->take());
    if (comes) {
      observe(Bytes(0));
    } else {
      clock_.advance(2500ms);
    }
    waits_->look();
    const Json ending = json(given(answer));
    EXPECT_EQ(ending["already"], false);
    EXPECT_EQ(ending["state"], comes ? "ended" : "draining");
    EXPECT_EQ(ending["observed_bytes"], comes ? Json() : Json(1073741824));
    EXPECT_EQ(ending["note"], comes ? Json() : Json("after 2.5 s the driver still shows 1024 MiB of it"));
  }
  expect_problem(ask("DELETE", "/api/v1/leases/2", kMara, {}, {{"wait_seconds", "nan"}}), 400, "invalid",
                 "wait_seconds is 'nan'; it takes seconds from 0 to 86400");
}

TEST_F(LeasesAnswerTest, WhatBelongsToAConnectionEndsWithIt) {
  const auto connected = [](std::uint64_t number) {
    auto peer = std::make_shared<Peer>(*user(kMara));
    peer->end = std::make_shared<ConnectionEnd>(number);
    return peer;
  };
  const std::string body = R"({"service": "a", "min_bytes": 1, "owner": "connection"})";
  const auto one = connected(1);
  const auto other = connected(2);
  for (const auto& peer : {one, one, other}) EXPECT_EQ(ask("POST", "/api/v1/leases", peer, body).status, 201u);
  EXPECT_EQ(std::get<ProcessOwner>(book_->leases().front().owner), (ProcessOwner{77, 770}));
  one->end->happened();
  waits_->look();
  EXPECT_EQ(state("1"), "draining owner_died");
  EXPECT_EQ(state("2"), "draining owner_died");
  EXPECT_EQ(state("3"), "starting");
  observe(Bytes(0));  // its process may live on: the driver has the word
  EXPECT_EQ(state("1"), "ended owner_died");
  EXPECT_EQ(ask("POST", "/api/v1/leases", one, body).status, 201u);  // it had gone before it was answered
  waits_->look();
  EXPECT_EQ(state("4"), "draining owner_died");
  expect_problem(ask("POST", "/api/v1/leases", kMara, body), 400, "invalid",
                 "an owner \"connection\" needs a connection that stays, and there is none here");
}

TEST_F(LeasesAnswerTest, AProcessThatCannotBeSeenFromHereMayOwnByItsConnection) {
  processes_[::getpid()] = {{::getpid(), 1234}, kOperator};
  auto contained = std::make_shared<Peer>(*user(kMara, 0));
  contained->end = std::make_shared<ConnectionEnd>(1);
  const std::string body = R"({"service": "a", "min_bytes": 1, "owner": "connection"})";
  EXPECT_EQ(ask("POST", "/api/v1/leases", contained, body).status, 201u);
  EXPECT_EQ(std::get<ProcessOwner>(book_->leases().front().owner), (ProcessOwner{::getpid(), 1234}));
}

TEST(ConnectionLeasesTest, AClientThatBooksAllDayOverOneConnectionLeavesNothingBehind) {
  ConnectionLeases bound;
  for (std::uint64_t id = 1; id <= 10'000; ++id) {
    bound.add(1, LeaseId{id}, [id](LeaseId other) { return number(other) < id; });
  }
  EXPECT_LT(bound.size(), 200u);
  EXPECT_EQ(bound.take(1).back(), LeaseId{10'000});
  EXPECT_EQ(bound.size(), 0u);
}

TEST_F(LeasesAnswerTest, QuotasStandBesideWhatIsHeld) {
  booked(R"({"service": "chat", "min_bytes": 1})");
  EXPECT_EQ(json(ask("GET", "/api/v1/quotas", kTom)), Json::parse(R"({"schema": "gpukeeper.quotas/1", "services": [
                {"service": "chat", "quota": null, "booked_bytes": 1, "leases": 1},
                {"service": "embedding-service", "quota": {"min_request_bytes": null, "max_request_bytes": null,
                 "total_bytes": 3221225472, "leases": 2, "devices": [], "preferred_device": null, "near": [],
                 "apart": [], "priority": 0}, "booked_bytes": 0, "leases": 0}]})"));
}

}  // namespace
}  // namespace gpukeeper::service
