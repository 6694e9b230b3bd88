#include "booking/bookkeeper.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace gpukeeper {
namespace {

constexpr std::chrono::seconds kTick{1};
constexpr std::chrono::seconds kJournalRetry{1};
constexpr std::chrono::milliseconds kQuick{1};  // a write that waited for nothing
constexpr std::chrono::seconds kOwnersCheck{10};

// One more that was granted or given back.
void add(Bookkeeper::Served& served, const Lease& lease) {
  served.devices.emplace_back(lease.device.text());
  served.leases.push_back(lease.id);
}

Error not_surveyed() {
  return {Errc::unavailable, "the GPUs have not been looked at since the start; ask again in a second"};
}

}  // namespace

struct Bookkeeper::Task {
  enum class State { waits, leads, done };
  Work work;
  State state = State::waits;  // guarded by mutex_
  std::condition_variable
      wake;  // each has its own, so that a batch wakes those whom it served, and one that leads next
};

Result<std::unique_ptr<Bookkeeper>> Bookkeeper::open(LedgerSettings settings, World world) {
  auto keeper = std::unique_ptr<Bookkeeper>(new Bookkeeper(std::move(settings), std::move(world)));
  if (auto recovered = keeper->recover(); !recovered) return tl::make_unexpected(recovered.error());
  return keeper;
}

Bookkeeper::Bookkeeper(LedgerSettings settings, World world)
    : clock_(world.clock),
      journal_(std::move(world.journal)),
      boot_id_(std::move(world.boot_id)),
      ledger_(std::move(settings)),
      owners_(std::move(world.owners)) {}

Bookkeeper::~Bookkeeper() = default;

Result<void> Bookkeeper::recover() {
  ledger_.keep_changes();
  if (journal_) {
    auto memory = journal_->load(ledger_.settings().history);
    if (!memory) return tl::make_unexpected(memory.error());
    ledger_.restore(std::move(*memory), boot_id_, now());
    journal_error_ = journal_->damage();
  }
  ledger_.close(journal_error_.value_or(not_surveyed()), !journal_error_);
  if (!owners_) return {};
  owners_->on_gone([this](const ProcessOwner& owner) { owner_gone(owner); });
  for (const ProcessOwner& owner : ledger_.owners()) {
    if (!owners_->watch(owner)) owner_gone(owner);
  }
  return {};
}

// Puts the work into the next batch, and leads that batch when nobody else leads one.
void Bookkeeper::perform(Work work) const {
  Task task{std::move(work), Task::State::waits, {}};
  std::unique_lock lock(mutex_);
  waiting_.push_back(&task);
  if (led_) {
    task.wake.wait(lock, [&] { return task.state != Task::State::waits; });
    if (task.state == Task::State::done) return;
  }
  led_ = true;
  std::vector<Task*> batch;
  batch.swap(waiting_);
  lock.unlock();
  run_batch(batch);
  lock.lock();
  ++batches_;
  changed_.notify_all();
  for (Task* each : batch) {
    each->state = Task::State::done;
    each->wake.notify_one();  // under the lock: a task that is done goes away as soon as it is released
  }
  led_ = !waiting_.empty();
  if (!led_) return;
  waiting_.front()->state = Task::State::leads;
  waiting_.front()->wake.notify_one();
}

void Bookkeeper::run_batch(const std::vector<Task*>& batch) const {
  const Moment at = now();
  try_journal_again(ledger_, at);
  for (const Task* task : batch) task->work(ledger_, at);
  if (!keep(ledger_)) {
    ledger_.take_back();
    ledger_.close(*journal_error_, false);
    for (const Task* task : batch) task->work(ledger_, at);
    static_cast<void>(keep(ledger_));  // for later
  }
  tell(ledger_.take_events());
}

// Whether the journal has all that must be in it before anybody is answered.
bool Bookkeeper::keep(Ledger& ledger) const {
  if (!journal_ || journal_error_) {
    // Nothing was promised meanwhile: the ledger is closed, and what ended is written when that is possible again.
    if (journal_) {
      const LedgerChanges changes = ledger.changes();
      for (const Lease& lease : changes.leases) unwritten_.push_back(lease.id);
      for (const Lease& lease : changes.ended) unwritten_.push_back(lease.id);
    }
    ledger.accept();
    return true;
  }
  const LedgerChanges changes = ledger.changes();
  if (!changes.empty()) {
    const MonotonicTime start = clock_.now();
    auto written = journal_->write(changes);
    if (changes.durability != Durability::flushed) writes_quickly_ = written && clock_.now() - start < kQuick;
    if (!written) {
      journal_error_ = written.error();
      tried_ = clock_.now();
      return false;
    }
  }
  ledger.accept();
  return true;
}

