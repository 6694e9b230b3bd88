#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>

#include "core/result.hpp"
#include "engine/playback.hpp"

namespace gpukeeper::service {

/// Sources and their engine in a thread of their own, opened, run and taken down there: a driver that hangs in any of
/// the three holds up nobody else.
///
/// Threads: every member may be called from any thread.
class EngineThread {
 public:
  using Open = std::function<Result<std::unique_ptr<Session>>()>;

  /// `period`: of the samples; nothing for the usual one, of a recording its own.
  explicit EngineThread(Open open, std::optional<std::chrono::nanoseconds> period = std::nullopt);
  /// Asks it to stop. A thread that hangs in a driver cannot be joined: it is let go, with all that it uses.
  ~EngineThread();
  EngineThread(const EngineThread&) = delete;
  EngineThread& operator=(const EngineThread&) = delete;

  /// Whether it was opened; nothing while that is not known.
  std::optional<Result<void>> opened() const;
  /// The same, once it is known; nothing when it is not within that time.
  std::optional<Result<void>> wait_until_opened(std::chrono::nanoseconds time) const;

  /// The latest; never null, empty before the first.
  std::shared_ptr<const Snapshot> snapshot() const;

  /// The fault journal as of the latest; never null.
  std::shared_ptr<const FaultList> faults() const;
  /// As Engine::faults_kept_in.
  std::string faults_kept_in() const;

  /// The silences as of the latest; never null, empty when there is no engine.
  std::shared_ptr<const SilenceList> silences() const;

  /// As the engine's; never null.
  std::shared_ptr<const EngineTrouble> trouble() const;

  /// Whether it has stopped by itself: a recording is over.
  bool played_out() const;

  /// As the engine's; null when there is no engine yet, or no more.
  std::shared_ptr<const History> history() const;
  std::shared_ptr<const std::vector<LeakSuspect>> leak_suspects() const;

  /// As Engine::post, of a command that gets the engine. Whether it was taken: false too when there is no engine yet,
  /// or no more.
  [[nodiscard]] bool post(std::function<void(Engine&)> command);

  /// As in Engine; off and not taken while there is none.
  bool monitor(bool on);
  bool monitoring() const;
  [[nodiscard]] bool when_fresh(std::function<void()> done);

  void ask_to_stop();

  /// Whether it has ended within that time, its files closed.
  bool wait(std::chrono::nanoseconds time);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace gpukeeper::service
