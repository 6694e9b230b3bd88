#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/clock.hpp"
#include "core/result.hpp"
#include "ledger/account.hpp"
#include "ledger/changes.hpp"
#include "ledger/lease.hpp"
#include "ledger/lease_request.hpp"
#include "ledger/ledger_settings.hpp"
#include "ledger/placement.hpp"
#include "ledger/reality.hpp"
#include "ledger/refusal.hpp"
#include "ledger/service_account.hpp"
#include "ledger/wait_queue.hpp"

namespace gpukeeper {

/// An instant on both clocks: what lasts is measured by the steady one, what people read is told by the other.
struct Moment {
  MonotonicTime now{};
  WallTime wall{};
};

/// The answer to a request that was not refused.
struct Booking {
  LeaseId id{};                             ///< the first; the others follow it
  std::uint32_t count = 1;                  ///< leases, one a device
  LeaseState state = LeaseState::starting;  ///< waiting when it stands in the queue
  bool repeated = false;                    ///< it was made before, by a request with the same id
  std::string note;                         ///< a sentence: why it is not on the device that was preferred; else empty
};

/// The answer to the end of a lease.
struct Ending {
  LeaseState state = LeaseState::ended;  ///< draining while the driver does not show the drop yet
  bool already = false;                  ///< it was over before
};

/// Something that happened to a lease by itself. What a caller did himself is no event.
struct LedgerEvent {
  enum class Kind : std::uint8_t {
    granted,   ///< it waited, and has it now
    ended,     ///< by itself, or its draining came to its end
    draining,  ///< its owner died or its time is over
    leaked,    ///< it is over for long, and the driver still shows memory of it
    overused,  ///< more than its most is observed
    overuse_over,
  };
  Kind kind = Kind::ended;
  LeaseId id{};
  std::string note;  ///< of granted: as Booking's
};

/// The one book of GPU memory: who was promised how much of which device. Every interface is a view of it.
///
/// It is pure: time, what the drivers say and what is remembered are passed in, and whatever happened comes back as a
/// value. So the same code runs in the daemon, in a command without one, and in a test that plays a year.
///
/// A change may be taken back until it is accepted: the caller writes changes() to a journal first, and answers then.
///
/// Threads: one at a time (LedgerService makes it one for many).
class Ledger {
 public:
  explicit Ledger(LedgerSettings settings = {});

  // What it is told.

  /// New settings, valid ones. What is booked stays booked, also where it is more than would be granted now.
  void configure(LedgerSettings settings, Moment at);

  /// What the drivers say now: leases are seen to start, to be overused, to have given their memory back; who waits may
  /// be served.
  void observe(const Reality& reality, Moment at);

  /// Ends what is over by `at`. Call it at next_deadline(), or once a second. After a long silence (the daemon was
  /// stopped, the machine suspended) heartbeats get that time back, as nobody could hear them.
  void tick(Moment at);

  /// When something ends by itself next; max() for never. It may be early, never late.
  MonotonicTime next_deadline() const { return next_deadline_; }

  /// Nothing is granted until open(): what a request is answered meanwhile. `writable` is false when ends of standing
  /// leases cannot be kept either.
  void close(Error why, bool writable = true);
  void open(Moment at);
  const std::optional<Error>& closed() const { return closed_; }

  // What clients want.

  /// Grants, lets wait (when the request has a `wait`), or refuses and says why.
  tl::expected<Booking, Refusal> reserve(const LeaseRequest& request, Moment at);

  /// Ends a lease, and those that were granted with it. Repeating it is no error. A generation that is not the lease's
  /// is: its terms changed since. Errors: not_found for an id that was never given out; invalid_argument for a
  /// generation; those of close() for a standing lease.
  Result<Ending> release(LeaseId id, std::optional<std::uint32_t> generation, Moment at,
                         EndReason why = EndReason::released);

  /// Ends all leases of a service on a device, whatever their names, or those of one user; how many there were.
  /// Errors: those of close().
  Result<std::size_t> release_all(std::string_view service, std::string_view device, Moment at,
                                  std::optional<std::uint32_t> uid = std::nullopt);

