#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/published.hpp"
#include "core/result.hpp"
#include "embed/leases.hpp"
#include "embed/subscriptions.hpp"
#include "embed/view.hpp"
#include "telemetry/state.hpp"

namespace gpukeeper::embed {

/// A question as docs/api.md has it.
struct Question {
  std::string_view method;
  std::string_view target;
  std::string_view body = {};  ///< JSON; empty for none
};

/// The document, or a problem document.
struct Answer {
  unsigned status = 0;
  std::string body;

  bool good() const { return status >= 200 && status < 300; }
};

/// The GPUs and the ledger as somebody else's program sees them: in this process, or by asking a daemon.
///
/// Threads: every member may be called from any, but for the destructor: nobody is in any other member then.
class Keeper {
 public:
  virtual ~Keeper() = default;

  /// The daemon that is asked; empty for none.
  virtual std::string host() const = 0;

  /// The latest; never null, empty before the first look.
  std::shared_ptr<const View> view() const { return shown_->read(); }

  /// One that is no older than Engine::kFresh, or of a daemon the latest. Errors: unavailable, deadline_exceeded.
  virtual Result<std::shared_ptr<const View>> look() = 0;

  /// Looks all the time, or does not. Errors: of a daemon, also not_permitted.
  virtual Result<void> monitor(bool on) = 0;
  virtual bool monitoring() = 0;

  /// Which state that would be; NaN for what is not known. Errors: of a daemon that does not answer.
  virtual Result<State> judge(double temperature, double memory_percent) = 0;

  /// Answered as docs/api.md has it. Errors: what kept it from being asked at all.
  virtual Result<Answer> ask(const Question& question) = 0;

  /// Memory, booked and given back.
  virtual Leases& leases() = 0;

  /// Calls the listener on a thread of its own for what happens from now on; the number by which that is ended. Errors:
  /// of a daemon that does not answer.
  virtual Result<std::uint64_t> subscribe(EventWishes wishes, Listener listener) = 0;
  Result<void> unsubscribe(std::uint64_t number) { return subscriptions_.end(number); }
  /// Whether the calling thread is one on which a listener is called.
  bool is_calling_listener() const { return subscriptions_.is_one_of_ours(); }

  /// Serves the metrics there to whoever comes, for as long as this lives; the port.
  /// Errors: those of MetricsServer::start; invalid_argument of a daemon, which serves its own.
  virtual Result<std::uint16_t> serve_metrics(const std::string& address) = 0;

  /// Ends all that waits, now and from now on.
  virtual void interrupt() = 0;

  /// Around fork(), in the parent: in between nothing is open that a child must not inherit.
  virtual void before_fork() {}
  virtual void after_fork() {}

 protected:
  /// Shared with threads that may hang in a driver and outlive this.
  const std::shared_ptr<Published<View>> shown_ = std::make_shared<Published<View>>();
  Subscriptions subscriptions_;
};

/// The state of a temperature and a fill level, either of which may be NaN.
State judge(double temperature, double memory_percent, const Thresholds& thresholds);

}  // namespace gpukeeper::embed
