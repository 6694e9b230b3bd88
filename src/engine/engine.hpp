#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "attribution/attributor.hpp"
#include "backend/detect.hpp"
#include "core/clock.hpp"
#include "core/published.hpp"
#include "core/wakeable_sleep.hpp"
#include "engine/command_queue.hpp"
#include "engine/engine_settings.hpp"
#include "engine/engine_trouble.hpp"
#include "faults/fault_journal.hpp"
#include "policy/andon/andon.hpp"
#include "policy/event_dispatcher.hpp"
#include "policy/governor.hpp"
#include "proc/host_load.hpp"
#include "telemetry/history.hpp"
#include "telemetry/leak_watch.hpp"
#include "telemetry/runner.hpp"
#include "telemetry/sampler.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper {

/// What a step of the engine took.
struct StepCost {
  std::chrono::nanoseconds took{};  ///< by real time, even where that of the devices is played
  std::optional<std::chrono::nanoseconds>
      late;  ///< how much later than due it began; nothing of one that was asked for
};

struct EngineOptions {
  SamplerOptions sampler;
  /// Whether Snapshot::who says who the processes are. It costs a look into /proc at those processes that the devices
  /// name, on a thread of its own.
  bool attribute = false;
  /// How long a step waits for that, so that already the first snapshot says it. Zero never waits: then the facts come
  /// with a later snapshot, as suits a process that goes on.
  std::chrono::nanoseconds who_patience{0};
  bool wait_for_cpu_shares = true;  ///< that too: for a second look, 10 ms later
  std::shared_ptr<const Classifier> classifier =
      nullptr;  ///< tells what kind of work they do; null: the built-in rules
  /// Adds to what a snapshot says of processes what others know: how Kubernetes calls their pods. On the engine's
  /// thread, in each step, so it waits for nobody. Null: nobody knows more.
  std::function<void(Snapshot&)> name_pods = nullptr;
  HistorySettings history;
  /// Where the fault journal outlives this process; null: it is kept in memory. Loaded by the constructor.
  std::shared_ptr<FaultStore> fault_store = nullptr;
  GovernorSettings governor = {};  ///< must pass check()
  /// Which processes work under a lease: to these the governor does not yield. Asked on the engine's thread.
  IsOurs is_ours = Governor::nothing_is_ours;
  /// Gets what the governor tells, each time after the snapshot is published; null: nobody hears of it.
  std::shared_ptr<EventDispatcher> events = nullptr;
  AndonSettings andon = {};  ///< must pass check()
  /// Where alerts, acknowledgements and silences outlive this process; null: in memory. Loaded by the constructor.
  std::shared_ptr<AlertStore> alert_store = nullptr;
  /// Is told what is new about alerts, on the engine's thread; null: nobody. Outlives the engine.
  AlertListener* alert_listener = nullptr;
  /// What is booked of the devices, for Snapshot::booked; asked on the engine's thread, and null where nobody books.
  std::function<std::shared_ptr<const Booked>()> booked = nullptr;
  /// Gets each snapshot once it is published, on the engine's thread: it only hands it over. Null: nobody.
  std::function<void(const std::shared_ptr<const Snapshot>&)> on_snapshot = nullptr;
  /// Is told of each step once it is over. As above.
  std::function<void(const Snapshot&, const StepCost&)> on_step = nullptr;
};

/// Everything that turns sources into snapshots, wired: whoever wants to know what the devices do has one of these.
///
/// Over a PlaybackClock no call is given up before time is moved; over any other, real deadlines hold.
/// What fails in a step harms neither its other parts nor the next: trouble() counts it, an alert tells of it
/// (sampling_stalled), and what the failed part said last holds on.
/// Threads: step(), run() and rest_until() belong to one thread, the engine's; all else may be called from any.
class Engine {
 public:
  Engine(Sources sources, std::shared_ptr<Clock> clock, EngineOptions options = {});

  /// Reads every device once and returns what is known then; never null.
  std::shared_ptr<const Snapshot> step();

  /// Steps once a period until stopped, while monitoring is on. A late step is skipped, not made up for. Commands and
  /// who waits for a sample do not wait for it. No exception ends it.
  void run(std::stop_token stop);

  /// Sleeps until then by that clock or a stop; commands that come meanwhile are done at once.
  void rest_until(Clock& clock, MonotonicTime until, const std::stop_token& stop);

  /// Has something done on the engine's thread, where everything that a step uses may be changed: by run() and
  /// rest_until() at once, else by the next step before its snapshot is completed. In the order posted. What is not
  /// done when the engine ends is dropped. Whether it was taken: false when CommandQueue::kMost wait.
  [[nodiscard]] bool post(CommandQueue::Command command);

