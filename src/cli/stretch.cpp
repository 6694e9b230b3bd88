#include "cli/stretch.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "config/session_options.hpp"

namespace gpukeeper::cli {
namespace {

using std::chrono::nanoseconds;

constexpr auto kUsualLive = std::chrono::seconds(10);

std::optional<nanoseconds> length_of(const StretchOptions& options) {
  if (options.length) return options.length;
  if (names_recording(options.sources)) return std::nullopt;  // it has an end
  return is_played(options.sources) ? nanoseconds(kUsualPlayed) : nanoseconds(kUsualLive);
}

}  // namespace

bool watches_stretch(std::string_view command) {
  constexpr std::array<std::string_view, 5> kCommands = {"alerts", "faults", "history", "throttle", "trend"};
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
