#include "backend/intel/intel_gt.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "backend/sysfs/sysfs_value.hpp"
#include "core/text.hpp"

namespace gpukeeper {
namespace {

using Names = std::set<std::string, std::less<>>;

Names names_in(const Files& files, const std::string& folder) {
  const auto names = files.list(folder);
  return names ? Names(names->begin(), names->end()) : Names{};
}

/// The first of `candidates` that the folder has, as a path; empty when it has none.
std::string first_of(const Names& names, const std::string& folder,
                     std::initializer_list<std::string_view> candidates) {
  for (const auto candidate : candidates) {
    if (names.contains(candidate)) return fmt::format("{}/{}", folder, candidate);
  }
  return {};
}

std::vector<unsigned> numbers_of(const Names& names, std::string_view prefix) {
  std::vector<unsigned> numbers;
  for (const auto& name : names) {
    if (const auto number = numbered(name, prefix)) numbers.push_back(*number);
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

std::vector<std::pair<std::string, Throttle>> reason_files(const Names& names, const std::string& folder,
                                                           std::string_view prefix) {
  std::vector<std::pair<std::string, Throttle>> files;
  for (const auto& name : names) {
    if (!name.starts_with(prefix)) continue;
    const auto word = std::string_view(name).substr(prefix.size());
    if (word != "status") files.emplace_back(fmt::format("{}/{}", folder, name), intel_throttle(word));
  }
  return files;
}

Metric<Megahertz> read_frequency(const Files& files, const std::string& path) {
  if (path.empty()) return missing(Missing::not_supported);
  const auto value = read_number(files, path);
  if (!value) return missing(value.error());
  return intel_frequency(*value);
}

/// A media GT holds video engines and no others; xe also says so in the name of its idle state ("gt1-mc", not
/// "gt0-rc").
bool is_media(const Files& files, const std::string& folder, bool named, bool later) {
  if (named) {
    const auto name = files.read(folder + "/gtidle/name");
    if (name && trim(*name).ends_with("-mc")) return true;
    if (name && trim(*name).ends_with("-rc")) return false;
  }
  const auto engines = names_in(files, folder + "/engines");
  if (!engines.empty()) return !engines.contains("rcs") && !engines.contains("ccs");
  return later;  // xe numbers GTs over the whole device, so what counts is that its tile has an earlier one
}

}  // namespace

Throttle intel_throttle(std::string_view word) {
  constexpr std::pair<std::string_view, Throttle> kWords[] = {
      {"pl1", Throttle::power},
      {"pl2", Throttle::power},
      {"pl4", Throttle::power},  // peak power and, on most platforms, the highest current
      {"psys_pl1", Throttle::power},
      {"psys_pl2", Throttle::power},
      {"psys_crit", Throttle::power},
      {"thermal", Throttle::thermal},
      {"soc_thermal", Throttle::thermal},
      {"soc_avg_thermal", Throttle::thermal},
      {"ratl", Throttle::thermal},  // running average thermal limit
      {"mem_thermal", Throttle::thermal_memory},
      {"vr_thermalert", Throttle::thermal_regulator},
      {"vr_thermal", Throttle::thermal_regulator},
      {"prochot", Throttle::prochot},
      {"vr_tdc", Throttle::current},  // thermal design current of the voltage regulator
      {"iccmax", Throttle::current},
      {"fastvmode", Throttle::voltage},
  };
  const auto* const found =
      std::find_if(std::begin(kWords), std::end(kWords), [&](const auto& row) { return row.first == word; });
  return found == std::end(kWords) ? Throttle::other : found->second;
}

Metric<Megahertz> intel_frequency(std::int64_t value) {
  constexpr std::int64_t kHertz = 100'000;
  if (value < 0) return missing(Missing::failed);
  const double megahertz = value > kHertz ? static_cast<double>(value) / 1e6 : static_cast<double>(value);
  if (megahertz > static_cast<double>(kHertz)) return missing(Missing::failed);
  return Megahertz(megahertz);
}

Metric<ThrottleReasons> IntelGt::read_throttle(const Files& files) const {
  ThrottleReasons reasons;
  if (!reasons_path_.empty()) {
    const auto text = read_text(files, reasons_path_);
    if (!text) return missing(text.error());
    for (const auto word : split(*text, ' ')) {
      if (!trim(word).empty() && trim(word) != "none") reasons.add(intel_throttle(trim(word)));
    }
    return reasons;
  }
  Metric<ThrottleReasons> result = missing(Missing::not_supported);
  if (!status_path_.empty()) {
    const auto status = read_number(files, status_path_);
    if (status && *status == 0) return reasons;  // no need to ask for each
    if (!status) result = missing(status.error());
    if (status) result = ThrottleReasons(Throttle::other);  // unless a file below tells which
  }
  for (const auto& [path, reason] : reason_paths_) {
    const auto set = read_number(files, path);
    if (!set) continue;
    if (*set != 0) reasons.add(reason);
    if (!result) result = reasons;
  }
  if (!reasons.empty()) return reasons;
  return result;
}

IntelGt::State IntelGt::read(const Files& files, MonotonicTime now, bool standing_still) {
  State state;
  state.clock = read_frequency(files, clock_path_);
  if (!clock_max_ || !*clock_max_) clock_max_ = read_frequency(files, clock_max_path_);
  state.clock_max = *clock_max_;
  state.throttle = read_throttle(files);
  if (!idle_path_.empty()) {
    const auto milliseconds =
        standing_still ? Metric<std::uint64_t>(missing(Missing::not_yet_read)) : read_count(files, idle_path_);
    if (milliseconds && *milliseconds < std::uint64_t{1} << 50) {
      state.busy = idle_.update(now, std::chrono::milliseconds(*milliseconds)).map([](Percent idle) {
        return Percent(100.0 - idle.value());
      });
    } else {
      state.busy = missing(milliseconds ? Missing::failed : milliseconds.error());
      idle_.reset();
    }
  }
  // All of these were listed, so "not there" now means that the driver took them away.
  state.lost = !clock_path_.empty() && !state.clock && state.clock.error() == Missing::not_supported;
  return state;
}

Metric<std::string> IntelGt::profile(const Files& files) const {
  if (profile_path_.empty()) return missing(Missing::not_supported);
  const auto text = read_text(files, profile_path_);
  if (!text) return missing(text.error());
  const auto open = text->find('[');  // "[base]    power_saving"
  const auto close = text->find(']', open == std::string::npos ? 0 : open);
  if (open == std::string::npos || close == std::string::npos || close == open + 1) return missing(Missing::failed);
  return text->substr(open + 1, close - open - 1);
}

std::vector<IntelGt> find_xe_gts(const Files& files, const std::string& device_folder) {
  std::vector<IntelGt> gts;
  for (const auto tile : numbers_of(names_in(files, device_folder), "tile")) {
    const auto tile_folder = fmt::format("{}/tile{}", device_folder, tile);
    const auto numbers = numbers_of(names_in(files, tile_folder), "gt");
    for (const auto number : numbers) {
      const auto folder = fmt::format("{}/gt{}", tile_folder, number);
      const auto inside = names_in(files, folder);
      const auto freq = names_in(files, folder + "/freq0");
      const auto idle = names_in(files, folder + "/gtidle");
      const auto throttle = names_in(files, folder + "/freq0/throttle");
      IntelGt gt;
      gt.tile = tile;
      gt.number = number;
      gt.media = is_media(files, folder, idle.contains("name"), number != numbers.front());
      gt.clock_path_ = first_of(freq, folder + "/freq0", {"act_freq", "cur_freq"});
      gt.clock_max_path_ = first_of(freq, folder + "/freq0", {"rp0_freq", "max_freq"});
      gt.profile_path_ = first_of(freq, folder + "/freq0", {"power_profile"});
      gt.idle_path_ = first_of(idle, folder + "/gtidle", {"idle_residency_ms"});
      gt.reasons_path_ = first_of(throttle, folder + "/freq0/throttle", {"reasons"});
      gt.status_path_ = first_of(throttle, folder + "/freq0/throttle", {"status"});
      gt.reason_paths_ = reason_files(throttle, folder + "/freq0/throttle", "reason_");
      gts.push_back(std::move(gt));
    }
  }
  return gts;
}

std::vector<IntelGt> find_i915_gts(const Files& files, const DrmCard& card, bool integrated) {
  std::vector<IntelGt> gts;
  const auto top = names_in(files, card.folder);
  for (const auto number : numbers_of(names_in(files, card.folder + "/gt"), "gt")) {
    const auto folder = fmt::format("{}/gt/gt{}", card.folder, number);
    const auto names = names_in(files, folder);
    IntelGt gt;
    // A processor's second GT is its media block (Meteor Lake); a card's is that of its second tile.
    gt.media = integrated && number > 0;
    gt.tile = integrated ? 0 : number;
    gt.number = number;
    gt.clock_path_ = first_of(names, folder, {"rps_act_freq_mhz", "rps_cur_freq_mhz"});
    gt.clock_max_path_ = first_of(names, folder, {"rps_RP0_freq_mhz", "rps_max_freq_mhz"});
    gt.idle_path_ = first_of(names, folder, {"rc6_residency_ms"});
    gt.status_path_ = first_of(names, folder, {"throttle_reason_status"});
    gt.reason_paths_ = reason_files(names, folder, "throttle_reason_");
    // With RC6 switched off the residency stands still and would read as busy.
    if (names.contains("rc6_enable") && read_number(files, folder + "/rc6_enable") == 0) gt.idle_path_.clear();
    gts.push_back(std::move(gt));
  }
  if (gts.empty()) gts.emplace_back();
  // Kernels before 5.19 have the first GT's files at the card only.
  IntelGt& first = gts.front();
  if (const auto power = names_in(files, card.folder + "/power"); first.idle_path_.empty() && gts.size() == 1) {
    const bool off = power.contains("rc6_enable") && read_number(files, card.folder + "/power/rc6_enable") == 0;
    if (!off) first.idle_path_ = first_of(power, card.folder + "/power", {"rc6_residency_ms"});
  }
  if (first.clock_path_.empty()) first.clock_path_ = first_of(top, card.folder, {"gt_act_freq_mhz", "gt_cur_freq_mhz"});
  if (first.clock_max_path_.empty()) {
    first.clock_max_path_ = first_of(top, card.folder, {"gt_RP0_freq_mhz", "gt_max_freq_mhz"});
  }
  return gts;
}

}  // namespace gpukeeper