void Bookkeeper::try_journal_again(Ledger& ledger, Moment at) const {
  if (!journal_error_ || journal_->damage() || (tried_ && at.now - *tried_ < kJournalRetry)) return;
  tried_ = at.now;
  std::ranges::sort(unwritten_);
  unwritten_.erase(std::unique(unwritten_.begin(), unwritten_.end()), unwritten_.end());  // clang 14: no ranges::unique
  LedgerChanges changes = ledger.changes(unwritten_);
  changes.durability = Durability::flushed;
  if (auto written = journal_->write(changes); !written) {
    journal_error_ = written.error();
    ledger.close(*journal_error_, false);
    return;
  }
  unwritten_.clear();
  journal_error_.reset();
  if (surveyed_) {
    ledger.open(at);
  } else {
    ledger.close(not_surveyed());
  }
}

void Bookkeeper::tell(std::vector<LedgerEvent> events) const {
  if (listeners_.empty()) return;
  for (const LedgerEvent& event : events) {
    const Lease* lease = ledger_.find(event.id);
    if (!lease) lease = ledger_.find_ended(event.id);
    if (!lease) continue;
    for (const Listener& listener : listeners_) listener(event, *lease);
  }
}

tl::expected<Booking, Refusal> Bookkeeper::reserve(const LeaseRequest& request) {
  const auto asked = clock_.now();
  Served served{.service = request.service};
  auto answer = book(request, served);
  if (!meter_ || (answer && (answer->repeated || answer->state == LeaseState::waiting))) return answer;
  if (!answer) {
    served.kind = Served::Kind::refused;
    if (!request.device.empty()) served.devices = {request.device};
  }
  served.took = clock_.now() - asked;
  meter_(served);
  return answer;
}

// `served`: the devices and leases that were granted; told only to who measures.
tl::expected<Booking, Refusal> Bookkeeper::book(const LeaseRequest& request, Served& served) {
  const auto* owner = std::get_if<ProcessOwner>(&request.owner);
  const auto gone = [&] {
    return Refusal{
        .cause = RefusalCause::invalid,
        .error = {Errc::not_found, fmt::format("process {}, which is to own the lease, is gone", owner->pid)},
        .devices = {}};
  };
  if (owner && owner->pid > 0 && owners_ && !owners_->watch(*owner)) return tl::make_unexpected(gone());
  std::optional<tl::expected<Booking, Refusal>> answer;
  perform([&](Ledger& ledger, Moment at) {
    answer = ledger.reserve(request, at);
    served.devices.clear();  // it may be done twice
    served.leases.clear();
    for (std::uint32_t i = 0; meter_ && answer->has_value() && i < (*answer)->count; ++i) {
      const Lease* lease = ledger.find(LeaseId{number((*answer)->id) + i});
      if (lease && is_held(lease->state)) add(served, *lease);
    }
  });
  // It may have died before its lease was there; then nobody tells it of that death again.
  if (answer->has_value() && owner && owners_ && !owners_->watch(*owner)) {
    owner_gone(*owner);
    return tl::make_unexpected(gone());
  }
  return std::move(*answer);
}

Result<Ending> Bookkeeper::release(LeaseId id, std::optional<std::uint32_t> generation, EndReason why) {
  const auto asked = clock_.now();
  std::optional<Result<Ending>> answer;
  Served served{.kind = Served::Kind::released, .reason = why};
  perform([&](Ledger& ledger, Moment at) {
    const Lease* lease = meter_ ? ledger.find(id) : nullptr;
    served.devices.clear();  // it may be done twice
    served.leases.clear();
    if (lease && is_held(lease->state)) {
      served.service = lease->service.text();
      for (std::uint32_t i = 0; i < lease->group_size; ++i) {
        const Lease* each = ledger.find(LeaseId{number(lease->group) + i});
        if (each && is_held(each->state)) add(served, *each);
      }
    }
    answer = ledger.release(id, generation, at, why);
  });
  if (answer->has_value() && !(*answer)->already && !served.devices.empty()) {
    served.draining = (*answer)->state == LeaseState::draining;
    served.took = clock_.now() - asked;
    meter_(served);
  }
  return std::move(*answer);
}

