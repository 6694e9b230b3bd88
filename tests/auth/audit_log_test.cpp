#include "auth/audit_log.hpp"

#include <filesystem>

#include <sys/stat.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "fakes/temporary_folder.hpp"

namespace gpukeeper::auth {
namespace {

using testing::ElementsAre;
using Json = nlohmann::json;

AuditEntry entry() {
  return {.at = WallTime(std::chrono::seconds(1'780'000'000)),
          .who = "token ci (1a2b3c4d)",
          .role = Role::operator_,
          .from = "10.0.0.9",
          .what = "POST /api/v1/leases",
          .asked = R"({"service": "a"})",
          .status = 201,
          .answer = R"({"leases": []})"};
}

TEST(AuditLogTest, ALineSaysWhoDidWhat) {
  EXPECT_EQ(audit_line(entry()),
            R"x({"at":"2026-05-28T20:26:40.000Z","who":"token ci (1a2b3c4d)","role":"operator","from":"10.0.0.9",)x"
            R"x("what":"POST /api/v1/leases","status":201,"asked":{"service":"a"},"new":{"leases":[]}})x");
}

TEST(AuditLogTest, OfTheConfigurationItSaysWhatWasAndWhatIsAndNotTheBody) {
  AuditEntry change = entry();
  change.what = "PATCH /api/v1/config";
  change.from.clear();
  change.asked = R"({"sinks": [{"url": "http://user:secret@x"}]})";
  change.answer = R"({"changed": [{"key": "temp_throttle", "from": 85, "to": 80}, 7], "saved": false})";
  const auto line = Json::parse(audit_line(change));
  EXPECT_EQ(line["from"], "unix socket");
  EXPECT_EQ(line["old"], (Json{{"temp_throttle", 85}}));
  EXPECT_EQ(line["new"], (Json{{"temp_throttle", 80}}));
  EXPECT_FALSE(line.contains("asked"));
  change.answer = "{}";
  EXPECT_EQ(audit_line(change).find("secret"), std::string::npos);
}

TEST(AuditLogTest, WhatMayBeAnythingStaysOneLineOfJson) {
  AuditEntry odd = entry();
  odd.who = "a\nb\xff";
  odd.asked = "no json \x1b[2J\n";
  odd.answer = std::string(1 << 20, 'x');
  odd.status = 0;
  const std::string text = audit_line(odd);
  EXPECT_EQ(text.find('\n'), text.npos);
  EXPECT_LT(text.size(), 3 * kMostAuditText);
  const auto line = Json::parse(text);
  EXPECT_EQ(line["asked"], "no json \x1b[2J\n");
  EXPECT_EQ(line["status"], nullptr);
}

TEST(AuditLogTest, TheNewestAreRememberedOverARestart) {
  const TemporaryFolder folder;
  {
    AuditLog log(folder.path());
    for (const std::string line : {"1", "2", "3"}) ASSERT_TRUE(log.add(line));
    EXPECT_THAT(log.latest(2), ElementsAre("3", "2"));
  }
  EXPECT_THAT(AuditLog(folder.path()).latest(9), ElementsAre("3", "2", "1"));
  struct stat facts {};
  ASSERT_EQ(::stat((folder.path() / "audit.jsonl").c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 07777u, 0600u);
}

TEST(AuditLogTest, TheFilesAreBounded) {
  const TemporaryFolder folder;
  AuditLog log(folder.path(), 100);
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(log.add(std::string(30, 'x')));
  std::size_t files = 0;
  for (const auto& file : std::filesystem::directory_iterator(folder.path())) {
    ++files;
    EXPECT_LE(file.file_size(), 100u);
  }
  EXPECT_EQ(files, AuditLog::kKept + 1);
}

TEST(AuditLogTest, WhatCannotBeWrittenIsRememberedAndSaid) {
  AuditLog log("/proc/none");
  const auto kept = log.add("1");
  ASSERT_FALSE(kept);
  EXPECT_EQ(kept.error().message, "write /proc/none/audit.jsonl: No such file or directory");
  EXPECT_THAT(log.latest(9), ElementsAre("1"));
}

}  // namespace
}  // namespace gpukeeper::auth
