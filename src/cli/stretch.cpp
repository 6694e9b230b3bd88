#include "cli/stretch.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "config/session_options.hpp"
#include "format/human.hpp"

namespace gpukeeper::cli {
namespace {

using std::chrono::nanoseconds;

constexpr auto kUsualLive = std::chrono::seconds(10);
constexpr auto kWorthAWord = std::chrono::seconds(2);  // who waits longer wonders

std::optional<nanoseconds> length_of(const StretchOptions& options) {
  if (options.length) return options.length;
  if (names_recording(options.sources)) return std::nullopt;  // it has an end
  return is_played(options.sources) ? nanoseconds(kUsualPlayed) : nanoseconds(kUsualLive);
}

// How long a person waits for what is played at a pace; nothing where it is as fast as it goes.
std::optional<nanoseconds> time_to_wait(const Session& session, std::optional<nanoseconds> length,
                                        const Context& context) {
  const auto* playback = dynamic_cast<const PlaybackClock*>(&context.clock);
  if (!playback || !playback->speed()) return std::nullopt;
  nanoseconds played = length.value_or(nanoseconds::zero());
  if (const auto& replay = session.replay()) {
    const nanoseconds all = replay->end() - replay->begin();
    played = length ? std::min(*length, all) : all;
  }
  return std::chrono::duration_cast<nanoseconds>(played / *playback->speed());
}

}  // namespace

bool watches_stretch(std::string_view command) {
  constexpr std::array<std::string_view, 7> kCommands = {"alerts", "faults",   "forecast", "history",
                                                         "report", "throttle", "trend"};
  return std::ranges::find(kCommands, command) != kCommands.end();
}

bool is_played(const std::vector<std::string>& sources) {
  return !sources.empty() && std::ranges::all_of(sources, [](const std::string& source) {
    return source.starts_with("simulated:") || source.starts_with("replay:");
  });
}

Result<std::unique_ptr<Session>> watch_stretch(StretchOptions options, Context& context) {
  const auto interrupts = context.interrupts();  // before any thread is made
  auto configured = config::session_options(context.settings, options.attribute);
  if (!configured) return tl::make_unexpected(configured.error());
  const nanoseconds period = configured->engine.sampler.period;
  auto& stored = configured->engine.history.metrics;
  for (const std::string& name : options.metrics) {
    if (std::ranges::find(stored, name) == stored.end()) stored.push_back(name);
  }
  auto session = context.open_session(std::move(*configured));
  if (!session) return tl::make_unexpected(session.error());
  const auto length = length_of(options);
  if (!is_played(options.sources) && length) {
    context.remark(fmt::format("watching for {:g} s (Ctrl-C ends it); `gpukeeper serve` remembers a day",
                               std::chrono::duration<double>(*length).count()));
  }
  const bool recorded = names_recording(options.sources);
  const auto wait = time_to_wait(**session, length, context);
  if (wait && *wait >= kWorthAWord) {
    context.remark(fmt::format("playing for {} (Ctrl-C ends it)", age_text(*wait)));
  }
  std::optional<MonotonicTime> end;
  for (;;) {
    if (!options.each(*(*session)->step(), **session)) break;
    if (!end && length) end = context.clock.now() + *length;
    const auto due = (*session)->next_due(recorded ? std::nullopt : std::optional(period));
    if (!due || (end && *due > *end) || !wait_until_due(*interrupts, *due)) break;
  }
  return session;
}

}  // namespace gpukeeper::cli
