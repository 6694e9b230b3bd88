#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "config/live_config.hpp"
#include "core/clock.hpp"
#include "core/log.hpp"
#include "core/published.hpp"
#include "desk/own_book.hpp"
#include "desk/own_desk.hpp"
#include "embed/announcer.hpp"
#include "embed/daemon_link.hpp"
#include "embed/interrupt.hpp"
#include "embed/keeper.hpp"
#include "embed/local_answers.hpp"
#include "embed/machine_leases.hpp"
#include "embed/metrics_server.hpp"
#include "embed/options.hpp"
#include "embed/own_leases.hpp"
#include "policy/event_dispatcher.hpp"
#include "service/configuration.hpp"
#include "service/engine_thread.hpp"
#include "service/metrics_desk.hpp"

namespace gpukeeper::embed {

/// Looks for itself: an engine on a thread of its own. What `serve` answers it answers by the same routes.
class LocalKeeper final : public Keeper {
 public:
  /// Errors: those of the configuration and of sources that were named; deadline_exceeded when a driver does not
  /// answer.
  static Result<std::unique_ptr<Keeper>> open(const KeeperOptions& options);
  /// A driver that hangs is not waited for longer than some seconds: its thread is let go.
  ~LocalKeeper() override;

  std::string host() const override { return {}; }
  Result<std::shared_ptr<const View>> look() override;
  Result<void> monitor(bool on) override;
  bool monitoring() override { return engine_.monitoring(); }
  Result<State> judge(double temperature, double memory_percent) override;
  Result<Answer> ask(const Question& question) override;
  Leases& leases() override { return *leases_; }
  Result<std::uint64_t> subscribe(EventWishes wishes, Listener listener) override;
  Result<std::uint16_t> serve_metrics(const std::string& address) override;
  void interrupt() override;
  void before_fork() override { book_->pause(); }
  void after_fork() override { book_->resume(); }

 private:
  struct Parts {
    std::shared_ptr<config::LiveConfig> config;
    SessionOptions session;
    std::shared_ptr<Clock> clock;  // the machine's
    std::shared_ptr<Clock> time;   // of the devices: the same where they live
  };
  // Shared with an engine that hangs.
  struct OpenedSources {
    std::shared_ptr<const Files> machine;  // null where none of the devices lives; known once they are open
    Published<std::shared_ptr<const Booked>> booked;
  };
  LocalKeeper(const KeeperOptions& options, Parts parts);
  static Result<std::string> ledger_folder(const KeeperOptions& options, const config::Settings& settings);
  service::EngineThread::Open opener(const KeeperOptions& options, const Parts& parts);
  void make_desks(const KeeperOptions& options, Result<std::string> folder);
  LocalAnswers::World world(const KeeperOptions& options);
  void apply(const config::Settings& settings);
  Result<std::shared_ptr<const View>> look_no_older_than(std::chrono::nanoseconds age);
  Result<std::shared_ptr<const Snapshot>> snapshot_for_the_ledger();
  Result<Answer> ask_the_ledger(const Question& question);
  Result<Answer> ask_own_ledger(const Question& question);
  Result<Answer> ask_with_book(const Question& question);

  const std::shared_ptr<Interrupt> interrupt_ = std::make_shared<Interrupt>();
  std::stop_source stop_;
  const std::shared_ptr<Clock> clock_;
  const std::shared_ptr<Clock> time_;
  Log log_;
  const std::shared_ptr<Published<config::Settings>> settings_;
  const std::shared_ptr<OpenedSources> opened_ = std::make_shared<OpenedSources>();
  const std::shared_ptr<Announcer> announcer_ = std::make_shared<Announcer>();
  const std::shared_ptr<EventDispatcher> governed_ = std::make_shared<EventDispatcher>();
  const service::MetricsDesk metrics_;
  service::EngineThread engine_;
  service::Configuration configuration_;
  std::atomic<std::uint64_t> changes_ = 0;      // of the ledger
  std::atomic<std::uint64_t> answered_at_ = 0;  // so many there were when the book was last at hand
  std::atomic<std::thread::id> answering_;      // the thread that has the book at hand
  Bookkeeper* book_at_hand_ = nullptr;          // of that thread
  std::optional<desk::OwnBook> book_;           // made once the sources are open, as all below
  std::optional<LocalAnswers> answers_;
  std::once_flag governor_is_heard_;
  std::mutex servers_mutex_;
  std::vector<std::unique_ptr<MetricsServer>> servers_;  // guarded by servers_mutex_; of the routes of answers_
  std::optional<desk::OwnDesk> desk_;
  std::optional<LedgerDaemon> daemon_;  // nothing where the ledger is never a daemon's
  std::optional<OwnLeases> own_leases_;
  std::optional<MachineLeases> leases_;
};

}  // namespace gpukeeper::embed
