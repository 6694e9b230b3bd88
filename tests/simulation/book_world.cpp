// A machine whose processes book memory and keep to it, or do not: they lie, fork, die, reuse pids, take what nobody
// gave them; the book is killed and opened again, the machine boots, clocks jump.

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "booking/bookkeeper.hpp"
#include "dice.hpp"
#include "fakes/fake_clock.hpp"
#include "fakes/memory_journal.hpp"
#include "simulation.hpp"

namespace gpukeeper::simulation {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

constexpr nanoseconds kQuiet = 5min;  // from then on nobody asks for anything, and everybody goes home

/// The processes of the machine, as its kernel and its drivers know them.
class Processes {
 public:
  struct Process {
    ProcessOwner id;
    std::vector<std::int64_t> forebears;  // the nearest first
    std::map<std::size_t, Bytes> uses;    // by GPU
    MonotonicTime gone_from_gpus{};       // of one that died: until then the driver shows what it used
    bool lives = true;
  };

  /// Tells a bookkeeper who is gone. The bookkeeper that it belongs to may end first.
  class Watch final : public OwnerWatch {
   public:
    explicit Watch(Processes& processes) : processes_(processes) {}
    ~Watch() override { processes_.gone_ = nullptr; }
    void on_gone(Gone gone) override { processes_.gone_ = std::move(gone); }
    bool watch(const ProcessOwner& owner) override { return processes_.lives(owner); }
    void keep_only(const std::vector<ProcessOwner>&) override {}

   private:
    Processes& processes_;
  };

  explicit Processes(Dice& dice) : dice_(dice) {}

  /// Of another one if there is one, so that pids are soon used again, by a later process.
  Process& start(const Process* parent) {
    std::int64_t pid = 0;
    do {
      pid = dice_.between(2, 60);
    } while (of_pid(pid));
    Process process{.id = {pid, ++started_}, .forebears = {}, .uses = {}};
    if (parent) {
      process.forebears = parent->forebears;
      process.forebears.insert(process.forebears.begin(), parent->id.pid);
    }
    all_.push_back(std::make_unique<Process>(std::move(process)));
    return *all_.back();
  }

  void die(Process& process, MonotonicTime memory_until) {
    process.lives = false;
    process.gone_from_gpus = memory_until;
    if (gone_) gone_(process.id);
  }

  /// Those that died, as soon as the driver shows nothing of them any more.
  void bury(MonotonicTime now) {
    std::erase_if(all_, [&](const auto& p) { return !p->lives && p->gone_from_gpus <= now; });
  }

  Process* any() {
    std::vector<Process*> living;
    for (const auto& p : all_) {
      if (p->lives) living.push_back(p.get());
    }
    return living.empty() ? nullptr : dice_.one_of<Process*>(living);
  }
  bool lives(const ProcessOwner& owner) const {
    const Process* process = of_pid(owner.pid);
    return process && process->id == owner;
  }
  const std::vector<std::unique_ptr<Process>>& all() const { return all_; }

 private:
  const Process* of_pid(std::int64_t pid) const {
    for (const auto& p : all_) {
      if (p->lives && p->id.pid == pid) return p.get();
    }
    return nullptr;
  }

  Dice& dice_;
  std::vector<std::unique_ptr<Process>> all_;
  std::uint64_t started_ = 0;
  OwnerWatch::Gone gone_;
};

class BookWorld {
 public:
  BookWorld(std::uint64_t seed, const Trace& trace) : dice_(seed), trace_(trace), processes_(dice_) {
    settings_.limit.headroom = Bytes(0);
    settings_.ageing = dice_.seconds(5, 60);
    settings_.deallocation_timeout = dice_.seconds(2, 15);
    settings_.queue = static_cast<std::size_t>(dice_.between(4, 40));
    const int gpus = dice_.between(1, 4);
    for (int i = 0; i < gpus; ++i) sizes_.push_back(from_mib(static_cast<std::uint64_t>(dice_.between(4, 80)) * 1024));
    open();
  }

  Outcome run(nanoseconds length) {
    Outcome outcome;
    const auto begin = clock_.now();
    while (clock_.now() < begin + length && wrong_.empty()) {
      step(clock_.now() >= begin + length - kQuiet);
      ++outcome.steps;
    }
    if (wrong_.empty()) nothing_is_left();
    outcome.wrong = wrong_;
    outcome.simulated = clock_.now() - begin;
    outcome.state_changes = granted_;
    outcome.digest = digest_;
    return outcome;
  }

