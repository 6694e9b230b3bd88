#include "service/reclaim_answer.hpp"

#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "booking/reality_of.hpp"
#include "fakes/fake_clock.hpp"
#include "fakes/snapshots.hpp"
#include "format/json_text.hpp"
#include "service/identity.hpp"
#include "service/later.hpp"

namespace gpukeeper::service {
namespace {

using namespace std::chrono_literals;

constexpr uid_t kOperator = 1000;
constexpr uid_t kMara = 1001;
constexpr uid_t kTom = 1002;

class IdleHands final : public reclaim::Hands {
 public:
  Result<reclaim::HolderReply> perform(const reclaim::ReclaimAction&, std::stop_token) override {
    return reclaim::HolderReply{};
  }
};

// Two GPUs of 8 GiB; mara's lease 1 has 6 GiB of the first.
class ReclaimAnswerTest : public testing::Test {
 protected:
  ReclaimAnswerTest() {
    LedgerSettings ledger;
    ledger.limit.headroom = Bytes(0);
    book_ = Bookkeeper::open(ledger, {*clock_, nullptr, nullptr, {}}).value();
    look();
    LeaseRequest request;
    request.service = "chat";
    request.min = 6_GiB;
    request.uid = kMara;
    request.device = "GPU-0";
    EXPECT_TRUE(book_->reserve(request));
    reclaimer_ = std::make_unique<reclaim::Reclaimer>(
        reclaim::Reclaimer::World{.book = [this] { return book_.get(); },
                                  .hands = hands_,
                                  .holders = holders_,
                                  .clock = clock_,
                                  .no_checkpoint = [] { return std::string("none"); },
                                  .gone = [](const ProcessOwner&) { return false; },
                                  .own_pids = {}},
        reclaim::ReclaimSettings());
    answers_ = std::make_shared<const ReclaimAnswers>(ReclaimDesk{.book = *book_,
                                                                  .snapshot = [this] { return snapshot_; },
                                                                  .reclaimer = *reclaimer_,
                                                                  .holders = holders_,
                                                                  .hands = nullptr,
                                                                  .own_uid = kOperator});
    for (Route& route : reclaim_routes([this] { return answers_; })) routes_.push_back(std::move(route));
  }
  void look() {
    clock_->advance(1s);
    auto snapshot = std::make_shared<Snapshot>();
    snapshot->sequence = ++sequence_;
    snapshot->monotonic = clock_->now();
    for (std::uint32_t index = 0; index < 2; ++index) {
      Reading reading{Missing::not_supported};
      reading.memory_total = 8_GiB;
      reading.memory_used = Bytes(0);
      snapshot->devices.push_back(
          device(index, facts("GPU-" + std::to_string(index), "NVIDIA L4", "0000:0" + std::to_string(index) + ":00.0"),
                 reading));
    }
    snapshot_ = snapshot;
    book_->observe(reality_of(*snapshot_));
  }
  Response ask(std::string method, const std::string& path, std::string body = {}, uid_t uid = kOperator) {
    Request request;
    request.method = std::move(method);
    const auto question = path.find('?');
    request.path = path.substr(0, question);
    if (question != std::string::npos) {
      const auto equals = path.find('=', question);
      request.query[path.substr(question + 1, equals - question - 1)] = path.substr(equals + 1);
    }
    request.target = path;
    request.body = std::move(body);
    auto peer = std::make_shared<Peer>();
    peer->credentials = Credentials{.pid = 50, .uid = uid, .gid = 0};
    request.peer = peer;
    request.who = identity_of(*peer, kOperator);
    return Router(routes_).answer(std::move(request));
  }
  Json document(const Response& response) { return Json::parse(*response.body); }
  std::string refusal(const Response& response) {
    return std::to_string(response.status) + " " + document(response)["detail"].get<std::string>();
  }