  /// Other terms for a lease that is held. Less is always taken. Its generation is one more then.
  tl::expected<Booking, Refusal> resize(LeaseId id, std::optional<std::uint32_t> generation, Bytes min,
                                        std::optional<Bytes> max, Moment at);

  /// The holder gave its memory back for a while (a checkpoint), and wants it again.
  Result<void> suspend(LeaseId id, Moment at);
  tl::expected<Booking, Refusal> resume(LeaseId id, Moment at);

  /// "Still there": when it would end now. Errors: not_found when it is over or has no heartbeat.
  Result<MonotonicTime> heartbeat(LeaseId id, Moment at);

  /// A process is gone: its leases drain, its waiting requests are cancelled. How many there were.
  std::size_t owner_gone(const ProcessOwner& owner, Moment at);

  // What is known.

  /// Null when no such lease is waiting, held, draining or leaked.
  const Lease* find(LeaseId id) const;
  /// The lease of that name on that device, or null.
  const Lease* find(std::string_view device, std::string_view name) const;
  /// One that is over and still remembered, or null.
  const Lease* find_ended(LeaseId id) const;

  /// All that are not over, by id.
  std::vector<Lease> leases() const;
  std::size_t size() const { return leases_.size(); }
  /// Those that are over, the oldest first; no more than the settings' history.
  const std::deque<Lease>& history() const { return history_; }
  /// Each of these, in no order, without a copy.
  void each(const std::function<void(const Lease&)>& look) const;
  /// The processes of this machine that used it when the drivers were looked at last; of a device that lists none:
  /// none.
  const std::vector<ProcessOwner>& processes_of(LeaseId id) const;
  /// The ids of waiting requests in the order in which they are served.
  std::vector<LeaseId> waiting() const;
  /// Every process that owns a lease or waits for one.
  std::vector<ProcessOwner> owners() const;

  const std::vector<DeviceAccount>& devices() const { return devices_; }
  /// Null for one that was never seen.
  const DeviceAccount* device(std::string_view id) const;
  /// Null for one that holds nothing and has no quota.
  const ServiceAccount* service(std::string_view name) const;
  /// Of every service that ever asked or has a quota; in no order.
  const ServiceAccounts& services() const { return services_; }
  const LedgerSettings& settings() const { return settings_; }

  /// What happened by itself since the last call.
  std::vector<LedgerEvent> take_events();

  // What is kept.

  /// From now on changes can be read, accepted and taken back.
  void keep_changes();
  /// All that is to be written since the last accept() or take_back(), and of other leases what became of them; each
  /// lease once, as it is now.
  LedgerChanges changes(std::span<const LeaseId> also = {}) const;
  void accept();
  /// As if it had not happened, but for ids, which are never given out again.
  void take_back();

  /// Takes over what a journal kept; call it once, before everything else. Leases are charged in full until they are
  /// seen; heartbeats begin anew. What belonged to a process of an earlier boot is over.
  void restore(LedgerMemory memory, std::string_view boot_id, Moment at);

 private:
  struct Want;
  struct Undo {
    LeaseId id{};
    std::optional<Lease> before;                 // nothing when it is new
    std::shared_ptr<const LeaseRequest> waited;  // where it stood in the queue, null when it did not
    WaitQueue::Rank rank{};
  };
  using Slots = std::vector<std::size_t>;

  // Changing: every change of a lease's charge goes through these, so that no sum is ever forgotten.
  template <class Change>
  void change(Lease& lease, const Change& how);
  template <class Change>
  void adjust(Lease& lease, const Change& how);
  Lease& insert(Lease lease);
  void erase(LeaseId id);
  void count(const Lease& lease, int sign);
  void remember(LeaseId id, const Lease* before);
  void forget_old_history();
  void note_request(const Lease& lease);
  void forget_request(const Lease& lease);
  void note_restored(const Lease& lease);
  LeaseId take_ids(std::uint32_t count);
  void note_deadline(MonotonicTime deadline) { next_deadline_ = std::min(next_deadline_, deadline); }

