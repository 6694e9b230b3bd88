#pragma once

#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>

#include "client/daemon.hpp"
#include "embed/asked_leases.hpp"
#include "embed/interrupt.hpp"
#include "embed/keeper.hpp"
#include "embed/options.hpp"

namespace gpukeeper::embed {

/// Asks a daemon, here or on another machine, for everything. Its snapshots come as it takes them.
class DaemonKeeper final : public Keeper {
 public:
  /// Errors: those of client::Daemon::find; of one that does not say how its GPUs are.
  static Result<std::unique_ptr<Keeper>> open(const KeeperOptions& options);
  ~DaemonKeeper() override;

  std::string host() const override { return daemon_.address().to_string(); }
  Result<std::shared_ptr<const View>> look() override;
  Result<void> monitor(bool on) override;
  bool monitoring() override;
  Result<State> judge(double temperature, double memory_percent) override;
  Result<Answer> ask(const Question& question) override { return ask_daemon(question, {}); }
  Leases& leases() override { return leases_; }
  Result<std::uint64_t> subscribe(EventWishes wishes, Listener listener) override;
  Result<std::uint16_t> serve_metrics(const std::string& address) override;
  void interrupt() override;

 private:
  explicit DaemonKeeper(client::Daemon daemon);
  Result<Answer> ask_daemon(const Question& question, std::chrono::nanoseconds wait);
  Result<std::string> document(std::string_view method, std::string_view target);
  Result<void> take_snapshot();
  void follow_snapshots(const std::stop_token& stop);
  void note(Result<void> asked);

  const client::Daemon daemon_;
  const std::shared_ptr<Interrupt> interrupt_ = std::make_shared<Interrupt>();
  AskedLeases leases_;
  std::mutex mutex_;
  std::optional<Error> trouble_;  // guarded by mutex_; why the latest snapshot may be old
  std::jthread follower_;         // last: it uses all of the others
};

}  // namespace gpukeeper::embed