 private:
  struct Waiting {
    MonotonicTime came{};
    MonotonicTime deadline{};
    std::int32_t priority = 0;
    Bytes min = Bytes(0);
    bool simple = false;  // it would take any device on which there is room
  };

  void step(bool quiet) {
    clock_.advance(dice_.chance(0.01) ? dice_.seconds(20, 400) : nanoseconds(1s));  // the machine was asleep
    if (dice_.chance(0.01)) clock_.set_wall(WallTime(dice_.seconds(0, 2'000'000'000)));
    processes_.bury(clock_.now());
    if (!quiet && dice_.chance(0.01)) restart();
    for (int i = dice_.between(0, 4); i > 0; --i) {
      quiet ? go_home() : act();
      look();
    }
    keeper_->tick();
    ticked_ = clock_.now();
    look();
    keeper_->observe(reality());
    look();
  }

  // One thing that somebody does.
  void act() {
    switch (dice_.between(0, 9)) {
      case 0: processes_.start(dice_.chance(0.4) ? processes_.any() : nullptr); return;
      case 1: return someone_dies();
      case 2:
      case 3: return someone_uses();
      case 4:
      case 5:
      case 6: return someone_asks();
      case 7: return someone_releases();
      case 8: return someone_resizes();
      default: return someone_beats();
    }
  }

  void go_home() {
    someone_dies();
    for (const Lease& lease : keeper_->leases()) {
      if (std::holds_alternative<StandingOwner>(lease.owner) && is_held(lease.state)) release(lease.id);
    }
  }

  void someone_dies() {
    auto* process = processes_.any();
    if (!process) return;
    // Now and then a driver takes its time, and sometimes so long that it looks like a leak.
    const auto lag = dice_.chance(0.7) ? nanoseconds(0) : nanoseconds(dice_.seconds(1, 40));
    tell("{} dies", process->id.pid);
    processes_.die(*process, clock_.now() + lag);
  }

  // What was promised, less, or more; or nothing was promised at all.
  void someone_uses() {
    auto* process = processes_.any();
    if (!process) return;
    const auto gpu = some_gpu();
    Bytes free = sizes_[gpu];
    for (const auto& p : processes_.all()) free = remaining(free, used(*p, gpu));
    const Bytes wish = from_mib(static_cast<std::uint64_t>(dice_.between(0, 4000)));
    process->uses.insert_or_assign(gpu, std::min(wish, free + used(*process, gpu)));
  }

  void someone_asks() {
    LeaseRequest request;
    request.service = fmt::format("service-{}", dice_.between(1, 3));
    request.min = from_mib(static_cast<std::uint64_t>(dice_.between(1, dice_.chance(0.1) ? 90'000 : 6000)));
    if (dice_.chance(0.2)) request.max = request.min + from_mib(static_cast<std::uint64_t>(dice_.between(0, 500)));
    if (dice_.chance(0.5)) {
      auto* process = processes_.any();
      if (!process) return;
      request.owner = process->id;
    } else if (dice_.chance(0.4)) {
      request.owner = HeartbeatOwner{dice_.seconds(5, 60)};
    }
    if (dice_.chance(0.5)) request.wait = dice_.seconds(1, 120);
    if (dice_.chance(0.3)) request.priority = dice_.between(-2, 2);
    request.exclusive = dice_.chance(0.05);
    if (dice_.chance(0.1)) request.devices = static_cast<std::uint32_t>(dice_.between(1, 3));
    if (dice_.chance(0.2)) request.request_id = fmt::format("request-{}", ++requests_);
    const auto first = ask(request);
    if (request.request_id.empty() || !first) return;
    // The answer was lost, or another client has the same name for it.
    const auto again = ask(request);
    if (!again || again->id != first->id || !again->repeated) wrong("a request id was answered with another lease");
  }

  std::optional<Booking> ask(const LeaseRequest& request) {
    const auto booking = keeper_->reserve(request);
    if (!booking) {
      if (booking.error().error.message.empty()) wrong("a refusal that says nothing");
      return std::nullopt;
    }
    if (booking->repeated) return *booking;
    const std::uint64_t id = number(booking->id);
    tell("{} for {} MiB: {}", id, request.min.value() >> 20, to_string(booking->state));
    if (id <= last_id_) wrong(fmt::format("lease {} was given out after {}", id, last_id_));
    last_id_ = id + booking->count - 1;
    const Waiting place{.came = clock_.now(),
                        .deadline = clock_.now() + request.wait.value_or(nanoseconds(0)),
                        .priority = request.priority.value_or(0),
                        .min = request.min,
                        .simple = !request.exclusive && request.devices == 1 && !request.max};
    if (booking->state == LeaseState::waiting) {
      waiting_[booking->id] = place;
    } else {
      keeper_->look([&](const Ledger& ledger) { nobody_was_passed(ledger, booking->id, place); });
    }
    return *booking;
  }

  void someone_releases() {
    if (const auto lease = some_lease()) release(lease->id);
  }

  void release(LeaseId id) {
    const auto ended = keeper_->release(id);
    if (!ended) wrong(fmt::format("lease {} cannot be released: {}", number(id), ended.error().message));
    const auto again = keeper_->release(id);
    if (!again || (!again->already && again->state != LeaseState::ended)) wrong("a second release is not the first");
  }

  void someone_resizes() {
    const auto lease = some_lease();
    if (!lease || !is_held(lease->state)) return;
    const Bytes size = from_mib(static_cast<std::uint64_t>(dice_.between(1, 6000)));
    const auto resized = keeper_->resize(lease->id, lease->generation, size);
    if (!resized && size <= lease->min) wrong("less was refused");
    if (resized && keeper_->resize(lease->id, lease->generation, size)) wrong("an old generation was taken");
  }

  void someone_beats() {
    const auto lease = some_lease();
    if (lease && std::holds_alternative<HeartbeatOwner>(lease->owner) && is_held(lease->state) &&
        !keeper_->heartbeat(lease->id)) {
      wrong("a heartbeat was not taken");
    }
  }

  std::optional<Lease> some_lease() {
    const auto leases = keeper_->leases();
    if (leases.empty()) return std::nullopt;
    return dice_.one_of<Lease>(leases);
  }
  std::size_t some_gpu() { return static_cast<std::size_t>(dice_.between(0, static_cast<int>(sizes_.size()) - 1)); }

  void open() {
    keeper_ = Bookkeeper::open(settings_, {.clock = clock_,
                                           .journal = std::make_unique<MemoryJournal>(disk_, boot_id()),
                                           .owners = std::make_unique<Processes::Watch>(processes_),
                                           .boot_id = boot_id()})
                  .value();
  }
  std::string boot_id() const { return fmt::format("boot {}", boots_); }

  // It is killed, perhaps with the machine; some die while nobody looks.
  void restart() {
    std::set<LeaseId> before;
    for (const Lease& lease : keeper_->leases()) {
      if (is_held(lease.state) && std::holds_alternative<StandingOwner>(lease.owner)) before.insert(lease.id);
    }
    keeper_.reset();
    const bool boots = dice_.chance(0.3);
    tell("it is {}", boots ? "booted" : "killed");
    if (boots) ++boots_;
    for (const auto& process : processes_.all()) {
      if (process->lives && (boots || dice_.chance(0.2))) processes_.die(*process, clock_.now());
    }
    processes_.bury(clock_.now());
    waiting_.clear();  // who waits holds a connection, and that is gone
    open();
    if (!keeper_->closed()) wrong("it grants before it has looked at the GPUs");
    for (const Lease& lease : keeper_->leases()) before.erase(lease.id);
    if (!before.empty()) wrong(fmt::format("standing lease {} was lost", number(*before.begin())));
    keeper_->observe(reality());
  }

  static Bytes used(const Processes::Process& process, std::size_t gpu) {
    const auto found = process.uses.find(gpu);
    return found == process.uses.end() ? Bytes(0) : found->second;
  }

  Reality reality() const {
    Reality reality;
    for (std::size_t gpu = 0; gpu < sizes_.size(); ++gpu) {
      DeviceReality& device = reality.devices.emplace_back();
      device.id = fmt::format("GPU-{}", gpu);
      device.index = static_cast<std::uint32_t>(gpu);
      device.total = sizes_[gpu];
      device.processes.emplace();
      Bytes sum{0};
      for (const auto& process : processes_.all()) {
        const Bytes bytes = used(*process, gpu);
        if (bytes == Bytes(0)) continue;
        sum = sum + bytes;
        ObservedProcess& seen = device.processes->emplace_back();
        seen.pid = process->id.pid;
        seen.start_ticks = process->id.start_ticks;
        seen.name = "python3";
        seen.memory = bytes;
        seen.forebears = process->forebears;
      }
      device.used = sum;
    }
    reality.topology = Topology(sizes_.size());
    return reality;
  }

  // What must hold whatever happened.
  void look() {
    keeper_->look([this](const Ledger& ledger) {
      for (const DeviceAccount& account : ledger.devices()) sums_are_right(account);
      for (const Lease& lease : ledger.leases()) {
        const auto* owner = std::get_if<ProcessOwner>(&lease.owner);
        if (owner && is_held(lease.state) && !processes_.lives(*owner)) {
          wrong(fmt::format("lease {} is held by {}, which is dead", number(lease.id), owner->pid));
        }
        note(number(lease.id) * 16 + static_cast<std::uint64_t>(lease.state));
      }
      who_waited(ledger);
    });
  }

  void sums_are_right(const DeviceAccount& account) {
    const std::string& gpu = account.id().text();
    if (!account.capacity() || account.booked() > *account.capacity()) wrong(gpu + ": more is promised than there is");
    const Bytes said = account.facts().used.value_or(Bytes(0));
    const Bytes known = account.observed() + account.unmanaged().value_or(Bytes(0));
    if (known != said) {
      wrong(fmt::format("{}: the driver says {} bytes, the book {}", gpu, said.value(), known.value()));
    }
  }

  void who_waited(const Ledger& ledger) {
    std::vector<std::pair<LeaseId, Waiting>> served;
    for (auto item = waiting_.begin(); item != waiting_.end();) {
      const auto [id, was] = *item;
      const Lease* lease = ledger.find(id);
      if (lease && lease->state == LeaseState::waiting) {
        if (ticked_ > was.deadline) wrong(fmt::format("request {} waits beyond its deadline", number(id)));
        ++item;
        continue;
      }
      item = waiting_.erase(item);
      if (lease) served.emplace_back(id, was);
    }
    for (const auto& [id, was] : served) nobody_was_passed(ledger, id, was);
  }

  // Whoever is served before one that still waits has come at most so much later as his priority outweighs.
  void nobody_was_passed(const Ledger& ledger, LeaseId id, const Waiting& served) {
    ++granted_;
    for (const auto& [other, waits] : waiting_) {
      const Lease* lease = ledger.find(other);
      if (!lease || lease->state != LeaseState::waiting || !waits.simple || waits.min > smallest_gpu()) continue;
      if (rank(served) <= rank(waits)) continue;
      wrong(fmt::format("{} was served before {}, which could have had it and stood before it", number(id),
                        number(other)));
    }
  }
  MonotonicTime rank(const Waiting& waiting) const { return waiting.came - settings_.ageing * waiting.priority; }
  Bytes smallest_gpu() const { return *std::ranges::min_element(sizes_); }

  void nothing_is_left() {
    while (auto* process = processes_.any()) processes_.die(*process, clock_.now());
    for (int i = 0; i < 180; ++i) {  // seconds: longer than anybody waits, and than any driver takes
      go_home();
      clock_.advance(1s);
      processes_.bury(clock_.now());
      keeper_->tick();
      keeper_->observe(reality());
    }
    for (const Lease& lease : keeper_->leases()) {
      wrong(fmt::format("the {} lease {} is {} though everybody is gone", kind_of(lease.owner), number(lease.id),
                        to_string(lease.state)));
    }
    keeper_->look([this](const Ledger& ledger) {
      for (const DeviceAccount& account : ledger.devices()) {
        if (account.available() != account.capacity()) wrong(account.id().text() + ": not all of it came back");
      }
    });
  }

  void wrong(std::string what) { wrong_.push_back(std::move(what)); }
  template <class... Values>
  void tell(fmt::format_string<Values...> format, Values&&... values) const {
    if (trace_)
      trace_(fmt::format("{:6}  ", clock_.now().time_since_epoch() / 1s) +
             fmt::format(format, std::forward<Values>(values)...));
  }
  // FNV-1a.
  void note(std::uint64_t value) { digest_ = (digest_ ^ value) * 0x100000001b3; }

  Dice dice_;
  const Trace& trace_;
  LedgerSettings settings_;
  std::vector<Bytes> sizes_;
  FakeClock clock_;
  Processes processes_;
  const std::shared_ptr<JournalDisk> disk_ = std::make_shared<JournalDisk>();
  std::unique_ptr<Bookkeeper> keeper_;
  int boots_ = 1;

  std::map<LeaseId, Waiting> waiting_;
  MonotonicTime ticked_{};
  std::uint64_t last_id_ = 0;
  std::uint64_t requests_ = 0;
  std::size_t granted_ = 0;
  std::uint64_t digest_ = 0xcbf29ce484222325;
  std::vector<std::string> wrong_;
};

}  // namespace

Outcome run_book(std::uint64_t seed, nanoseconds length, const Trace& trace) {
  return BookWorld(seed, trace).run(length);
}

}  // namespace gpukeeper::simulation