  /// Takes other settings from the next step on; a period counts from the step before. For commands (post) only.
  void configure(const EngineSettings& settings);

  /// From step to step. For the engine's thread only.
  std::chrono::nanoseconds period() const { return period_; }

  /// Turns the steps of run() on, at once, or off; returns at once. Whether that was a change. There is one loop, so
  /// however often it is turned there are never two.
  bool monitor(bool on);
  bool monitoring() const { return monitoring_; }

  /// Calls back, on the engine's thread, once there is a snapshot no older than kFresh when it is called: for those who
  /// ask while nothing is monitored. All who ask meanwhile share one step. Whether it was taken: false when kMostAskers
  /// wait. While the engine ends, and without run(), nobody is called back.
  [[nodiscard]] bool when_fresh(std::function<void()> done);

  static constexpr std::chrono::milliseconds kFresh{100};  ///< drivers renew their values at most so often
  static constexpr std::size_t kMostAskers = 1024;

  /// The latest; never null, empty before the first step.
  std::shared_ptr<const Snapshot> snapshot() const { return published_.read(); }

  /// The fault journal as of the latest step; never null.
  std::shared_ptr<const FaultList> faults() const { return journal_.list(); }

  /// Where that journal outlives this process, such as /var/lib/gpukeeper/faults.db; empty when nowhere.
  const std::string& faults_kept_in() const { return faults_kept_in_; }

  /// What went wrong in steps until now; never null.
  std::shared_ptr<const EngineTrouble> trouble() const { return trouble_.read(); }

  /// The clock of the devices.
  const Clock& clock() const { return *clock_; }

  /// What the devices did until the latest step; never null, and it outlives the engine. Its const members may be
  /// called from any thread.
  std::shared_ptr<const History> history() const { return history_; }

  /// New lengths for it, from now on; its metrics stay.
  void resize_history(const HistorySettings& settings) { history_->resize(settings); }

  /// The processes that a memory leak is suspected of as of the latest step; never null.
  std::shared_ptr<const std::vector<LeakSuspect>> leak_suspects() const { return leak_suspects_.read(); }

  /// For commands (post) only: to the engine's thread belongs what it holds.
  Governor& governor() { return governor_; }

  /// For commands (post) only, as above.
  Andon& andon() { return andon_; }

  /// The silences as of the latest step or command; never null.
  std::shared_ptr<const SilenceList> silences() const { return andon_.silences(); }

  /// What `auto` looked for; empty when sources were named.
  const std::vector<Finding>& findings() const { return findings_; }

 private:
  void tick();
  void try_tick();
  void rest(Clock& clock, MonotonicTime until, const std::stop_token& stop);
  void answer_askers();
  void finish(Snapshot& snapshot);
  void look_back(const Snapshot& snapshot);
  template <class Work>
  bool attempt(std::string_view part, Work work);
  void note_trouble(std::string_view part, std::string_view what);
  void follow_the_date() const;

  const std::shared_ptr<Clock> clock_;
  const SystemClock real_;
  std::chrono::nanoseconds period_;
  std::atomic<bool> monitoring_ = true;
  CommandQueue commands_;
  std::mutex askers_mutex_;
  std::vector<std::function<void()>> askers_;  // guarded by askers_mutex_
  WakeableSleep sleep_;
  const std::vector<Finding> findings_;
  const std::string faults_kept_in_;
  const std::shared_ptr<Replay> replay_;          // null unless the sources are those of a recording
  const std::unique_ptr<Attributor> attributor_;  // null when nobody asks who the processes are
  const decltype(EngineOptions::name_pods) name_pods_;
  Published<Snapshot> published_;
  FaultJournal journal_;
  const std::shared_ptr<History> history_;
  LeakWatch leaks_;
  Published<std::vector<LeakSuspect>> leak_suspects_;
  Governor governor_;
  const std::shared_ptr<EventDispatcher> events_;  // null when nobody listens
  const decltype(EngineOptions::booked) ask_booked_;
  const decltype(EngineOptions::on_snapshot) on_snapshot_;
  const decltype(EngineOptions::on_step) on_step_;
  Andon andon_;
  HostLoadReader host_;
  Published<EngineTrouble> trouble_;
  bool failed_ = false;                           // in this step
  std::optional<std::chrono::nanoseconds> late_;  // of this step; as in StepCost
  std::string untold_;                            // trouble of which no alert was told yet
  const std::unique_ptr<Runner> runner_;
  Sampler sampler_;
};

}  // namespace gpukeeper
