#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "top/keys.hpp"
#include "top/model.hpp"
#include "top/view.hpp"

// Machines to look at, made by hand.
namespace gpukeeper::top {

using namespace std::chrono_literals;

inline constexpr WallTime kNow{1'780'000'000s};  // 2026-05-28T20:26:40Z

inline DeviceSnapshot sample_gpu(std::uint32_t index) {
  auto device = std::make_shared<Device>();
  device->id = {fmt::format("GPU-{:02}", index)};
  device->vendor = Vendor::nvidia;
  device->name = "NVIDIA H200";
  DeviceSnapshot d;
  d.index = index;
  d.device = device;
  d.available = true;
  d.state = State::optimal;
  d.lamp = Lamp::green;
  d.read_at = kNow;
  Reading r{Missing::not_supported};
  r.utilization = Percent(50.0 + index % 50);
  r.memory_total = Bytes(140ull << 30);
  r.memory_used = Bytes(70ull << 30);
  r.power = Watts(350);
  r.power_limit = Watts(700);
  r.temperature = Celsius(60);
  r.temperature_slowdown = Celsius(92);
  r.clock_graphics = Megahertz(1980);
  r.throttle_reasons = ThrottleReasons();
  d.reading = r;
  return d;
}

inline std::shared_ptr<const ProcessFacts> sample_facts(std::int64_t pid, const std::string& user,
                                                        std::string command) {
  auto facts = std::make_shared<ProcessFacts>();
  facts->pid = pid;
  facts->user = user;
  facts->command_line = std::move(command);
  facts->cpu = Percent(100);
  facts->started = kNow - 2h;
  facts->start_ticks = 4711;
  facts->place = ProcessPlace{.unit = user + ".service"};
  facts->classification.kind = ProcessClass::ml_training;
  return facts;
}

inline GpuProcess sample_process(std::int64_t pid, std::uint64_t gib, const std::string& user,
                                 const std::string& command) {
  GpuProcess process{.pid = pid, .name = "python3"};
  process.memory = Bytes(gib << 30);
  process.utilization = Percent(40);
  process.facts = sample_facts(pid, user, command);
  return process;
}

inline Alert sample_alert() {
  return {.id = "7",
          .rule = "thermal",
          .device = DeviceId{"GPU-00"},
          .device_index = 0,
          .level = AlertLevel::critical,
          .phase = AlertPhase::firing,
          .message = "GPU 0 is at 91 °C.",
          .remedy = "Look at its fans.",
          .since = kNow - 5min};
}

/// A machine of so many GPUs, two processes on the first.
inline Snapshot sample_machine(std::uint32_t gpus) {
  Snapshot snapshot;
  snapshot.sequence = 1;
  snapshot.taken_at = kNow;
  snapshot.host = "node1";
  snapshot.lamp = Lamp::green;
  for (std::uint32_t i = 0; i < gpus; ++i) snapshot.devices.push_back(sample_gpu(i));
  if (gpus > 0) {
    snapshot.devices[0].processes = std::make_shared<const std::vector<GpuProcess>>(
        std::vector{sample_process(4001, 20, "mara", "python3 train.py --epochs 3"),
                    sample_process(4002, 50, "bob", "vllm serve llama")});
  }
  return snapshot;
}

/// What a screen shows of it, with what the user does.
struct Picture {
  Model model;
  Ui ui;
  Preferences preferences;
  std::size_t width = 80, height = 24;

  explicit Picture(Snapshot snapshot) { show(std::move(snapshot)); }

  void show(Snapshot snapshot) {
    News news = model.news();
    news.snapshot = std::make_shared<const Snapshot>(std::move(snapshot));
    take(std::move(news));
  }
  void take(News news) {
    model.take(std::move(news));
    model.look_at(MonotonicTime(), kNow, 0s);
  }
  Frame frame() {
    settle(model, ui, preferences, width, height);
    return draw({model, ui, preferences}, width, height);
  }
  std::string text() { return frame().canvas.text(); }
  /// The first line that has this text; empty when none has.
  std::string line_with(std::string_view wanted) {
    const std::string all = text();
    const auto at = all.find(wanted);
    if (at == std::string::npos) return {};
    const auto begin = all.rfind('\n', at) + 1;
    return all.substr(begin, all.find('\n', at) - begin);
  }
  Wishes press(Key::Code code, char32_t character = 0) {
    const Frame shown = frame();
    return top::press({.code = code, .character = character}, model, ui, preferences, shown);
  }
  Wishes type(std::string_view letters) {
    Wishes last;
    for (const char c : letters) last = press(Key::Code::character, static_cast<char32_t>(c));
    return last;
  }
};

}  // namespace gpukeeper::top
