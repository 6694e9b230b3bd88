#include "actuators/amdgpu_clocks.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "backend/amdgpu/pp_dpm.hpp"
#include "core/text.hpp"

namespace gpukeeper {
namespace {

constexpr std::string_view kLevel = "/power_dpm_force_performance_level";
constexpr std::string_view kRange = "/pp_od_clk_voltage";
constexpr std::string_view kLevels = "/pp_dpm_sclk";
constexpr std::string_view kByDriver = "auto";
constexpr std::string_view kByHand = "manual";
constexpr std::size_t kFewestLevels = 3;  // newer boards name their lowest and highest clock only

// "auto 2100": the performance level, and a clock in MHz.
struct Choice {
  std::string level;
  std::uint64_t clock = 0;
};

std::optional<Choice> parse_choice(std::string_view text) {
  const auto words = split(text, ' ');
  const auto clock = words.size() >= 2 ? parse_u64(words[1]) : std::nullopt;
  if (!clock) return std::nullopt;
  return Choice{std::string(words[0]), *clock};
}

std::uint64_t bound_of(double multiplier, double highest, double low) {
  return static_cast<std::uint64_t>(std::llround(multiplier <= 0.5 ? low : std::max(low, highest * multiplier)));
}

std::string spell_choice(const std::string& value) {
  const auto choice = parse_choice(value);
  if (!choice || choice->level == kByDriver) return "the driver's own choice";
  return fmt::format("up to {} MHz", choice->clock);
}

class AmdgpuClocks : public Actuator {
 public:
  AmdgpuClocks(const DeviceId& device, std::string folder, std::string_view file, Percent lowest, const Files& files,
               KernelFiles& writes)
      : name_{ActuatorKind::locked_clocks, device, folder + std::string(file)},
        folder_(std::move(folder)),
        lowest_(lowest),
        files_(files),
        writes_(writes) {}

  const ActuatorName& name() const override { return name_; }
  std::string spell(const std::string& value) const override { return spell_choice(value); }

 protected:
  Result<std::string> level() const {
    const auto text = files_.read(folder_ + std::string(kLevel));
    if (!text) return tl::make_unexpected(text.error());
    return std::string(trim(*text));
  }
  Result<void> set_level(std::string_view level) const { return writes_.write(folder_ + std::string(kLevel), level); }
  Result<std::string> table() const { return files_.read(name_.place); }
  Result<void> write(std::string_view text) const { return writes_.write(name_.place, text); }
  double lowest_of(double highest) const { return highest * lowest_.value() / 100; }

 private:
  const ActuatorName name_;
  const std::string folder_;
  const Percent lowest_;
  const Files& files_;
  KernelFiles& writes_;
};

// "OD_SCLK:\n0: 500Mhz\n1: 2100Mhz\n": two clocks, and no voltages beside them as older boards have them.
std::optional<std::pair<std::uint64_t, std::uint64_t>> clock_range(std::string_view table) {
  const auto begin = table.find("OD_SCLK:");
  if (begin == std::string_view::npos) return std::nullopt;
  std::vector<std::uint64_t> clocks;
  for (const auto line : lines(table.substr(table.find('\n', begin) + 1))) {
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || !parse_u64(trim(line.substr(0, colon)))) break;  // the next table
    const std::string value = to_lower(trim(line.substr(colon + 1)));
    if (!value.ends_with("mhz")) return std::nullopt;
    const auto clock = parse_u64(std::string_view(value).substr(0, value.size() - 3));
    if (!clock || *clock > 100'000) return std::nullopt;
    clocks.push_back(*clock);
  }
  if (clocks.size() != 2) return std::nullopt;
  return std::pair(clocks[0], clocks[1]);
}

class RangeClocks final : public AmdgpuClocks {
 public:
  using AmdgpuClocks::AmdgpuClocks;

  Result<std::string> look() override {
    const auto mode = level();
    if (!mode) return mode;
    const auto text = table();
    if (!text) return text;
    const auto range = clock_range(*text);
    if (!range) return fail(Errc::internal, fmt::format("read {}: there is no range of clocks", name().place));
    least_ = range->first;
    return fmt::format("{} {}", *mode, range->second);
  }

  // The driver rounds to its own steps.
  bool is_ours(const std::string& now, const std::string& set) const override {
    const auto is = parse_choice(now);
    const auto ours = parse_choice(set);
    if (!is || !ours || is->level != ours->level) return false;
    return std::abs(static_cast<double>(is->clock) - static_cast<double>(ours->clock)) <=
           0.02 * static_cast<double>(ours->clock);
  }

