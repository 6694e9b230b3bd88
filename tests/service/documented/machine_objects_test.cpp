#include "service/documented/machine_objects.hpp"

#include <gtest/gtest.h>

#include "busy_machine.hpp"

namespace gpukeeper::service::documented {
namespace {

TEST(MachineObjectsTest, WhatTheComputerDoesNotTellIsNull) {
  const MachineFacts nothing;
  EXPECT_EQ(cpu_object(nothing).dump(),
            R"({"core_count":null,"frequency_max_mhz":null,"frequency_mhz":null,"load_average":null,)"
            R"("per_core_usage":[],"temperature_celsius":null,"thread_count":null,"timestamp":0.0,)"
            R"("usage_percent":null})");
  EXPECT_EQ(memory_answer(nothing, CommandLines::shown).dump(),
            R"({"memory":{"available_mb":null,"buffers_mb":null,"cached_mb":null,"free_mb":null,"timestamp":0.0,)"
            R"("total_mb":null,"used_mb":null,"used_percent":null},)"
            R"("swap":{"free_mb":null,"total_mb":null,"used_mb":null,"used_percent":null},)"
            R"("timestamp":0.0,"top_processes":[]})");
  EXPECT_EQ(disk_answer(nothing)["summary"].dump(),
            R"({"max_usage_percent":null,"total_disks":0,"total_free_mb":0,"total_used_mb":0})");
  EXPECT_EQ(network_answer(nothing)["summary"].dump(),
            R"({"active_connections":null,"active_interfaces":0,"total_bytes_recv":0,"total_bytes_recv_per_sec":null,)"
            R"("total_bytes_sent":0,"total_bytes_sent_per_sec":null})");
}

TEST(MachineObjectsTest, CommandLinesAreForThoseWhoMayReadThem) {
  const auto line = [](CommandLines lines) {
    return cpu_answer(busy_machine(), lines)["top_processes"][0]["command_line"];
  };
  EXPECT_EQ(line(CommandLines::shown), "/usr/bin/python3 train.py --epochs 90");
  EXPECT_EQ(line(CommandLines::hidden), nullptr);
}

TEST(MachineObjectsTest, WhatIsHighIsNamed) {
  MachineFacts facts = busy_machine();
  EXPECT_EQ(explanation(facts), "System load normal");
  facts.processors.usage = Percent(91.7);
  EXPECT_EQ(explanation(facts), "System load high due to: CPU usage 92%");
  facts.memory->available = from_mib(1'600);
  EXPECT_EQ(explanation(facts), "System load high due to: CPU usage 92%, memory usage 90%");
  EXPECT_EQ(explanation(MachineFacts()), "System load normal");
}

TEST(MachineObjectsTest, WhatAProcessDoesHasAWord) {
  struct Case {
    std::string name;
    std::string executable;
    std::string_view word;
  };
  const Case cases[] = {
      {"postgres", "/usr/lib/postgresql/15/bin/postgres", "database"},
      {"rsync", "", "backup"},
      {"gcc-12", "/usr/bin/gcc-12", "development"},
      {"systemd-journal", "/lib/systemd/systemd-journald", "system"},
      {"gccx", "/usr/bin/gccx", "unknown"},
      {"makeup", "", "unknown"},
      {"\xff\xfe", "/x/\x1b[31m", "unknown"},
      {"", "", "unknown"},
  };
  for (const Case& each : cases) {
    BusyProcess process;
    process.stat.name = each.name;
    if (!each.executable.empty()) process.facts.executable = each.executable;
    EXPECT_EQ(system_process_type(process), each.word) << each.name;
  }
  BusyProcess kernel;
  kernel.stat.flags = 0x00200000;
  EXPECT_EQ(system_process_type(kernel), "system");
  BusyProcess miner;
  miner.stat.name = "postgres";
  miner.facts.classification.kind = ProcessClass::mining;
  EXPECT_EQ(system_process_type(miner), "mining");
}

TEST(MachineObjectsTest, ANameMayHoldAnything) {
  MachineFacts facts = busy_machine();
  facts.processes.by_cpu[0].stat.name = "\xff\x1b[2J\n\"";
  const Response response = answer(200, cpu_answer(facts, CommandLines::shown));
  const Json document = Json::parse(*response.body);
  EXPECT_EQ(document["top_processes"][0]["name"], "\xEF\xBF\xBD\x1b[2J\n\"");
  EXPECT_EQ(response.body->find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace gpukeeper::service::documented
