#include "service/processes_answer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/memory_files.hpp"
#include "fakes/snapshots.hpp"
#include "format/json_text.hpp"
#include "service/devices_answer.hpp"

namespace gpukeeper::service {
namespace {

using testing::HasSubstr;
using testing::Not;

class ProcessesAnswerTest : public testing::Test {
 protected:
  ProcessesAnswerTest() {
    set_processes(snapshot_.devices[0], {told(process(4242, "python3", 12'000), mara_trains(4242)),
                                         process(17, "Xorg", 20), process(18, "kwin", 30)});
    set_processes(snapshot_.devices[1], {process(17, "Xorg", 40)});
  }
  static Request asked(std::map<std::string, std::string> query, auth::Role role = auth::Role::viewer) {
    Request request;
    request.method = "GET";
    request.path = "/api/v1/processes";
    request.query = std::move(query);
    request.who.role = role;
    return request;
  }
  Json processes(std::map<std::string, std::string> query) {
    return Json::parse(*processes_answer(asked(std::move(query)), snapshot_).body);
  }
  std::vector<std::int64_t> pids(std::map<std::string, std::string> query) {
    std::vector<std::int64_t> result;
    const Json document = processes(std::move(query));
    for (const Json& each : document["processes"]) result.push_back(each["pid"]);
    return result;
  }

  Snapshot snapshot_ = four_gpus();
};

TEST_F(ProcessesAnswerTest, TheyAreWhatPsPrints) {
  const Json document = processes({});
  EXPECT_EQ(document["schema"], "gpukeeper.ps/1");
  EXPECT_EQ(pids({}), (std::vector<std::int64_t>{4242, 18, 17, 17}));
  EXPECT_EQ(pids({{"device", "1"}}), std::vector<std::int64_t>{17});
  EXPECT_EQ(pids({{"user", "mara"}}), std::vector<std::int64_t>{4242});
  EXPECT_EQ(pids({{"class", "ml_training"}}), std::vector<std::int64_t>{4242});
  EXPECT_EQ(pids({{"sort", "pid"}, {"limit", "2"}}), (std::vector<std::int64_t>{17, 17}));
}

TEST_F(ProcessesAnswerTest, PagesGoByGpuAndPidAndLoseNobody) {
  std::vector<std::int64_t> seen;
  std::map<std::string, std::string> query = {{"limit", "3"}};
  const Response first = processes_answer(asked(query), snapshot_);
  EXPECT_EQ(pids(query), (std::vector<std::int64_t>{17, 18, 4242}));
  ASSERT_EQ(first.headers.back().first, "Link");
  const std::string link = first.headers.back().second;
  query["cursor"] = link.substr(link.find("cursor=") + 7, link.find('>') - link.find("cursor=") - 7);
  set_processes(snapshot_.devices[0], {});  // they ended meanwhile
  EXPECT_EQ(pids(query), std::vector<std::int64_t>{17});
  EXPECT_NE(processes_answer(asked(query), snapshot_).headers.back().first, "Link");
}

TEST_F(ProcessesAnswerTest, WhatIsAskedMustBeUnderstood) {
  const auto detail = [&](const std::string& name, const std::string& value) {
    return processes({{name, value}})["detail"];
  };
  EXPECT_EQ(detail("sort", "size"), "sort takes one of memory, gpu, cpu, time, pid, user, not 'size'");
  EXPECT_EQ(
      detail("class", "game"),
      "there is no class 'game': there are unknown, mining, ml_training, ml_inference, ml, video, gaming, desktop");
  EXPECT_EQ(processes({{"sort", "pid"}, {"cursor", "70726f6365737365733a3137204750552d61"}})["detail"],
            "sort and cursor exclude each other: pages go by GPU and pid");
  EXPECT_EQ(processes({{"device", "9"}})["status"], 404);
  EXPECT_EQ(processes_answer(asked({}), {}).status, 503U);
}

TEST_F(ProcessesAnswerTest, CommandLinesAreForAdmins) {
  set_processes(snapshot_.devices[0], {told(process(4242, "python3", 12'000), mara_trains(4242))});
  for (const auto answer : {processes_answer, why_answer}) {
    const auto query = std::map<std::string, std::string>{{"device", "0"}};
    EXPECT_THAT(*answer(asked(query, auth::Role::operator_), snapshot_).body, Not(HasSubstr("--epochs")));
    EXPECT_THAT(*answer(asked(query, auth::Role::operator_), snapshot_).body, HasSubstr("python3"));
  }
  const Request busy = asked({{"device", "0"}, {"topic", "busy"}}, auth::Role::admin);
  EXPECT_THAT(*why_answer(busy, snapshot_).body, HasSubstr("It was started as: "));
  const Request nosy = asked({{"device", "0"}, {"topic", "busy"}}, auth::Role::operator_);
  EXPECT_THAT(*why_answer(nosy, snapshot_).body, Not(HasSubstr("It was started as: ")));
}

TEST_F(ProcessesAnswerTest, WhyAnswersOneQuestionOfOneGpu) {
  const auto why = [&](std::map<std::string, std::string> query) {
    return Json::parse(*why_answer(asked(std::move(query)), snapshot_).body);
  };
  const Json all = why({});
  EXPECT_EQ(all["schema"], "gpukeeper.why/1");
  EXPECT_EQ(all["devices"].size(), 4U);
  const Json one = why({{"device", "0"}, {"topic", "memory"}});
  ASSERT_EQ(one["devices"].size(), 1U);
  EXPECT_EQ(one["devices"][0]["answers"][0]["topic"], "memory");
  EXPECT_EQ(why({{"topic", "noise"}})["detail"],
            "why does not know 'noise': it answers for fan, slow, hot, busy, memory");
}

TEST_F(ProcessesAnswerTest, DevicesAreWhatDevicesPrints) {
  const Json all = Json::parse(*devices_answer(asked({}), snapshot_, MemoryFiles()).body);
  EXPECT_EQ(all["schema"], "gpukeeper.devices/1");
  EXPECT_EQ(all["devices"].size(), 4U);
  EXPECT_EQ(all["connections"].size(), 6U);
  Request one = asked({});
  one.parameters["device"] = "GPU-bbbb";
  EXPECT_EQ(Json::parse(*device_answer(one, snapshot_, MemoryFiles()).body)["devices"][0]["index"], 1);
  one.parameters["device"] = "9";
  EXPECT_EQ(device_answer(one, snapshot_, MemoryFiles()).status, 404U);
  EXPECT_EQ(devices_answer(asked({}), {}, MemoryFiles()).status, 503U);
}

TEST_F(ProcessesAnswerTest, StatesAreTheGovernedOnes) {
  snapshot_.devices[1].throttling.state = State::throttled;
  snapshot_.devices[1].throttling.speed_multiplier = 0.5;
  const Json all = Json::parse(*states_answer(asked({}), snapshot_).body);
  EXPECT_EQ(all["schema"], "gpukeeper.states/1");
  EXPECT_EQ(all["speed_multiplier"], 0.5);
  EXPECT_EQ(all["devices"][1]["state"], "throttled");
  EXPECT_EQ(all["devices"][1]["should_throttle"], true);
  EXPECT_EQ(all["devices"][1]["thresholds"]["temp_critical_celsius"], 90.0);
  EXPECT_EQ(Json::parse(*states_answer(asked({{"device", "1"}}), snapshot_).body)["devices"].size(), 1U);
}

}  // namespace
}  // namespace gpukeeper::service
