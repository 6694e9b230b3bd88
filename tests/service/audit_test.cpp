#include "service/audit.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <fmt/format.h>

#include "fakes/fake_clock.hpp"
#include "fakes/fake_log.hpp"
#include "fakes/temporary_folder.hpp"

namespace gpukeeper::service {
namespace {

using nlohmann::json;

class AuditTest : public testing::Test {
 protected:
  static Request change(const std::string& method, const std::string& path) {
    Request request;
    request.method = method;
    request.path = path;
    request.who = {.role = auth::Role::admin, .name = "root", .known = true};
    request.peer = std::make_shared<const Peer>();
    return request;
  }
  void done(const Request& request, unsigned status) {
    audit_->begin(request);
    const Response response = json_answer(status, "{}");
    audit_->end(*request.peer, &response);
  }
  // Once all is written.
  json changes(std::map<std::string, std::string> query = {}) {
    audit_ = nullptr;
    audit_ = std::make_unique<Audit>(folder_.path().string(), clock_, log_);
    Request request;
    request.query = std::move(query);
    return json::parse(*audit_->answer(request).body);
  }

  const TemporaryFolder folder_;
  FakeClock clock_;
  const std::shared_ptr<FakeLogTarget> lines_ = std::make_shared<FakeLogTarget>();
  Log log_{clock_, lines_};
  std::unique_ptr<Audit> audit_ = std::make_unique<Audit>(folder_.path().string(), clock_, log_);
};

TEST_F(AuditTest, WhatWasChangedIsKept) {
  done(change("POST", "/api/v1/monitoring/stop"), 200);
  done(change("DELETE", "/api/v1/leases/1"), 200);
  const json all = changes()["changes"];
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0]["what"], "DELETE /api/v1/leases/1");
  EXPECT_EQ(all[1]["who"], "root");
  EXPECT_EQ(changes({{"limit", "1"}})["changes"].size(), 1u);
}

TEST_F(AuditTest, WhatChangedNothingIsNot) {
  done(change("GET", "/api/v1/leases"), 200);
  done(change("PATCH", "/api/v1/config"), 403);
  done(change("POST", "/api/v1/leases/1/heartbeat"), 200);
  done(change("POST", "/api/v1/plan"), 200);
  EXPECT_TRUE(changes()["changes"].empty());
}

TEST_F(AuditTest, WhoHadGoneIsKeptWithoutAStatus) {
  const Request request = change("POST", "/api/v1/reclaim");
  audit_->begin(request);
  audit_->end(*request.peer, nullptr);
  EXPECT_EQ(changes()["changes"][0]["status"], nullptr);
}

TEST_F(AuditTest, WhatIsAskedForMustBeUnderstood) {
  const auto detail = [&](const std::string& name, const std::string& value) {
    return changes({{name, value}})["detail"].get<std::string>();
  };
  EXPECT_EQ(detail("since", "1"), "there is no parameter 'since' here: there are limit, cursor");
  EXPECT_EQ(detail("limit", "0"), "limit takes a whole number from 1 to 1000, not '0'");
  EXPECT_EQ(detail("limit", "1001"), "limit takes a whole number from 1 to 1000, not '1001'");
  EXPECT_EQ(detail("cursor", "61756469743a30"),  // "audit:0"
            "the cursor names a change that is no longer remembered: leave it out to begin anew");
}

TEST_F(AuditTest, PagesGoOnBehindTheOneBefore) {
  for (int i = 0; i < 5; ++i) done(change("DELETE", fmt::format("/api/v1/leases/{}", i)), 200);
  static_cast<void>(changes());  // all is written
  Request request;
  request.method = "GET";
  request.path = "/api/v1/audit";
  request.query = {{"limit", "2"}};
  std::vector<std::string> seen;
  for (int page = 0; page < 3; ++page) {
    const Response answer = audit_->answer(request);
    const json document = json::parse(*answer.body);
    for (const json& each : document["changes"]) seen.push_back(each["what"]);
    const auto link = std::ranges::find(answer.headers, "Link", &Header::first);
    ASSERT_EQ(link != answer.headers.end(), page < 2);
    if (page == 2) break;
    const auto at = link->second.find("cursor=") + 7;
    request.query["cursor"] = link->second.substr(at, link->second.find('>') - at);
  }
  EXPECT_EQ(seen,
            (std::vector<std::string>{"DELETE /api/v1/leases/4", "DELETE /api/v1/leases/3", "DELETE /api/v1/leases/2",
                                      "DELETE /api/v1/leases/1", "DELETE /api/v1/leases/0"}));
}

TEST_F(AuditTest, ADiskThatTakesNothingIsSaid) {
  audit_ = std::make_unique<Audit>("/proc/none", clock_, log_);
  done(change("POST", "/api/v1/monitoring/stop"), 200);
  audit_ = nullptr;
  EXPECT_EQ(lines_->take().at(0),
            "error: a change is not written down: write /proc/none/audit.jsonl: No such file or directory");
}

}  // namespace
}  // namespace gpukeeper::service