  std::shared_ptr<FakeClock> clock_ = std::make_shared<FakeClock>();
  std::uint64_t sequence_ = 0;
  std::shared_ptr<const Snapshot> snapshot_;
  std::unique_ptr<Bookkeeper> book_;
  IdleHands hands_;
  reclaim::HolderBook holders_;
  std::unique_ptr<reclaim::Reclaimer> reclaimer_;
  std::shared_ptr<const ReclaimAnswers> answers_;
  std::vector<Route> routes_;
};

TEST_F(ReclaimAnswerTest, APlanIsForEverybody) {
  const auto response = ask("POST", "/api/v1/plan", R"({"min_bytes": 8589934592, "device": "0"})", kTom);
  ASSERT_EQ(response.status, 200u) << *response.body;
  const Json plan = document(response);
  EXPECT_EQ(plan["schema"], "gpukeeper.plan/1");
  EXPECT_EQ(plan["verdict"], "possible");
  EXPECT_EQ(plan["moved_bytes"], (6_GiB).value());
  EXPECT_EQ(plan["steps"][0]["kind"], "move");
  EXPECT_EQ(plan["steps"][0]["lease"], "1");
  EXPECT_EQ(plan["steps"][0]["to_index"], 1);
}

TEST_F(ReclaimAnswerTest, WhatIsNoQuestionIsRefusedInWords) {
  EXPECT_EQ(refusal(ask("POST", "/api/v1/plan")), "400 min_bytes is needed: how many bytes are to fit on one GPU");
  EXPECT_EQ(refusal(ask("POST", "/api/v1/plan", "[")), "400 the body must be a JSON object");
  EXPECT_EQ(refusal(ask("POST", "/api/v1/plan", R"({"min_bytes": -1})")),
            "400 min_bytes takes a whole number of bytes from 1 on");
  EXPECT_EQ(refusal(ask("POST", "/api/v1/plan", R"({"min_bytes": 1, "service": "x"})")),
            "400 there is no 'service': known here are min_bytes, devices, device");
  EXPECT_EQ(refusal(ask("POST", "/api/v1/reclaim", R"({"deadline_seconds": 0})")),
            "400 deadline_seconds takes a number from 1 to 3600");
}

TEST_F(ReclaimAnswerTest, ReclaimIsForOperatorsAndOneAtATime) {
  EXPECT_EQ(ask("POST", "/api/v1/reclaim", "", kMara).status, 403u);
  const auto response = ask("POST", "/api/v1/reclaim", R"({"service": "chat"})");
  ASSERT_TRUE(response.later);
  EXPECT_EQ(refusal(ask("POST", "/api/v1/reclaim")),
            "409 memory is being reclaimed already; ask again when that is done");
  look();
  reclaimer_->see(snapshot_);
  reclaimer_->step();
  const auto made = response.later->take();
  ASSERT_TRUE(made);
  const Json report = document((*made)());
  EXPECT_EQ(report["schema"], "gpukeeper.reclaim/1");
  EXPECT_EQ(report["finished"], true);
  EXPECT_EQ(report["returned_bytes"], 0);
  const Json all = document(ask("GET", "/api/v1/reclaim", "", kTom));
  EXPECT_EQ(all["running"], false);
  EXPECT_EQ(all["by_itself"], false) << "it is off where nobody turned it on";
  EXPECT_EQ(all["reports"].size(), 1u);
}

TEST_F(ReclaimAnswerTest, WhatCanNeverFitIsNotTried) {
  EXPECT_EQ(refusal(ask("POST", "/api/v1/reclaim", R"({"min_bytes": 99999999999})")),
            "409 nothing would help: GPU 0 can be booked up to 8192 MiB, empty as well; GPU 1 can be booked up to 8192 "
            "MiB, empty as well");
}

TEST_F(ReclaimAnswerTest, ALeasesOwnUserRegistersItsHolder) {
  const std::string ollama = R"({"kind": "ollama", "url": "http://127.0.0.1:11434"})";
  EXPECT_EQ(refusal(ask("PUT", "/api/v1/leases/1/holder", ollama, kTom)),
            "403 the lease belongs to another user or service");
  EXPECT_EQ(refusal(ask("PUT", "/api/v1/leases/9/holder", ollama, kMara)), "404 there is no lease '9', or it is over");
  EXPECT_EQ(ask("GET", "/api/v1/leases/1/holder").status, 404u);
  EXPECT_EQ(ask("PUT", "/api/v1/leases/1/holder", ollama, kMara).status, 200u);
  EXPECT_EQ(document(ask("GET", "/api/v1/leases/1/holder", "", kTom))["holder"]["kind"], "ollama");
  EXPECT_EQ(document(ask("DELETE", "/api/v1/leases/1/holder", "", kMara))["removed"], true);
  EXPECT_EQ(document(ask("DELETE", "/api/v1/leases/1/holder", "", kMara))["removed"], false);
}

TEST_F(ReclaimAnswerTest, NobodyGetsAtASecretOrAnotherMachineThroughAHolder) {
  EXPECT_EQ(refusal(ask("PUT", "/api/v1/leases/1/holder",
                        R"({"kind": "webhook", "url": "http://127.0.0.1:1/", "token_file": "/etc/shadow"})", kMara)),
            "403 only who has the role admin may name a token_file");
  EXPECT_EQ(refusal(ask("PUT", "/api/v1/leases/1/holder", R"({"kind": "webhook", "url": "http://10.0.0.1/"})", kMara)),
            "403 the holder's url is of another machine: use localhost, or name its host in reclaim.holder_hosts");
  EXPECT_EQ(refusal(ask("PUT", "/api/v1/leases/1/holder", R"({"kind": "signal"})", kMara)),
            "400 a holder of kind signal needs a lease that belongs to a process");
}

TEST_F(ReclaimAnswerTest, ALeaseIsDividedByName) {
  EXPECT_EQ(ask("PUT", "/api/v1/leases/1/parts", R"({"name": "weights", "bytes": 4294967296})", kMara).status, 200u);
  const Json parts = document(ask("GET", "/api/v1/leases/1/parts"));
  EXPECT_EQ(parts["free_bytes"], (2_GiB).value());
  EXPECT_EQ(parts["parts"][0]["name"], "weights");
  EXPECT_EQ(refusal(ask("PUT", "/api/v1/leases/1/parts", R"({"name": "cache", "bytes": 4294967296})", kMara)),
            "409 part cache asks for 4096 MiB, and of the 6144 MiB of lease 1 2048 MiB are left");
  EXPECT_EQ(refusal(ask("PUT", "/api/v1/leases/1/parts", R"({"name": 7})", kMara)),
            R"(400 a part is {"name": "weights", "bytes": 1048576})");
  EXPECT_EQ(ask("DELETE", "/api/v1/leases/1/parts?name=weights", "", kMara).status, 200u);
  EXPECT_EQ(refusal(ask("DELETE", "/api/v1/leases/1/parts?name=weights", "", kMara)),
            "404 the lease has no part of that name");
}

TEST_F(ReclaimAnswerTest, OnlyWhatSleepsIsWoken) {
  EXPECT_EQ(refusal(ask("POST", "/api/v1/leases/1/wake", "", kMara)),
            "409 nothing can be woken without a running gpukeeper serve");
}

}  // namespace
}  // namespace gpukeeper::service
