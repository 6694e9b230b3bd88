#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "booking/owner_watch.hpp"
#include "core/clock.hpp"
#include "core/result.hpp"
#include "ledger/journal.hpp"
#include "ledger/ledger.hpp"

namespace gpukeeper {

/// Keeps the one ledger for many threads, and in a journal: nobody is answered before what he was promised is written.
///
/// There is no thread that owns the ledger. Of those that want something at the same moment one takes everybody's
/// wishes, has the ledger do them one after the other, writes what came of them in one go, and hands out the answers;
/// whoever comes meanwhile stands in the next batch. So the more there are, the fewer flushes there are for each, and
/// one alone does not wait for another thread to wake up. No lock is held while the disk is written.
///
/// When the journal cannot be written, what was done is taken back and done once more without it: requests are refused
/// with the disk's error, ends of standing leases too; everything else goes on and is written later. Every second it is
/// tried again.
class Bookkeeper {
 public:
  struct World {
    Clock& clock;
    std::unique_ptr<Journal> journal;    ///< null to keep nothing
    std::unique_ptr<OwnerWatch> owners;  ///< null where nobody's death can be seen
    std::string boot_id;
  };
  /// What happened to a lease by itself, told after it was written.
  using Listener = std::function<void(const LedgerEvent&, const Lease&)>;

  /// Who asked for memory and was answered for good, or gave it back, and how long that took: for figures. A request
  /// that waits is none yet.
  struct Served {
    enum class Kind : std::uint8_t { granted, refused, released };
    Kind kind = Kind::granted;
    std::string service;
    std::vector<std::string> devices;    ///< ids; of a refusal the preferred one; empty for none
    std::vector<LeaseId> leases = {};    ///< one a device; none of a refusal, nor where a listener is told, too
    EndReason reason = EndReason::none;  ///< of what was given back
    bool draining = false;               ///< of what was given back: the driver shows it still
    std::chrono::nanoseconds took{};
  };
  using Meter = std::function<void(const Served&)>;

  /// Takes over what the journal kept. Whoever died meanwhile has no lease any more; nothing is granted before the
  /// first observe(). Errors: the journal's; a damaged one is no error, but then nothing is granted at all.
  static Result<std::unique_ptr<Bookkeeper>> open(LedgerSettings settings, World world);
  ~Bookkeeper();

  // From any thread. Each returns when what it did is as safe as it must be.

  tl::expected<Booking, Refusal> reserve(const LeaseRequest& request);
  Result<Ending> release(LeaseId id, std::optional<std::uint32_t> generation = std::nullopt,
                         EndReason why = EndReason::released);
  Result<std::size_t> release_all(std::string_view service, std::string_view device,
                                  std::optional<std::uint32_t> uid = std::nullopt);
  tl::expected<Booking, Refusal> resize(LeaseId id, std::optional<std::uint32_t> generation, Bytes min,
                                        std::optional<Bytes> max = std::nullopt);
  Result<void> suspend(LeaseId id);
  tl::expected<Booking, Refusal> resume(LeaseId id);
  Result<MonotonicTime> heartbeat(LeaseId id);
  void configure(LedgerSettings settings);

  /// Waits until the lease does not wait any more, or no longer drains, or until `until`. Its state then, ended for one
  /// that is over.
  LeaseState wait_while(LeaseId id, LeaseState state, MonotonicTime until);

  /// Looks at the ledger: all of it is written, nothing is half done. Copy what you need.
  void look(const std::function<void(const Ledger&)>& at) const;
  std::vector<Lease> leases() const;

  // From the thread that runs it.

  /// What the drivers say now.
  void observe(const Reality& reality);
  /// What is due: deadlines, and another try of the journal. Returns when to call it again: in a second at the latest.
  MonotonicTime tick();

  /// One more who is told of all that happens from now on, for as long as this lives; called on whichever thread caused
  /// it, never two calls at once. Who is told must not call the bookkeeper back.
  void listen(Listener listener);

  /// Who is told of everybody who was served; called on the thread that asked. Before anybody asks.
  void measure(Meter meter) { meter_ = std::move(meter); }

  /// By which leases end: their instants are compared with its own.
  const Clock& clock() const { return clock_; }

  /// Whether what must be written, but not flushed, is likely done at once: nobody else is at it, and the journal was
  /// quick the last time. It may be wrong; so who must not wait for long asks it, and who must never wait asks nothing.
  bool is_quick() const;

  /// Whether the journal holds what this one did not write: then it is to be opened anew. For who keeps a book open
  /// that is not his alone, while he alone may write it (StateDirectory).
  bool written_by_others() const;

  /// Why nothing is granted; nothing when it is.
  std::optional<Error> closed() const;

 private:
  using Work = std::function<void(Ledger&, Moment)>;
  struct Task;

  Bookkeeper(LedgerSettings settings, World world);
  Result<void> recover();
  tl::expected<Booking, Refusal> book(const LeaseRequest& request, Served& served);
  void perform(Work work) const;
  void run_batch(const std::vector<Task*>& batch) const;
  bool keep(Ledger& ledger) const;
  void try_journal_again(Ledger& ledger, Moment at) const;
  void tell(std::vector<LedgerEvent> events) const;
  void owner_gone(const ProcessOwner& owner);
  Moment now() const { return {clock_.now(), clock_.wall()}; }

  Clock& clock_;
  const std::unique_ptr<Journal> journal_;
  const std::string boot_id_;
  Meter meter_;  // null: nobody

  // Of whoever leads: one thread at a time, handed over under mutex_.
  mutable Ledger ledger_;
  mutable std::optional<Error> journal_error_;
  mutable std::vector<LeaseId> unwritten_;  // happened while the journal could not be written
  mutable std::optional<MonotonicTime> tried_;
  mutable std::atomic<bool> writes_quickly_ = false;  // the last time that nothing had to be flushed
  bool surveyed_ = false;
  mutable std::vector<Listener> listeners_;
  std::optional<MonotonicTime> owners_checked_;

  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;  // batches_ is
  mutable std::vector<Task*> waiting_;       // guarded by mutex_
  mutable bool led_ = false;                 // guarded by mutex_
  mutable std::uint64_t batches_ = 0;        // guarded by mutex_

  std::unique_ptr<OwnerWatch> owners_;  // last: it calls owner_gone()
};

}  // namespace gpukeeper
