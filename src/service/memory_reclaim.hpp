#pragma once

#include <functional>
#include <memory>
#include <string>

#include "backend/detect.hpp"
#include "booking/bookkeeper.hpp"
#include "core/clock.hpp"
#include "core/files.hpp"
#include "core/program.hpp"
#include "engine/state_dir.hpp"
#include "reclaim/reclaimer.hpp"
#include "service/http.hpp"
#include "sinks/curl_transport.hpp"

namespace gpukeeper::service {

/// Reclaim with its real hands: of `serve`, and of a command without one.
///
/// Threads: open() once, on any; all else may be called from any.
class MemoryReclaim {
 public:
  /// `book` gives null before it is open. `clock`: that of the snapshots.
  MemoryReclaim(reclaim::ReclaimSettings settings, std::function<Bookkeeper*()> book, std::shared_ptr<Clock> clock);

  /// What is kept of holders, beside the leases that the state directory keeps; and begins the thread, unless somebody
  /// will settle() instead.
  void open(const StateDirectory* directory, const Sources& sources, bool own_thread = true);

  /// Without a thread: works on this one until the answer is there. `look` looks at the devices, a second after it did
  /// last, and tells the book.
  Response settle(Response response, const std::function<std::shared_ptr<const Snapshot>()>& look);

  /// Only hands it over.
  void see(std::shared_ptr<const Snapshot> snapshot) { reclaimer_.see(std::move(snapshot)); }
  void configure(reclaim::ReclaimSettings settings) { reclaimer_.configure(std::move(settings)); }
  /// As Reclaimer::look_with.
  void look_with(std::function<void()> look) { reclaimer_.look_with(std::move(look)); }

  /// Has a lease's holder asked for what it uses beyond what it may; false while memory is being reclaimed otherwise.
  bool ask_for_overuse(LeaseId lease);

  reclaim::Reclaimer& reclaimer() { return reclaimer_; }
  reclaim::HolderBook& holders() { return holders_; }
  reclaim::RealHands& hands() { return hands_; }

  void ask_to_stop() { reclaimer_.ask_to_stop(); }
  bool ended() const { return reclaimer_.ended(); }

 private:
  const std::shared_ptr<Clock> clock_;
  SystemClock real_;  // processes take their time by it, whatever is played
  const std::shared_ptr<const Files> files_ = std::make_shared<RealFiles>();
  RealPrograms programs_;
  RealSignals signals_{files_};
  CurlTransport http_;
  reclaim::HolderBook holders_;
  reclaim::RealHands hands_;
  reclaim::Reclaimer reclaimer_;  // last: its thread uses all of the others
};

}  // namespace gpukeeper::service
