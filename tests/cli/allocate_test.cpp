#include "cli/allocate.hpp"

#include <deque>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "captured.hpp"

namespace gpukeeper::cli {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

// A ledger that answers as it was told and remembers what it was asked.
class FakeDesk final : public LeaseDesk {
 public:
  Result<DeskReply> ask(const DeskQuestion& question) override {
    asked.push_back(fmt::format("{} {} {}{}", question.method, question.target, question.body,
                                question.wait > 0ns ? fmt::format(" wait {}", question.wait / 1s) : ""));
    auto reply = replies.front();
    if (replies.size() > 1) replies.pop_front();
    return reply;
  }
  std::optional<Bytes> observed(const std::string&, const std::string&) override { return std::nullopt; }
  bool of_daemon() const override { return true; }

  std::deque<Result<DeskReply>> replies;
  std::vector<std::string> asked;
};

struct AllocateTest : testing::Test {
  AllocateTest() {
    world.context.remark = [this](std::string_view sentence) { remarks.emplace_back(sentence); };
  }
  Captured world;
  FakeDesk desk;
  std::vector<std::string> remarks;
};

const DeskReply kNoRoom{
    409, R"({"detail":"no GPU has room\nGPU 0 is full","refusal":{"cause":"no_room","may_come":true,"devices":[]}})"};
const DeskReply kGranted{201, R"({"leases":[{"id":"7"}]})"};

TEST_F(AllocateTest, ARequestSaysWhatWasSaidAndNothingElse) {
  EXPECT_EQ(booking_request({.service = "a", .memory = "4096"}, "standing").value(),
            R"({"service":"a","min_bytes":4294967296,"owner":"standing"})");
  BookingOptions all{.service = "a",
                     .memory = "1GiB",
                     .most = "2GiB",
                     .device = "0",
                     .require_device = true,
                     .name = "n",
                     .request_id = "r",
                     .strategy = "pack",
                     .priority = -3,
                     .gpus = 2,
                     .lifetime = 90s};
  all.exclusive = true;
  EXPECT_EQ(booking_request(all, "process").value(),
            R"({"service":"a","min_bytes":1073741824,"owner":"process","max_bytes":2147483648,"device":"0","name":"n",)"
            R"("request_id":"r","strategy":"pack","require_device":true,"exclusive":true,"priority":-3,"devices":2,)"
            R"("lifetime_seconds":90.0})");
  EXPECT_EQ(booking_request({.service = "a", .memory = "much"}, "standing").error().code, Errc::invalid_argument);
  EXPECT_EQ(booking_request({.service = "a", .memory = "1", .most = "x"}, "standing").error().code,
            Errc::invalid_argument);
}

TEST_F(AllocateTest, WhoDoesNotWaitIsRefusedAtOnce) {
  desk.replies = {kNoRoom};
  EXPECT_EQ(book(desk, {.service = "a", .memory = "1"}, "standing", world.context)->status, 409u);
  EXPECT_EQ(desk.asked.size(), 1u);
}

TEST_F(AllocateTest, WhoWaitsIsToldForWhat) {
  desk.replies = {kNoRoom, kGranted};
  const auto reply = book(desk, {.service = "a", .memory = "1", .wait = 30s}, "standing", world.context);
  EXPECT_EQ(reply->status, 201u);
  EXPECT_THAT(remarks, ElementsAre("waiting for room: no GPU has room"));
  EXPECT_THAT(desk.asked,
              ElementsAre(R"(POST /api/v1/leases {"service":"a","min_bytes":1048576,"owner":"standing"})",
                          R"(POST /api/v1/leases {"service":"a","min_bytes":1048576,"owner":"standing"} wait 30)"));
}

TEST_F(AllocateTest, WhatCanNeverBeIsNotWaitedFor) {
  desk.replies = {DeskReply{409, R"({"detail":"never","refusal":{"cause":"never","may_come":false,"devices":[]}})"}};
  EXPECT_EQ(book(desk, {.service = "a", .memory = "1", .wait = 30s}, "standing", world.context)->status, 409u);
  EXPECT_EQ(desk.asked.size(), 1u);
}

TEST_F(AllocateTest, AUnitThatCountsInThousandsIsRemarked) {
  desk.replies = {kGranted};
  ASSERT_TRUE(book(desk, {.service = "a", .memory = "6GB"}, "standing", world.context));
  EXPECT_THAT(remarks, ElementsAre("6GB are 5722 MiB: that unit counts in thousands; 6GiB are 6144 MiB"));
}

TEST_F(AllocateTest, AReleaseIsOverWhenTheDriverShowsTheDrop) {
  const std::string lease = R"({"leases":[{"id":"7","service":"a","index":0,"min_bytes":1073741824,)";
  desk.replies = {DeskReply{200, R"({"state":"draining","already":false})"},
                  DeskReply{200, lease + R"("state":"draining","observed_bytes":1048576}]})"},
                  DeskReply{200, lease + R"("state":"ended","observed_bytes":null}]})"}};
  const auto released = release_leases(desk, {"7"}, "release", world.context);
  ASSERT_TRUE(released);
  EXPECT_TRUE(released->all_back);
  EXPECT_EQ(released->sentences, "Released lease 7 of a on GPU 0, 1024 MiB\n");
  EXPECT_THAT(desk.asked, ElementsAre("DELETE /api/v1/leases/7 ", "GET /api/v1/leases/7 ", "GET /api/v1/leases/7 "));
}

TEST_F(AllocateTest, WhatIsNotBackInTimeIsSaid) {
  const std::string lease = R"({"leases":[{"id":"7","service":"a","index":0,"min_bytes":1073741824,)";
  desk.replies = {DeskReply{200, R"({"state":"draining","already":false})"},
                  DeskReply{200, lease + R"("state":"draining","observed_bytes":3145728}]})"}};
  const auto released = release_leases(desk, {"7"}, "revoke", world.context);
  ASSERT_TRUE(released);
  EXPECT_FALSE(released->all_back);
  EXPECT_EQ(released->sentences,
            "Revoked lease 7 of a on GPU 0, 1024 MiB\n"
            "Its memory is not back yet: the driver shows 3 MiB in use. It is kept for that until it is.\n");
  EXPECT_EQ(desk.asked.front(), "POST /api/v1/leases/7/revoke ");
}

TEST_F(AllocateTest, ALeaseThatIsOverIsNoError) {
  desk.replies = {DeskReply{200, R"({"state":"ended","already":true})"},
                  DeskReply{404, R"({"detail":"there is no lease 7, or it is over for long"})"}};
  EXPECT_EQ(release_leases(desk, {"7"}, "release", world.context)->sentences, "Was over already: lease 7\n");
}

TEST_F(AllocateTest, ARefusalToEndItIsAnError) {
  desk.replies = {DeskReply{403, R"({"detail":"lease 7 belongs to user 0"})"}};
  EXPECT_EQ(release_leases(desk, {"7"}, "release", world.context).error(),
            (Error{Errc::not_permitted, "lease 7 belongs to user 0"}));
}

}  // namespace
}  // namespace gpukeeper::cli
