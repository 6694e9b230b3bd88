#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>

#include "config/live_config.hpp"
#include "core/clock.hpp"
#include "core/published.hpp"
#include "embed/keeper.hpp"
#include "embed/options.hpp"
#include "service/engine_thread.hpp"

namespace gpukeeper::embed {

/// Looks for itself: an engine on a thread of its own.
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
  void interrupt() override;

 private:
  struct Parts {
    config::LiveConfig config;
    SessionOptions session;
    std::shared_ptr<Clock> clock;  // the machine's
    std::shared_ptr<Clock> time;   // of the devices: the same where they live
  };
  LocalKeeper(const KeeperOptions& options, Parts parts);
  service::EngineThread::Open opener(const KeeperOptions& options, const Parts& parts) const;

  // Who waits for the engine is woken by what it tells or by interrupt(); shared with an engine that hangs.
  struct Waiting {
    std::mutex mutex;
    std::condition_variable changed;
    bool over = false;  // guarded by mutex
  };

  const std::shared_ptr<Waiting> waiting_ = std::make_shared<Waiting>();
  const std::shared_ptr<Clock> clock_;
  const std::shared_ptr<Clock> time_;
  std::mutex config_mutex_;
  config::LiveConfig config_;  // guarded by config_mutex_
  Published<config::Settings> settings_;
  service::EngineThread engine_;
};

}  // namespace gpukeeper::embed
