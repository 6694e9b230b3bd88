#include "policy/andon/silences.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/display_text.hpp"
#include "core/glob.hpp"

namespace gpukeeper {
namespace {

bool is_for(const AlertMatcher& matcher, const Alert& alert, const Device* device) {
  if (matcher.level && *matcher.level != alert.level) return false;
  if (!fits(matcher.rule, alert.rule)) return false;
  if (matcher.device == "*") return true;
  if (!alert.device) return fits(matcher.device, "machine");
  if (device) return is_meant(matcher.device, *device, alert.device_index.value_or(0));
  return fits(matcher.device, alert.device->text);  // not listed now: its UUID is all that is known
}

}  // namespace

bool is_meant(std::string_view glob, const Device& device, std::uint32_t index) {
  return fits(glob, device.id.text) || fits(glob, device.name) || fits(glob, fmt::format("{}", index)) ||
         (device.pci && fits(glob, device.pci->to_string()));
}

void Silences::restore(const SilenceList& saved, std::uint64_t last_number, MonotonicTime now, WallTime wall) {
  last_number_ = last_number;
  for (const Silence& silence : saved) {
    if (!silence.until || *silence.until <= wall) continue;
    timed_.push_back({silence, now + (*silence.until - wall)});
  }
  ++version_;
}

void Silences::set_standing(const std::vector<StandingSilence>& standing, WallTime wall) {
  standing_.clear();
  for (const StandingSilence& each : standing) {
    standing_.push_back({.matcher = {each.rule, each.device, each.level},
                         .begun = wall,
                         .by = "configuration",
                         .comment = each.comment});
  }
  ++version_;
}

Result<Silence> Silences::add(AlertMatcher matcher, std::chrono::nanoseconds length, std::string by,
                              std::string comment, MonotonicTime now, WallTime wall) {
  if (length <= std::chrono::nanoseconds::zero() || length > kLongest) {
    return fail(Errc::invalid_argument, fmt::format("a silence lasts from a moment to 365 days, not {} s",
                                                    std::chrono::duration<double>(length).count()));
  }
  if (timed_.size() >= kMost) {
    return fail(Errc::resource_exhausted, fmt::format("there are {} silences already; end some of them", kMost));
  }
  Silence silence{.id = fmt::format("{}", ++last_number_),
                  .matcher = std::move(matcher),
                  .begun = wall,
                  .until = wall + std::chrono::duration_cast<WallTime::duration>(length),
                  .by = std::move(by),
                  .comment = std::move(comment)};
  timed_.push_back({silence, now + length});
  ++version_;
  return silence;
}

Result<void> Silences::remove(std::string_view id) {
  if (id.empty()) {
    return fail(Errc::not_permitted, "a silence of the configuration ends when it is taken out of the configuration");
  }
  const auto gone = std::erase_if(timed_, [&](const Timed& each) { return each.silence.id == id; });
  if (gone == 0) {
    return fail(Errc::not_found,
                fmt::format("there is no silence '{}'; gpukeeper alerts silences lists those there are",
                            fit(harmless(id), 40)));
  }
  ++version_;
  return {};
}

bool Silences::expire(MonotonicTime now) {
  const auto gone = std::erase_if(timed_, [&](const Timed& each) { return each.ends <= now; });
  if (gone > 0) ++version_;
  return gone > 0;
}

Silences::Fit Silences::of(const Alert& alert, const Device* device) const {
  for (const Silence& each : standing_) {
    if (is_for(each.matcher, alert, device)) return {.silenced = true, .until = std::nullopt};
  }
  Fit result;
  for (const Timed& each : timed_) {
    if (!is_for(each.silence.matcher, alert, device)) continue;
    result.silenced = true;
    if (!result.until || *result.until < *each.silence.until) result.until = each.silence.until;
  }
  return result;
}

SilenceList Silences::of_people() const {
  SilenceList result;
  for (const Timed& each : timed_) result.push_back(each.silence);
  return result;
}

SilenceList Silences::list() const {
  SilenceList result = standing_;
  for (const Timed& each : timed_) result.push_back(each.silence);
  return result;
}

}  // namespace gpukeeper
