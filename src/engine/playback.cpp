#include "engine/playback.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "core/rfc3339.hpp"
#include "core/text.hpp"
#include "yaml/values.hpp"

namespace gpukeeper {
namespace {

using recording::Offset;

// How much of what came before a moment is played to know how things stood then: alerts last, a device was lost, the
// governor holds on to what was. Not all of it: a recording may be of a week, and a minute of eight GPUs takes 60 ms.
constexpr auto kBefore = std::chrono::minutes(10);
// As fast as it may go and as slowly: a day in a tenth of a second, a second in a quarter of an hour.
constexpr double kFastest = 1e6;
constexpr double kSlowest = 1e-3;

bool is_recording(std::string_view source) {
  return source.starts_with("replay:");
}

bool is_simulated(std::string_view source) {
  return source.starts_with("simulated:");
}

std::string in_words(Offset length) {
  const auto seconds = length.count() / 1000;
  if (seconds >= 3600) return fmt::format("{}h{:02}m{:02}s", seconds / 3600, seconds / 60 % 60, seconds % 60);
  if (seconds >= 60) return fmt::format("{}m{:02}s", seconds / 60, seconds % 60);
  return fmt::format("{}s", seconds);
}

std::optional<Offset> parse_distance(std::string_view text) {
  auto seconds = parse_double(text);
  if (!seconds) seconds = yaml::parse_duration(text);
  if (!seconds || !(*seconds >= 0 && *seconds <= 1e9)) return std::nullopt;
  return Offset(std::llround(*seconds * 1000));
}

}  // namespace

Result<Speed> parse_speed(std::string_view text) {
  if (text == "max") return Speed();
  const auto factor = parse_double(text);
  if (factor && *factor >= kSlowest && *factor <= kFastest) return Speed(*factor);
  return fail(Errc::invalid_argument,
              fmt::format("--speed takes a number from {} to {:.0f}, or max, not '{}'", kSlowest, kFastest, text));
}

bool names_recording(std::span<const std::string> sources) {
  return std::ranges::any_of(sources, is_recording);
}

Result<std::shared_ptr<Clock>> clock_for(std::span<const std::string> sources, std::optional<Speed> speed, Speed usual,
                                         std::shared_ptr<Clock> real) {
  if (names_recording(sources)) return std::make_shared<PlaybackClock>(std::move(real), speed.value_or(usual));
  if (!speed) return real;
  if (sources.empty() || !std::ranges::all_of(sources, is_simulated)) {
    return fail(Errc::invalid_argument,
                "--speed is for recordings and simulated machines (--source replay:FILE or simulated:FILE): a machine "
                "that lives has a time of its own");
  }
  return std::make_shared<PlaybackClock>(std::move(real), *speed);
}

Result<Offset> find_moment(std::string_view text, const Replay& replay) {
  const auto wrong = [&](std::string_view why) {
    const WallTime started = replay.header().started;
    return fail(Errc::invalid_argument,
                fmt::format("--at {}: {}; the recording lasts {}, from {} to {}", text, why,
                            in_words(replay.end() - replay.begin()), rfc3339(started + replay.begin()),
                            rfc3339(started + replay.end())));
  };
  std::optional<Offset> at;
  if (const auto date = parse_rfc3339(text)) {
    at = std::chrono::floor<Offset>(*date - replay.header().started);
  } else if (text.starts_with('-')) {
    if (const auto distance = parse_distance(text.substr(1))) at = replay.end() - *distance;
  } else if (const auto distance = parse_distance(text)) {
    at = replay.begin() + *distance;
  }
  if (!at) return wrong("takes seconds or a duration from the begin (90, 1h30m), from the end (-30s), or a date");
  if (*at < replay.begin() || *at > replay.end()) return wrong("that moment was not recorded");
  return *at;
}

Session::Session(Sources sources, std::shared_ptr<Clock> clock, std::shared_ptr<PlaybackClock> playback,
                 EngineOptions options)
    : clock_(std::move(clock)),
      playback_(std::move(playback)),
      replay_(sources.replay),
      engine_(std::move(sources), clock_, std::move(options)) {}

Result<std::unique_ptr<Session>> Session::open(std::span<const std::string> sources, std::shared_ptr<Clock> clock,
                                               SessionOptions options) {
  if (options.at && !names_recording(sources)) {
    return fail(Errc::invalid_argument, "--at is for recordings (--source replay:FILE)");
  }
  auto opened = open_sources(sources, clock, options.detect);
  if (!opened) return tl::make_unexpected(opened.error());
  std::optional<Offset> first;
  if (const auto& replay = opened->replay) {
    if (options.begin_at_end) first = replay->end();
    if (options.at) {
      const auto at = find_moment(*options.at, *replay);
      if (!at) return tl::make_unexpected(at.error());
      first = *at;
    }
  }
  if (const auto prepared = options.prepare(*opened, options.engine); !prepared) {
    return tl::make_unexpected(prepared.error());
  }
  auto playback = std::dynamic_pointer_cast<PlaybackClock>(clock);
  std::unique_ptr<Session> session(
      new Session(std::move(*opened), std::move(clock), std::move(playback), std::move(options.engine)));
  session->first_ = first;
  return session;
}

std::shared_ptr<const Snapshot> Session::step() {
  const auto target = std::exchange(first_, std::nullopt);
  if (!target || !playback_) return engine_.step();
  replay_->play_from(std::max(replay_->begin(), *target - kBefore));
  auto snapshot = engine_.step();
  for (auto next = replay_->next_frame(); next && *next <= replay_->time_of(*target); next = replay_->next_frame()) {
    playback_->move_to(*next);
    snapshot = engine_.step();
  }
  return snapshot;
}

void Session::run(std::optional<std::chrono::nanoseconds> period, std::stop_token stop) {
  if (!playback_) return engine_.run(std::move(stop));
  // A period that was set may be set anew.
  const auto pace = [&] { return period ? std::optional(engine_.period()) : std::nullopt; };
  for (std::optional<MonotonicTime> due = clock_->now(); due; due = next_due(pace())) {
    engine_.rest_until(*clock_, *due, stop);
    if (stop.stop_requested()) return;
    if (engine_.monitoring()) step();
  }
  played_out_ = true;
  SystemClock real;
  while (!stop.stop_requested()) engine_.rest_until(real, real.now() + std::chrono::hours(1), stop);
}

std::optional<MonotonicTime> Session::next_due(std::optional<std::chrono::nanoseconds> period) {
  if (replay_ && (!period || ended())) return replay_->next_frame();
  const auto now = clock_->now();
  due_ = std::max(due_.value_or(now) + period.value_or(std::chrono::seconds(1)), now);
  if (replay_ && *due_ > replay_->time_of(replay_->end())) return std::nullopt;
  return due_;
}

Result<void> play(std::span<const std::string> sources, PlayOptions options,
                  const std::function<bool(const Snapshot&)>& each) {
  return play(sources, std::move(options), [&](const Snapshot& snapshot, Session&) { return each(snapshot); });
}

Result<void> play(std::span<const std::string> sources, PlayOptions options,
                  const std::function<bool(const Snapshot&, Session&)>& each) {
  const bool recorded = names_recording(sources);
  if (!recorded && !options.length) {
    return fail(Errc::invalid_argument, "a source that is no recording has no end: say how long it is to be played");
  }
  auto clock = clock_for(sources, options.speed, {}, std::make_shared<SystemClock>());
  if (!clock) return tl::make_unexpected(clock.error());
  const auto session =
      Session::open(sources, *clock, {.engine = std::move(options.engine), .at = std::move(options.at)});
  if (!session) return tl::make_unexpected(session.error());

  std::optional<MonotonicTime> end;
  for (std::optional<MonotonicTime> due = (*clock)->now(); due && !options.stop.stop_requested();) {
    (*clock)->sleep_until(*due, options.stop);
    if (!each(*(*session)->step(), **session)) break;
    if (!end && options.length) end = (*clock)->now() + *options.length;
    due = (*session)->next_due(recorded ? std::nullopt : std::optional(options.period));
    if (due && end && *due > *end) break;
  }
  return {};
}

}  // namespace gpukeeper
