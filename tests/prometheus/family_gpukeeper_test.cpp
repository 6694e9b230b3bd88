#include "prometheus/family_gpukeeper.hpp"

#include <memory>
#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/snapshots.hpp"
#include "golden.hpp"

namespace gpukeeper::prometheus {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string written(MetricFacts facts, Syntax syntax = Syntax::text) {
  Exposition out(syntax);
  write_gpukeeper(out, facts);
  return std::move(out).finish();
}

MetricFacts of(Snapshot snapshot) {
  return {.snapshot = std::make_shared<const Snapshot>(std::move(snapshot)), .version = "0.6.0"};
}

Alert alert(std::string rule, AlertLevel level, AlertPhase phase, std::optional<std::uint32_t> index = 0) {
  Alert result;
  result.rule = std::move(rule);
  result.level = level;
  result.phase = phase;
  result.device_index = index;
  if (index) result.device = DeviceId{"GPU-aaaa"};
  return result;
}

// Everything that there can be: GPUs that do not answer, a ledger, alerts, faults.
MetricFacts everything() {
  Snapshot snapshot = four_gpus();
  snapshot.devices[0].reading.performance_state = std::string("P0");
  snapshot.devices[0].reading.ecc_enabled = true;
  snapshot.devices[0].reading.energy = Joules(1234.5);
  snapshot.devices[0].reading.faults = Count(3);
  snapshot.devices[1].throttling.state = State::critical;
  snapshot.devices[1].throttling.requests = {{.cause = ThrottleCause::thermal, .multiplier = 0.5}};
  snapshot.alerts = std::make_shared<const AlertList>(
      AlertList{alert("thermal", AlertLevel::critical, AlertPhase::firing),
                alert("thermal", AlertLevel::critical, AlertPhase::resolved),
                alert("power", AlertLevel::warning, AlertPhase::pending),
                alert("sampling_stalled", AlertLevel::warning, AlertPhase::firing, std::nullopt)});
  Booked booked;
  booked.devices.push_back({.id = {"GPU-aaaa"}, .capacity = from_mib(80'000), .available = from_mib(10'000)});
  booked.devices.back().booked = from_mib(70'000);
  booked.devices.back().leases = 2;
  booked.overused.push_back({.id = 7, .device = {"GPU-aaaa"}});
  snapshot.booked = std::make_shared<const Booked>(std::move(booked));
  snapshot.event_sources = {{"kernel log", false, "Permission denied"}};
  snapshot.self.cpu = std::chrono::milliseconds(1500);
  snapshot.self.resident = from_mib(12);
  snapshot.self.driver = {42, std::chrono::milliseconds(7)};
  MetricFacts facts = of(std::move(snapshot));
  FaultList faults;
  faults.totals = {{.device = {"GPU-aaaa"}, .kind = EventKind::xid, .severity = Severity::error, .count = 3},
                   {.device = {"GPU-gone"}, .kind = EventKind::gpu_reset, .severity = Severity::critical, .count = 1},
                   {.device = {}, .kind = EventKind::driver, .severity = Severity::info, .count = 2}};
  facts.faults = std::make_shared<const FaultList>(std::move(faults));
  facts.self.tick.observe(std::chrono::microseconds(800));
  facts.self.lag.observe(std::chrono::microseconds(60));
  facts.self.lost_sources = {{"nvml", 1}};
  facts.self.lost_devices = {{"nvml", 2}};
  facts.self.answers = {{200, 41}, {404, 1}};
  facts.self.answering = std::chrono::milliseconds(9);
  facts.sinks = {{.name = "ops", .sent = 3, .waiting = 1, .dropped = 0}};
  facts.queues = {{"history", 0}, {"leases", 2}};
  facts.failed_steps = 1;
  return facts;
}

TEST(FamilyGpukeeperTest, IsAsItWasReviewed) {
  expect_golden(written(everything()), "gpukeeper.txt");
  expect_golden(written(everything(), Syntax::openmetrics), "gpukeeper.openmetrics");
}

TEST(FamilyGpukeeperTest, WhatIsAbsentIsNoLine) {
  const std::string text = written(of(four_gpus()));
  EXPECT_THAT(text, HasSubstr("gpukeeper_temperature_celsius{gpu=\"0\",uuid=\"GPU-aaaa\"} 64\n"));
  EXPECT_THAT(text, Not(HasSubstr("gpukeeper_temperature_celsius{gpu=\"2\"")));  // asleep
  EXPECT_THAT(text, Not(HasSubstr("gpukeeper_temperature_celsius{gpu=\"3\"")));  // does not answer
  EXPECT_THAT(text, Not(HasSubstr("gpukeeper_fan_rpm")));                        // no GPU has it: no head either
  EXPECT_THAT(text, Not(HasSubstr("gpukeeper_ledger")));                         // nobody books
}

TEST(FamilyGpukeeperTest, PercentBecomeRatiosAndMegahertzHertz) {
  const std::string text = written(of(four_gpus()));
  EXPECT_THAT(text, HasSubstr("gpukeeper_fan_ratio{gpu=\"0\",uuid=\"GPU-aaaa\"} 0.45\n"));
  EXPECT_THAT(text, HasSubstr("gpukeeper_utilization_ratio{gpu=\"0\",uuid=\"GPU-aaaa\"} 0.974\n"));
  EXPECT_THAT(text, HasSubstr("gpukeeper_clock_graphics_hertz{gpu=\"0\",uuid=\"GPU-aaaa\"} 1980000000\n"));
}

TEST(FamilyGpukeeperTest, BeforeTheFirstLookThereIsOnlyGpukeeperItself) {
  EXPECT_EQ(written({.version = "0.6.0"}),
            "# HELP gpukeeper_alerts Alerts, silenced and acknowledged ones too, by level and phase.\n"
            "# TYPE gpukeeper_alerts gauge\n"
            "gpukeeper_alerts{level=\"info\",phase=\"pending\"} 0\n"
            "gpukeeper_alerts{level=\"info\",phase=\"firing\"} 0\n"
            "gpukeeper_alerts{level=\"warning\",phase=\"pending\"} 0\n"
            "gpukeeper_alerts{level=\"warning\",phase=\"firing\"} 0\n"
            "gpukeeper_alerts{level=\"critical\",phase=\"pending\"} 0\n"
            "gpukeeper_alerts{level=\"critical\",phase=\"firing\"} 0\n"
            "# HELP gpukeeper_build_info The gpukeeper that says all this.\n"
            "# TYPE gpukeeper_build_info gauge\n"
            "gpukeeper_build_info{version=\"0.6.0\"} 1\n"
            "# HELP gpukeeper_snapshots_total Looks at the GPUs since it was started.\n"
            "# TYPE gpukeeper_snapshots_total counter\n"
            "gpukeeper_snapshots_total 0\n"
            "# HELP gpukeeper_http_answering_seconds_total Time that finding these answers took, waiting included.\n"
            "# TYPE gpukeeper_http_answering_seconds_total counter\n"
            "gpukeeper_http_answering_seconds_total 0\n"
            "# HELP gpukeeper_event_clients Clients that listen to events over HTTP.\n"
            "# TYPE gpukeeper_event_clients gauge\n"
            "gpukeeper_event_clients 0\n");
}

TEST(FamilyGpukeeperTest, PartitionsAreToldApartAndHaveNoGovernedState) {
  const std::string text = written(of(split_gpu()));
  EXPECT_THAT(text, HasSubstr("gpukeeper_memory_used_bytes{gpu=\"0:1\",uuid=\"MIG-1\"} 2097152000\n"));
  EXPECT_THAT(text, HasSubstr("partition=\"3g.40gb (GPU instance 2)\""));
  EXPECT_THAT(text, Not(HasSubstr("gpukeeper_state{gpu=\"0:1\"")));
  EXPECT_THAT(text, Not(HasSubstr("gpukeeper_processes{gpu=\"0:1\"")));
}

TEST(FamilyGpukeeperTest, SimulatedGpusSaySo) {
  EXPECT_THAT(written(of(simulated_gpu())), HasSubstr("source=\"simulated\",simulated=\"true\",recorded=\"false\""));
}

TEST(FamilyGpukeeperTest, WhatDriversAndProcessesSayCannotBreakALine) {
  Snapshot snapshot = four_gpus();
  Device hostile = *snapshot.devices[0].device;
  hostile.id.text = "GPU-\"}\n evil 1\n";
  hostile.name = std::string("\xff\xfe\x1b[2J\\", 7);
  snapshot.devices[0].device = std::make_shared<const Device>(hostile);
  snapshot.devices[0].reading.performance_state = std::string("P0\"} 7\nmore{x=\"");
  ProcessFacts facts = mara_trains(1);
  facts.place = ProcessPlace{.unit = "a\"b\\c\n.service"};
  set_processes(snapshot.devices[0], {told(process(1, "x", 5), facts)});
  const std::string text = written(of(snapshot));
  EXPECT_THAT(text, HasSubstr(R"(gpukeeper_temperature_celsius{gpu="0",uuid="GPU-\"}? evil 1?"} 64)"));
  EXPECT_THAT(text, HasSubstr(R"(name="???[2J\\")"));
  EXPECT_THAT(text, HasSubstr(R"(performance_state="P0\"} 7?more{x=\"")"));
  EXPECT_THAT(text, HasSubstr(R"(service="a\"b\\c?.service"} 5242880)"));
  EXPECT_THAT(text, Not(HasSubstr("\n evil")));
}

TEST(FamilyGpukeeperTest, TextsThatAreTheSameAsLabelsAreOneSeries) {
  Snapshot snapshot = four_gpus();
  snapshot.sources = {{"a\n", true, "", 1}, {"a\t", false, "gone", 2}};
  const std::string text = written(of(snapshot));
  EXPECT_THAT(text, HasSubstr("gpukeeper_source_available{source=\"a?\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("gpukeeper_source_gpus{source=\"a?\"} 3\n"));
}

TEST(FamilyGpukeeperTest, SaysHowPlacesDoThatReadingsAreTakenTo) {
  MetricFacts facts = of(four_gpus());
  EXPECT_THAT(written(facts), Not(HasSubstr("gpukeeper_export")));  // nowhere is no line
  facts.exports = {{.name = "database", .up = true, .sent = 80},
                   {.name = "otlp",
                    .sent = 7,
                    .waiting = 3,
                    .waiting_bytes = 900,
                    .dropped = 2,
                    .refused = 4,
                    .failures = 5,
                    .error = "x"}};
  const std::string text = written(facts);
  EXPECT_THAT(text, HasSubstr("gpukeeper_export_up{export=\"database\"} 1\ngpukeeper_export_up{export=\"otlp\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("gpukeeper_export_sent_total{export=\"database\"} 80\n"));
  EXPECT_THAT(text, HasSubstr("gpukeeper_export_waiting{export=\"otlp\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("gpukeeper_export_waiting_bytes{export=\"otlp\"} 900\n"));
  EXPECT_THAT(text, HasSubstr("gpukeeper_export_dropped_total{export=\"otlp\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("gpukeeper_export_refused_total{export=\"database\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("gpukeeper_export_refused_total{export=\"otlp\"} 4\n"));
  EXPECT_THAT(text, HasSubstr("gpukeeper_export_failures_total{export=\"otlp\"} 5\n"));
}

TEST(FamilyGpukeeperTest, SaysThatTheLedgerIsClosed) {
  Snapshot snapshot = four_gpus();
  snapshot.booked = std::make_shared<const Booked>(Booked{.closed = "the disk is full"});
  EXPECT_THAT(written(of(snapshot)), HasSubstr("gpukeeper_ledger_open 0\n"));
}

}  // namespace
}  // namespace gpukeeper::prometheus