Result<std::size_t> Bookkeeper::release_all(std::string_view service, std::string_view device,
                                            std::optional<std::uint32_t> uid) {
  const auto asked = clock_.now();
  std::optional<Result<std::size_t>> answer;
  Served served{.kind = Served::Kind::released, .service = std::string(service), .reason = EndReason::released};
  perform([&](Ledger& ledger, Moment at) {
    served.devices.clear();  // it may be done twice
    served.leases.clear();
    for (const Lease& lease : meter_ ? ledger.leases() : std::vector<Lease>()) {
      const bool theirs = lease.device == device && ServiceEqual()(lease.service.text(), service);
      if (theirs && is_held(lease.state) && (!uid || lease.uid == *uid)) add(served, lease);
    }
    answer = ledger.release_all(service, device, at, uid);
  });
  if (answer->has_value() && !served.leases.empty()) {
    served.took = clock_.now() - asked;
    meter_(served);
  }
  return std::move(*answer);
}

tl::expected<Booking, Refusal> Bookkeeper::resize(LeaseId id, std::optional<std::uint32_t> generation, Bytes min,
                                                  std::optional<Bytes> max) {
  std::optional<tl::expected<Booking, Refusal>> answer;
  perform([&](Ledger& ledger, Moment at) { answer = ledger.resize(id, generation, min, max, at); });
  return std::move(*answer);
}

Result<void> Bookkeeper::suspend(LeaseId id) {
  std::optional<Result<void>> answer;
  perform([&](Ledger& ledger, Moment at) { answer = ledger.suspend(id, at); });
  return std::move(*answer);
}

tl::expected<Booking, Refusal> Bookkeeper::resume(LeaseId id) {
  std::optional<tl::expected<Booking, Refusal>> answer;
  perform([&](Ledger& ledger, Moment at) { answer = ledger.resume(id, at); });
  return std::move(*answer);
}

Result<MonotonicTime> Bookkeeper::heartbeat(LeaseId id) {
  std::optional<Result<MonotonicTime>> answer;
  perform([&](Ledger& ledger, Moment at) { answer = ledger.heartbeat(id, at); });
  return std::move(*answer);
}

void Bookkeeper::configure(LedgerSettings settings) {
  perform([&](Ledger& ledger, Moment at) { ledger.configure(settings, at); });
}

void Bookkeeper::owner_gone(const ProcessOwner& owner) {
  perform([&](Ledger& ledger, Moment at) { ledger.owner_gone(owner, at); });
}

void Bookkeeper::listen(Listener listener) {
  perform([&](Ledger&, Moment) { listeners_.push_back(listener); });
}

void Bookkeeper::observe(const Reality& reality) {
  perform([&](Ledger& ledger, Moment at) {
    ledger.observe(reality, at);
    surveyed_ = true;
    if (ledger.closed() && !journal_error_) ledger.open(at);
  });
}

MonotonicTime Bookkeeper::tick() {
  MonotonicTime next{};
  perform([&](Ledger& ledger, Moment at) {
    ledger.tick(at);
    next = std::min(ledger.next_deadline(), at.now + kTick);
    if (owners_checked_ && at.now - *owners_checked_ < kOwnersCheck) return;
    owners_checked_ = at.now;
    if (owners_) owners_->keep_only(ledger.owners());
  });
  return next;
}

LeaseState Bookkeeper::wait_while(LeaseId id, LeaseState state, MonotonicTime until) {
  for (;;) {
    std::uint64_t seen = 0;
    {
      std::scoped_lock lock(mutex_);
      seen = batches_;
    }
    LeaseState now = LeaseState::ended;
    look([&](const Ledger& ledger) {
      if (const Lease* lease = ledger.find(id)) now = lease->state;
    });
    if (now != state || clock_.now() >= until) return now;
    std::unique_lock lock(mutex_);
    // The look itself was a batch. What is waited for is another one; a clock that a test moves makes none.
    changed_.wait_for(lock, std::chrono::milliseconds(50), [&] { return batches_ > seen + 1; });
  }
}

void Bookkeeper::look(const std::function<void(const Ledger&)>& at) const {
  perform([&](Ledger& ledger, Moment) { at(ledger); });
}

std::vector<Lease> Bookkeeper::leases() const {
  std::vector<Lease> all;
  look([&](const Ledger& ledger) { all = ledger.leases(); });
  return all;
}

bool Bookkeeper::is_quick() const {
  const std::scoped_lock lock(mutex_);
  return !led_ && (!journal_ || writes_quickly_);
}

bool Bookkeeper::written_by_others() const {
  bool others = false;
  perform([&](Ledger&, Moment) { others = journal_ && journal_->written_by_others(); });
  return others;
}

std::optional<Error> Bookkeeper::closed() const {
  std::optional<Error> why;
  look([&](const Ledger& ledger) { why = ledger.closed(); });
  return why;
}

}  // namespace gpukeeper