  // Granting.
  Want want_of(const LeaseRequest& request) const;
  Result<void> check_quota(const Want& want) const;
  Result<void> check_quota_room(const Want& want, Bytes more, std::uint32_t leases) const;
  Result<void> check_quota_room(const Want& want) const;
  Bar bar(const Want& want, std::size_t slot) const;
  bool may_wait_for(const Want& want, std::size_t slot) const;
  std::vector<LeaseId> claimed_before(const WaitQueue::Rank& rank) const;
  Slots place(const Want& want, const std::vector<LeaseId>& claimed) const;
  Booking grant(const Want& want, const Slots& slots, LeaseId first, Moment at);
  Booking enqueue(const Want& want, Moment at);
  void serve(Moment at);
  std::optional<tl::expected<Booking, Refusal>> repeat(const LeaseRequest& request) const;
  std::optional<Refusal> refuse_more(const Lease& lease, Bytes min, Bytes max, Moment at) const;
  MonotonicTime deadline_of(const Lease& lease, Moment at) const;

  // Ending.
  void end(Lease& lease, EndReason why, Moment at);
  void end_by_itself(Lease& lease, EndReason why, Moment at);
  void finish(Lease& lease, EndReason why, Moment at);
  Result<void> may_end(const Lease& lease) const;

  // Observing (ledger_observe.cpp).
  struct Sightings;
  std::size_t slot_of(std::string_view device);
  void take_facts(const Reality& reality);
  const Lease* named_by(const ObservedProcess& process, std::string_view device) const;
  void note_processes(const std::vector<const Lease*>& leases, const ProcessOwner& process);
  Sightings attribute(const Reality& reality);
  void judge(Lease& lease, Metric<Bytes> observed, Moment at);

  // Explaining (ledger_explain.cpp).
  Refusal refuse(RefusalCause cause, Errc code, std::string message) const;
  Refusal refuse_for_room(const Want& want, const std::vector<LeaseId>& claimed, Moment at) const;
  DeviceRefusal explain(const Want& want, std::size_t slot, LeaseId claimed_by, Moment at) const;
  std::string fallback_note(const Want& want, const Slots& slots, const std::vector<LeaseId>& claimed, Moment at) const;

  ServiceAccount& service_account(std::string_view name);
  std::size_t slot(const Symbol& device) const;
  void apply_limits();

  LedgerSettings settings_;
  std::optional<Error> closed_;
  bool writable_ = true;

  std::vector<DeviceAccount> devices_;  // one that was seen keeps its place
  Topology topology_;                   // by the devices' places
  ServiceAccounts services_;
  std::unordered_map<LeaseId, Lease> leases_;
  std::unordered_multimap<std::string, LeaseId> names_;  // of leases that have one
  std::unordered_map<std::string, LeaseId> requests_;    // by service and request id, of the history too
  WaitQueue queue_;
  std::deque<Lease> history_;
  /// Whose a process was when it was last seen: it stays so when its parent dies and it gets another.
  std::map<std::pair<std::size_t, ProcessOwner>, ProcessOwner> kin_;
  std::unordered_map<LeaseId, std::vector<ProcessOwner>> processes_;

  LedgerNumbers numbers_;
  LedgerNumbers accepted_numbers_;
  MonotonicTime next_deadline_ = MonotonicTime::max();
  std::optional<MonotonicTime> ticked_;
  std::vector<LedgerEvent> events_;

  bool keeps_changes_ = false;
  static constexpr std::uint64_t kBlock = 1000;       // of numbers that one flush allows to be given out
  std::vector<Undo> undo_;                            // in the order of the first touch
  std::unordered_map<LeaseId, std::size_t> touched_;  // position in undo_
  std::size_t accepted_history_ = 0;                  // of history_, from its front
  std::size_t accepted_events_ = 0;
};

}  // namespace gpukeeper
