#include "cli/run_meter.hpp"

#include <algorithm>
#include <csignal>
#include <cstring>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/memory_size.hpp"
#include "cli/notes.hpp"
#include "core/display_text.hpp"
#include "format/human.hpp"
#include "format/json_text.hpp"

namespace gpukeeper::cli {
namespace {

const RunLook::Gpu* find(const RunLook& look, const std::string& id) {
  const auto found = std::ranges::find(look.gpus, id, &RunLook::Gpu::id);
  return found == look.gpus.end() ? nullptr : &*found;
}

// What a counter grew by; nothing where it is not known, or was set back meanwhile.
std::optional<double> growth(const std::optional<double>& from, const std::optional<double>& to) {
  if (!from || !to || *to < *from) return std::nullopt;
  return *to - *from;
}

std::string seconds_text(double seconds) {
  if (seconds < 60) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<std::uint64_t>(seconds + 0.5);
  if (whole < 3600) return fmt::format("{} min {} s", whole / 60, whole % 60);
  return fmt::format("{} h {} min", whole / 3600, whole % 3600 / 60);
}

double seconds_of(std::chrono::nanoseconds time) {
  return std::chrono::duration<double>(time).count();
}

std::string energy_text(double joules) {
  constexpr double kWattHour = 3600;
  if (joules < 10'000) return fmt::format("{:.0f} J", joules);
  return fmt::format("{:.0f} kJ ({:.1f} Wh)", joules / 1000, joules / kWattHour);
}

std::string known(const std::optional<double>& seconds) {
  return seconds ? seconds_text(*seconds) : "not reported";
}

}  // namespace

void RunMeter::add(const RunLook& look, bool running) {
  if (!first_) {
    first_ = look;
    for (const RunLook::Gpu& gpu : look.gpus) gpus_.push_back({.id = gpu.id, .index = gpu.index});
    watt_seconds_.resize(gpus_.size());
    power_known_.resize(gpus_.size());
  }
  const double passed = last_ ? seconds_of(look.at - last_->at) : 0;
  for (std::size_t i = 0; last_ && i < gpus_.size(); ++i) {
    const RunLook::Gpu* now = find(look, gpus_[i].id);
    if (now == nullptr) continue;
    if (now->busy_percent)
      gpus_[i].busy_seconds = gpus_[i].busy_seconds.value_or(0) + *now->busy_percent / 100 * passed;
    if (!now->power_watts) continue;
    watt_seconds_[i] += *now->power_watts * passed;
    power_known_[i] = true;
  }
  ++looks_;
  last_ = look;
  if (!running || !look.memory) return;
  peak_ = std::max(peak_.value_or(Bytes(0)), *look.memory);
  memory_sum_ += static_cast<double>(look.memory->value());
  ++memory_looks_;
}

RunUse RunMeter::use() const {
  RunUse use{.gpus = gpus_, .peak = peak_, .looks = looks_};
  if (memory_looks_ > 0) use.mean = Bytes(static_cast<std::uint64_t>(memory_sum_ / static_cast<double>(memory_looks_)));
  for (std::size_t i = 0; i < use.gpus.size(); ++i) {
    RunUse::Gpu& gpu = use.gpus[i];
    const RunLook::Gpu* from = find(*first_, gpu.id);
    const RunLook::Gpu* to = find(*last_, gpu.id);
    if (from == nullptr || to == nullptr) continue;
    gpu.energy_joules = growth(from->energy_joules, to->energy_joules);
    gpu.energy_counted = gpu.energy_joules.has_value();
    if (!gpu.energy_joules && power_known_[i]) gpu.energy_joules = watt_seconds_[i];
    gpu.capped_seconds = growth(from->capped_seconds, to->capped_seconds);
    gpu.too_hot_seconds = growth(from->too_hot_seconds, to->too_hot_seconds);
    if (gpu.busy_seconds) use.gpu_seconds = use.gpu_seconds.value_or(0) + *gpu.busy_seconds;
  }
  return use;
}

std::string render_run(const RunAccount& account, const RenderOptions& options) {
  const RunUse& use = account.use;
  std::string text;
  const auto line = [&](std::string_view label, const std::string& what) {
    const Span first{fmt::format("  {:<8}", label), Ink::faint};
    const Span next{std::string(display_width(first.text), ' ')};
    for (const std::string& each : wrapped(first, next, {what}, options)) text += each + "\n";
  };
  const std::string end = account.signal != 0
                              ? fmt::format("was ended by signal {} ({})", account.signal, ::strsignal(account.signal))
                              : fmt::format("ended with {}", account.status);
  const std::string name = account.command.empty() ? "" : harmless(account.command.front(), options.utf8);
  for (const std::string& each :
       wrapped({},
               {fmt::format("{} {} after {}; lease {}", name, end, seconds_text(seconds_of(account.wall)),
                            fmt::join(account.leases, ", ")),
                Ink::strong},
               options)) {
    text += each + "\n";
  }
  line("memory",
       use.peak && use.mean
           ? fmt::format("{} at most, {} on average, of {} booked", size_text(use.peak->value()),
                         size_text(use.mean->value()), size_text(account.booked.value()))
           : fmt::format("{} booked; used: not known, {}", size_text(account.booked.value()), account.memory_unknown));
  for (const RunUse::Gpu& gpu : use.gpus) {
    const std::string label = gpu.index ? fmt::format("GPU {}", *gpu.index) : "GPU";
    const double wall = seconds_of(account.wall);
    std::string busy = gpu.busy_seconds ? fmt::format("busy for {}", seconds_text(*gpu.busy_seconds))
                                        : std::string("how busy it was is not reported");
    if (gpu.busy_seconds && wall > 0)
      busy += fmt::format(" ({:.0f} %)", std::min(100.0, 100 * *gpu.busy_seconds / wall));
    line(label,
         fmt::format("{}; {}", busy,
                     gpu.energy_joules ? fmt::format("{}{}, of the whole board", gpu.energy_counted ? "" : "about ",
                                                     energy_text(*gpu.energy_joules))
                                       : std::string("its energy is not reported")));
    line("", fmt::format("slowed by its power limit: {}, by heat: {}", known(gpu.capped_seconds),
                         known(gpu.too_hot_seconds)));
  }
  if (use.gpus.empty()) line("GPU", "it ended before anybody looked at it");
  if (account.governed) line("held up", fmt::format("{} by the governor", seconds_text(seconds_of(account.held))));
  return text;
}

std::string run_json(const RunAccount& account) {
  const auto number = [](const std::optional<double>& value) { return value ? to_json(MetricValue(*value)) : Json(); };
  const auto bytes = [](const std::optional<Bytes>& value) { return value ? Json(value->value()) : Json(); };
  Json gpus = Json::array();
  for (const RunUse::Gpu& gpu : account.use.gpus) {
    gpus.push_back({{"uuid", gpu.id},
                    {"index", or_null(gpu.index)},
                    {"busy_seconds", number(gpu.busy_seconds)},
                    {"energy_joules", number(gpu.energy_joules)},
                    {"throttle_power_seconds", number(gpu.capped_seconds)},
                    {"throttle_thermal_seconds", number(gpu.too_hot_seconds)}});
  }
  return dump({{"schema", "gpukeeper.run/1"},
               {"command", account.command},
               {"service", account.service},
               {"leases", account.leases},
               {"exit_status", account.status},
               {"signal", account.signal == 0 ? Json() : Json(account.signal)},
               {"wall_seconds", number(seconds_of(account.wall))},
               {"gpu_seconds", number(account.use.gpu_seconds)},
               {"booked_bytes", account.booked.value()},
               {"memory_peak_bytes", bytes(account.use.peak)},
               {"memory_mean_bytes", bytes(account.use.mean)},
               {"memory_reason", account.use.peak ? Json() : text_or_null(account.memory_unknown)},
               {"held_seconds", account.governed ? number(seconds_of(account.held)) : Json()},
               {"looks", account.use.looks},
               {"gpus", std::move(gpus)}},
              false);
}

}  // namespace gpukeeper::cli
