#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <string>

#include "actuators/process_freezer.hpp"
#include "booking/bookkeeper.hpp"
#include "core/clock.hpp"
#include "core/files.hpp"
#include "core/program.hpp"
#include "reclaim/reclaim_run.hpp"
#include "sinks/transport.hpp"

namespace gpukeeper::reclaim {

/// What is done to the world.
/// Threads: every member may be called from any.
class Hands {
 public:
  virtual ~Hands() = default;

  /// Does it, and waits until it is done or failed. Errors: a sentence for the report.
  virtual Result<HolderReply> perform(const ReclaimAction& action, std::stop_token stop) = 0;
};

/// The real ones.
///
/// A process is met by its pidfd and start time, so that no other one ever is. One under MPS is taken out of its server
/// first: killing a client with work under way can bring down all clients of that server.
/// cuda-checkpoint: https://github.com/NVIDIA/cuda-checkpoint (lock and unlock by themselves since driver 570).
/// MPS: https://docs.nvidia.com/deploy/mps/latest/mpsv2-interface.html.
class RealHands final : public Hands {
 public:
  struct World {
    std::function<Bookkeeper*()> book;  ///< null before it is open
    Transport& http;
    Signals& signals;
    Programs& programs;
    const Files& files;
    Clock& clock;
  };
  explicit RealHands(World world) : world_(std::move(world)) {}

  Result<HolderReply> perform(const ReclaimAction& action, std::stop_token stop) override;

  /// Undoes a suspension by cuda-checkpoint; the lease must be resumed in the book before. Errors: as perform.
  Result<void> restore(const ProcessOwner& process, std::stop_token stop);

  /// Wakes a holder of that user's, as reclaim::wake.
  Result<void> wake(const Holder& holder, std::uint32_t uid);

  /// Why cuda-checkpoint cannot be used, a sentence; empty when it can.
  std::string no_checkpoint() const;

 private:
  Result<HolderReply> reap(const ReclaimAction& action);
  Result<HolderReply> ask_holder(const ReclaimAction& action, const std::stop_token& stop);
  Result<HolderReply> suspend(const ReclaimAction& action, const std::stop_token& stop);
  Result<HolderReply> terminate(const ReclaimAction& action, const std::stop_token& stop);
  Result<void> checkpoint(std::string_view what, std::int64_t pid, std::chrono::nanoseconds patience,
                          const std::stop_token& stop);
  bool is_gone_within(const ProcessOwner& process, std::chrono::nanoseconds patience, const std::stop_token& stop);

  const World world_;
};

}  // namespace gpukeeper::reclaim
