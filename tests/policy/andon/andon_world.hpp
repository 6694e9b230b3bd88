#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/snapshots.hpp"
#include "policy/andon/andon.hpp"

namespace gpukeeper {

/// Remembers what it was told: "fired thermal", by look.
class RecordingListener final : public AlertListener {
 public:
  void alerts_changed(const std::vector<AlertChange>& changes) override {
    for (const AlertChange& change : changes) {
      said.push_back(std::string(to_string(change.kind)) + " " + change.alert.rule);
      last = change.alert;
      origin = change.origin;
    }
  }
  std::vector<std::string> take() { return std::exchange(said, {}); }

  std::vector<std::string> said;
  Alert last;
  std::string origin;  ///< of the last
};

/// Healthy GPUs, whose readings a test spoils, and time that it moves.
class AndonTest : public testing::Test {
 protected:
  static Reading healthy() {
    Reading r{Missing::not_supported};
    r.temperature = Celsius(50);
    r.temperature_hotspot = Celsius(60);
    r.temperature_memory = Celsius(60);
    r.fan = Percent(40);
    r.utilization = Percent(30);
    r.memory_used = from_mib(1'000);
    r.memory_total = from_mib(10'000);
    r.power = Watts(100);
    r.power_limit = Watts(400);
    r.throttle_reasons = ThrottleReasons();
    r.pcie_generation = r.pcie_generation_max = Count(4);
    r.pcie_width = r.pcie_width_max = Count(16);
    r.ecc_uncorrected_volatile = Count(0);
    r.remapped_rows_failed = r.remapped_rows_pending = r.retired_pages_pending = false;
    return r;
  }

  AndonTest() {
    add_gpu("GPU-a", "0000:01:00.0");
    remake();
  }

  void add_gpu(const std::string& uuid, const std::string& pci) {
    const auto index = static_cast<std::uint32_t>(devices.size());
    devices.push_back(device(index, gpukeeper::facts(uuid, "NVIDIA H100 80GB HBM3", pci), healthy()));
  }

  /// Another Andon, as after a restart.
  void remake(AndonSettings settings = {}, std::shared_ptr<AlertStore> store = nullptr) {
    EXPECT_THAT(check(settings), testing::IsEmpty());
    andon.reset();
    andon = std::make_unique<Andon>(std::move(settings), std::move(store), &listener);
  }
  /// The rule alone, firing at once.
  void remake_for(const std::string& rule, RuleChange change = {}) {
    change.rule = rule;
    if (!change.sustain) change.sustain = std::chrono::seconds(0);
    AndonSettings settings;
    for (const Rule& each : rule_table()) {
      if (each.id != rule) settings.rules.push_back({.rule = std::string(each.id), .enabled = false});
    }
    settings.rules.push_back(change);
    remake(std::move(settings));
  }

  Reading& reading(std::size_t i = 0) { return devices[i].reading; }

  const Snapshot& look() {
    last = machine(devices);
    last.monotonic = MonotonicTime(std::chrono::hours(1)) + passed;
    last.taken_at = kThen + std::chrono::duration_cast<WallTime::duration>(passed) + wall_shift;
    for (DeviceSnapshot& d : last.devices) {
      if (d.available && !frozen) d.read_at = last.taken_at;
    }
    last.who = who;
    last.booked = booked;
    andon->look(last, inputs);
    return last;
  }
  const Snapshot& after(std::chrono::nanoseconds time) {
    passed += time;
    return look();
  }

  /// "thermal firing critical 80", by the list's order.
  std::vector<std::string> alerts() const {
    std::vector<std::string> result;
    for (const Alert& a : *last.alerts) {
      result.push_back(a.rule + (a.subject.empty() ? "" : "/" + a.subject) + " " + std::string(to_string(a.phase)) +
                       " " + std::string(to_string(a.level)) + " " + std::to_string(a.severity));
    }
    return result;
  }
  const Alert& alert(std::string_view rule, AlertPhase phase = AlertPhase::firing) const {
    for (const Alert& a : *last.alerts) {
      if (a.rule == rule && a.phase == phase) return a;
    }
    static const Alert kNone;
    ADD_FAILURE() << "no such alert: " << rule;
    return kNone;
  }
  bool fires(std::string_view rule) const {
    for (const Alert& a : *last.alerts) {
      if (a.rule == rule && a.phase == AlertPhase::firing) return true;
    }
    return false;
  }

  void lose(std::size_t i, std::string reason = "it fell off the bus") {
    devices[i].available = false;
    devices[i].reason = std::move(reason);
    devices[i].reading = Reading{Missing::failed};
  }
  void recover(std::size_t i) {
    devices[i].available = true;
    devices[i].reason.clear();
    devices[i].reading = healthy();
  }
  void sleep(std::size_t i) {
    devices[i].available = false;
    devices[i].reason = "asleep (runtime-suspended)";
    devices[i].reading = Reading{Missing::asleep};
    devices[i].reading.attention = Attention::asleep;
  }

  std::vector<DeviceSnapshot> devices;
  std::shared_ptr<const ProcessTable> who = std::make_shared<const ProcessTable>();
  std::shared_ptr<const Booked> booked;
  AndonFacts inputs;
  std::chrono::nanoseconds passed{0};
  WallTime::duration wall_shift{0};
  bool frozen = false;  // readings stay as old as they are
  RecordingListener listener;
  std::unique_ptr<Andon> andon;
  Snapshot last;
};

}  // namespace gpukeeper
