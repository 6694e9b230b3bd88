#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "backend/detect.hpp"
#include "backend/replay/replay.hpp"
#include "core/clock.hpp"
#include "core/playback_clock.hpp"
#include "engine/engine.hpp"

// Time that a command plays instead of living through it: recordings, and simulated machines at another speed.
namespace gpukeeper {

/// How many times as fast as real time; nothing: as fast as the work goes.
using Speed = std::optional<double>;

/// "60", "0.5" or "max". Errors: invalid_argument for anything else.
Result<Speed> parse_speed(std::string_view text);

/// Whether one of the sources is a recording.
bool names_recording(std::span<const std::string> sources);

/// The clock for these sources: `real` for all that live; one that is played for a recording, at `usual` speed where
/// `speed` does not say otherwise, and for a simulated machine that is given a speed.
/// Errors: invalid_argument for a speed with a source that lives.
Result<std::shared_ptr<Clock>> clock_for(std::span<const std::string> sources, std::optional<Speed> speed, Speed usual,
                                         std::shared_ptr<Clock> real);

/// A moment of a recording: "90" or "1h30m" after its begin, "-30s" before its end, or a date as RFC 3339 has them.
/// Errors: invalid_argument for a text that is none of these, or a moment that the recording does not hold.
Result<recording::Offset> find_moment(std::string_view text, const Replay& replay);

struct SessionOptions {
  DetectOptions detect;
  EngineOptions engine;
  /// Of a recording: where to begin (find_moment); nothing for the usual place.
  std::optional<std::string> at;
  /// Where a recording usually begins: at its end for who wants to know how things stand, else at its begin.
  bool begin_at_end = false;
  /// Changes the sources and what the engine is to do with them before they are used: for who wants to listen, or must
  /// know what was opened. Its error is that of open().
  std::function<Result<void>(Sources&, EngineOptions&)> prepare = [](Sources&, EngineOptions&) {
    return Result<void>();
  };
};

/// Sources, opened, and an engine that steps through their time.
/// Threads: one, but for what engine() is asked.
class Session {
 public:
  /// `clock`: what clock_for gave for these sources.
  /// Errors: those of open_sources and of `prepare`; invalid_argument for `at` with a source that is no recording.
  static Result<std::unique_ptr<Session>> open(std::span<const std::string> sources, std::shared_ptr<Clock> clock,
                                               SessionOptions options);

  /// What is known now; never null. The first step into the midst of a recording takes some more: the ten minutes
  /// before it is played, so that what needs several readings to be known (a hang, an error that lasts) is known.
  std::shared_ptr<const Snapshot> step();

  /// Steps whenever it is due until stopped; commands do not wait for that. A recording that is over stays as it was.
  void run(std::optional<std::chrono::nanoseconds> period, std::stop_token stop);

  /// When the next step is due: a recording's next frame, or a period after the one before where one is given or there
  /// is no recording; what is late is skipped, not made up for. Nothing when the recording is over.
  std::optional<MonotonicTime> next_due(std::optional<std::chrono::nanoseconds> period);

  /// Whether a recording has no more to show.
  bool ended() { return replay_ && !replay_->next_frame(); }

  /// What of it may be called from any thread: snapshot(), faults(), history(), post() and the like.
  Engine& engine() { return engine_; }

  /// Whether run() has come to a recording's end. From any thread.
  bool played_out() const { return played_out_; }

  const std::vector<Finding>& findings() const { return engine_.findings(); }
  /// The recording; null when there is none.
  const std::shared_ptr<Replay>& replay() const { return replay_; }

 private:
  Session(Sources sources, std::shared_ptr<Clock> clock, std::shared_ptr<PlaybackClock> playback,
          EngineOptions options);

  const std::shared_ptr<Clock> clock_;
  const std::shared_ptr<PlaybackClock> playback_;  // the same, where time is played
  const std::shared_ptr<Replay> replay_;
  std::optional<recording::Offset> first_;  // the moment of the first step, until it is made
  std::optional<MonotonicTime> due_;        // of the latest step
  std::atomic<bool> played_out_ = false;
  Engine engine_;
};

struct PlayOptions {
  EngineOptions engine;
  Speed speed;  ///< nothing: as fast as it goes
  /// Of a source that is no recording: a recording has its own pace.
  std::chrono::nanoseconds period = std::chrono::seconds(1);
  /// No more than this much of their time; must be given for a source that is no recording, as it has no end.
  std::optional<std::chrono::nanoseconds> length;
  std::optional<std::string> at;  ///< of a recording: where to begin
  std::stop_token stop;
};

/// Plays a recording from begin to end, or simulated machines for a while, and hands every snapshot to `each`, until it
/// answers false. This is how all faults of a recording are found, and how one is converted.
/// Errors: those of clock_for and Session::open; invalid_argument for a source without an end and without a length.
Result<void> play(std::span<const std::string> sources, PlayOptions options,
                  const std::function<bool(const Snapshot&)>& each);

/// As above, for who wants what has come together until then, too.
Result<void> play(std::span<const std::string> sources, PlayOptions options,
                  const std::function<bool(const Snapshot&, Session&)>& each);

}  // namespace gpukeeper