  std::optional<std::string> wish(double multiplier, const std::string& found) override {
    const auto usual = parse_choice(found);
    if (!usual || usual->level != kByDriver || usual->clock == 0) return std::nullopt;
    const auto highest = static_cast<double>(usual->clock);
    const double low = std::max(lowest_of(highest), static_cast<double>(least_));
    const auto bound = bound_of(multiplier, highest, low);
    if (bound >= usual->clock) return std::nullopt;
    return fmt::format("{} {}", kByHand, bound);
  }

  Result<void> set(const std::string& value) override {
    const auto choice = parse_choice(value);
    if (!choice) return fail(Errc::invalid_argument, "no bound for clocks: " + value);
    if (auto manual = set_level(kByHand); !manual) return manual;
    if (auto bound = write(fmt::format("s 1 {}", choice->clock)); !bound) return bound;
    return write("c");
  }

  // The level last, and whatever became of the clock: in `auto` the driver is at least its own master again.
  Result<void> give_back(const std::string& found) override {
    const auto choice = parse_choice(found);
    const auto clock = set(found);
    const auto mode = set_level(choice ? choice->level : std::string(kByDriver));
    return clock ? mode : clock;
  }

 private:
  std::uint64_t least_ = 0;  // MHz; known after the first look
};

// "manual 1200 0 1 2": up to that clock, by these levels.
class LevelClocks final : public AmdgpuClocks {
 public:
  using AmdgpuClocks::AmdgpuClocks;

  // Which levels may be used nobody can ask; the clock is that of the highest there is.
  Result<std::string> look() override {
    const auto mode = level();
    if (!mode) return mode;
    const auto text = table();
    if (!text) return text;
    levels_ = parse_dpm_levels(*text);
    const auto highest = highest_clock(levels_);
    return fmt::format("{} {:.0f}", *mode, highest ? highest->value() : 0);
  }

  bool is_ours(const std::string& now, const std::string&) const override {
    const auto is = parse_choice(now);
    return is && is->level == kByHand;
  }

  std::optional<std::string> wish(double multiplier, const std::string& found) override {
    const auto usual = parse_choice(found);
    if (levels_.empty() && !look()) return std::nullopt;
    if (!usual || usual->level != kByDriver || usual->clock == 0) return std::nullopt;
    const auto highest = static_cast<double>(usual->clock);
    const double low = lowest_of(highest);
    const auto bound = static_cast<double>(bound_of(multiplier, highest, low));
    const auto chosen = level_for(bound, low);
    if (!chosen || *chosen >= highest) return std::nullopt;
    std::vector<std::size_t> usable;
    for (std::size_t i = 0; i < levels_.size(); ++i) {
      if (levels_[i].clock.value() <= *chosen) usable.push_back(i);
    }
    return fmt::format("{} {:.0f} {}", kByHand, *chosen, fmt::join(usable, " "));
  }

  Result<void> set(const std::string& value) override {
    const auto words = split(value, ' ');
    if (words.size() < 3) return fail(Errc::invalid_argument, "no levels of clocks: " + value);
    if (auto manual = set_level(kByHand); !manual) return manual;
    return write(fmt::format("{}", fmt::join(words.begin() + 2, words.end(), " ")));
  }

  // In `auto` the driver uses all levels again.
  Result<void> give_back(const std::string& found) override {
    const auto choice = parse_choice(found);
    return set_level(choice ? choice->level : std::string(kByDriver));
  }

  Result<std::string> effective() override {
    const auto text = table();
    if (!text) return text;
    const auto now = starred_clock(parse_dpm_levels(*text));
    if (!now) return fail(Errc::not_supported, "the driver does not say which level it uses");
    return fmt::format("runs at {:.0f} MHz", now->value());
  }

 private:
  // The fastest level within the bound; where there is none that is fast enough, the slowest that is.
  std::optional<double> level_for(double bound, double low) const {
    std::optional<double> within;
    std::optional<double> above;
    for (const DpmLevel& level : levels_) {
      const double clock = level.clock.value();
      if (clock < low) continue;
      auto& best = clock <= bound ? within : above;
      if (!best || (clock <= bound ? clock > *best : clock < *best)) best = clock;
    }
    return within ? within : above;
  }

  std::vector<DpmLevel> levels_;
};

}  // namespace

std::unique_ptr<Actuator> amdgpu_clocks(const DeviceId& device, const std::string& folder, Percent lowest,
                                        const Files& files, KernelFiles& writes) {
  if (!files.read(folder + std::string(kLevel))) return nullptr;
  const auto range = files.read(folder + std::string(kRange));
  if (range && clock_range(*range)) {
    return std::make_unique<RangeClocks>(device, folder, kRange, lowest, files, writes);
  }
  const auto levels = files.read(folder + std::string(kLevels));
  if (!levels || parse_dpm_levels(*levels).size() < kFewestLevels) return nullptr;
  return std::make_unique<LevelClocks>(device, folder, kLevels, lowest, files, writes);
}

}  // namespace gpukeeper
