#include "format/faults_json.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "fakes/snapshots.hpp"
#include "format/faults_reader.hpp"

namespace gpukeeper {
namespace {

using nlohmann::json;

FaultRecord fault() {
  FaultRecord r;
  r.id = 12;
  r.kind = EventKind::xid;
  r.code = 79;
  r.device.text = "GPU-bbbb";
  r.pci = PciAddress::parse("0000:02:00.0");
  r.device_name = "NVIDIA H100 80GB HBM3";
  r.first = kThen;
  r.last = kThen + std::chrono::seconds(5);
  r.count = 2;
  r.severity = Severity::critical;
  r.detail = "GPU has fallen off the bus \xff";
  r.sources = {"nvml", "kernel log"};
  r.processes = {{.pid = 4242, .name = "py\x1b[2Jthon", .user = "alice", .container = "c0ffee", .blamed = true},
                 {.name = "ghost"}};
  fill_explanation(r);
  return r;
}

json made(FaultsView view) {
  return json::parse(faults_json(view, four_gpus(), false));
}

TEST(FaultsReaderTest, WhatWasWrittenIsReadBack) {
  FaultRecord plain;
  plain.id = 3;
  plain.kind = EventKind::driver;
  plain.count = 1;
  plain.sources = {"kernel log"};
  plain.simulated = true;
  fill_explanation(plain);
  FaultRecord known = fault();
  known.detail = "GPU has fallen off the bus";
  FaultsView view;
  view.faults = {std::make_shared<const FaultRecord>(known), std::make_shared<const FaultRecord>(plain)};
  view.totals = {{{"GPU-bbbb"}, EventKind::xid, Severity::critical, 3, kThen}};
  view.journal = "/var/lib/gpukeeper/faults.db";
  view.journal_note = "it was damaged and begun anew";
  const auto read = parse_faults(faults_json(view, four_gpus(), false));
  ASSERT_TRUE(read) << read.error().message;
  ASSERT_EQ(read->faults.size(), 2u);
  EXPECT_EQ(*read->faults[0], known);
  EXPECT_EQ(*read->faults[1], plain);
  EXPECT_EQ(read->totals, view.totals);
  EXPECT_EQ(made(*read), made(view));
}

TEST(FaultsReaderTest, WhatIsNoDocumentOfFaultsIsRefusedAndStrangeMembersAreAbsent) {
  for (const char* text : {"", "[]", "{}", R"({"schema": "gpukeeper.faults/2"})"}) {
    EXPECT_EQ(parse_faults(text).error(), (Error{Errc::invalid_argument, "is no document of gpukeeper.faults/1"}));
  }
  const auto read = parse_faults(R"({"schema": "gpukeeper.faults/1", "journal": 3, "totals": [null],
      "faults": [7, {"id": -1, "kind": "plague", "severity": 9, "sources": [1, "a"], "processes": [{"pid": "x"}]}]})");
  ASSERT_TRUE(read);
  ASSERT_EQ(read->faults.size(), 2u);
  EXPECT_EQ(read->faults[1]->sources, std::vector<std::string>{"a"});
  EXPECT_EQ(read->faults[1]->severity, Severity::info);
  EXPECT_EQ(read->faults[1]->processes->at(0).pid, 0);
}

TEST(FaultsJsonTest, AFaultHasAllItsMembers) {
  FaultsView view;
  view.faults = {std::make_shared<const FaultRecord>(fault())};
  view.totals = {{{"GPU-bbbb"}, EventKind::xid, Severity::critical, 3, kThen}};
  view.journal = "/var/lib/gpukeeper/faults.db";
  const json document = made(view);
  EXPECT_EQ(document["schema"], "gpukeeper.faults/1");
  EXPECT_EQ(document["journal"], json({{"place", "/var/lib/gpukeeper/faults.db"}, {"message", nullptr}}));
  const json& f = document["faults"][0];
  EXPECT_EQ(f["id"], 12);
  EXPECT_EQ(f["kind"], "xid");
  EXPECT_EQ(f["xid"], 79);
  EXPECT_EQ(f["uuid"], "GPU-bbbb");
  EXPECT_EQ(f["index"], 1);
  EXPECT_EQ(f["pci_address"], "0000:02:00.0");
  EXPECT_EQ(f["first_at"], "2026-05-28T20:26:40.000Z");
  EXPECT_EQ(f["last_at"], "2026-05-28T20:26:45.000Z");
  EXPECT_EQ(f["count"], 2);
  EXPECT_EQ(f["severity"], "critical");
  EXPECT_EQ(f["title"], "XID 79: the GPU has fallen off the bus");
  EXPECT_EQ(f["detail"], "GPU has fallen off the bus \xef\xbf\xbd") << "what is no UTF-8 is replaced";
  EXPECT_EQ(f["sources"], json({"nvml", "kernel log"}));
  EXPECT_EQ(
      f["processes"][0],
      json({{"pid", 4242}, {"name", "py\x1b[2Jthon"}, {"user", "alice"}, {"container", "c0ffee"}, {"blamed", true}}));
  EXPECT_EQ(f["processes"][1]["pid"], nullptr);
  EXPECT_EQ(document["totals"][0]["count"], 3);
}

TEST(FaultsJsonTest, WhatIsNotKnownIsNull) {
  FaultRecord r = fault();
  r.kind = EventKind::lost;
  r.device.text = "GPU-gone";
  r.pci.reset();
  r.device_name.clear();
  r.detail.clear();
  r.processes.reset();
  FaultsView view;
  view.faults = {std::make_shared<const FaultRecord>(r)};
  view.journal_note = "no journal is kept";
  const json document = made(view);
  for (const auto* name : {"xid", "index", "pci_address", "name", "detail", "processes"}) {
    EXPECT_EQ(document["faults"][0][name], nullptr) << name;
  }
  EXPECT_EQ(document["journal"], json({{"place", nullptr}, {"message", "no journal is kept"}}));
}

TEST(FaultsJsonTest, EveryRequiredMemberOfTheSchemaIsWritten) {
  FaultsView view;
  view.faults = {std::make_shared<const FaultRecord>(fault())};
  const json document = made(view);
  const json schema = json::parse(faults_schema());
  for (const auto& name : schema["required"]) EXPECT_TRUE(document.contains(name)) << name;
  const json& described = schema["$defs"]["fault"];
  for (const auto& name : described["required"]) EXPECT_TRUE(document["faults"][0].contains(name)) << name;
  EXPECT_EQ(described["required"].size(), document["faults"][0].size()) << "and no other";
  EXPECT_EQ(described["properties"].size(), described["required"].size());
}

}  // namespace
}  // namespace gpukeeper
