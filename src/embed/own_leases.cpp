#include "embed/own_leases.hpp"

#include <algorithm>
#include <utility>

#include <unistd.h>

#include <fmt/format.h>

#include "booking/pidfd_watch.hpp"
#include "core/display_text.hpp"
#include "service/leases_answer.hpp"

namespace gpukeeper::embed {

using namespace std::chrono_literals;

namespace {

constexpr std::chrono::nanoseconds kMemoryPause = 10ms;  // from try to try of who waits for room
constexpr std::chrono::nanoseconds kDiskPause = 200ms;   // the lock is everybody's

const DeviceSnapshot* find_device(const Snapshot& snapshot, std::uint32_t index) {
  const auto found = std::ranges::find(snapshot.devices, index, &DeviceSnapshot::index);
  return found == snapshot.devices.end() ? nullptr : &*found;
}

tl::unexpected<Refused> no_such_device(std::uint32_t index) {
  return refused(Errc::not_found, fmt::format("there is no GPU {} to book on", index));
}

// As it is told over HTTP, with what is in the way.
Refused told(const Refusal& refusal) {
  auto response = service::refusal_answer(refusal);
  return {{refusal.error.code, refusal.text()}, response.status, response.body ? *response.body : std::string()};
}

std::int32_t index_of(const Snapshot& snapshot, const Symbol& device) {
  for (const DeviceSnapshot& each : snapshot.devices) {
    if (device == each.device->id.text) return static_cast<std::int32_t>(each.index);
  }
  return -1;
}

Refused timed_out(Refused last, std::chrono::nanoseconds waited) {
  last.error = {
      Errc::deadline_exceeded,
      fmt::format("waited {} s in vain: {}", std::chrono::duration<double>(waited).count(), last.error.message)};
  return last;
}

}  // namespace

OwnLeases::OwnLeases(desk::OwnBook& book, Look look, std::shared_ptr<Interrupt> interrupt)
    : book_(book),
      look_(std::move(look)),
      interrupt_(std::move(interrupt)),
      uid_(::geteuid()),
      self_(process_now(::getpid()).value_or(ProcessOwner{::getpid(), 0})) {}

template <class T, class Work>
Answered<T> OwnLeases::with_book(const Work& work) {
  const auto snapshot = look_();
  if (!snapshot) return refused(snapshot.error());
  std::optional<Answered<T>> answer;
  const auto done =
      book_.with(**snapshot, [&](const StateDirectory*, Bookkeeper& book) { answer = work(**snapshot, book); });
  if (!done) return refused(done.error());
  return std::move(*answer);
}

Answered<GrantedLease> OwnLeases::allocate(const LeaseWishes& wishes) {
  LeaseRequest request = wishes.request;
  request.uid = uid_;
  request.owner = self_;
  if (wishes.standing) request.owner = StandingOwner{};
  if (wishes.ttl) request.owner = HeartbeatOwner{*wishes.ttl};
  const auto until = clock_.now() + wishes.wait;
  const auto pause = book_.place().folder == std::string() ? kMemoryPause : kDiskPause;
  for (;;) {
    bool may_come = false;
    auto answer = try_to_allocate(request, wishes.device, may_come);
    if (answer || !may_come || wishes.wait == 0ns) return answer;
    const auto left = until - clock_.now();
    if (left <= 0ns) return tl::make_unexpected(timed_out(answer.error(), wishes.wait));
    interrupt_->wait(std::min<std::chrono::nanoseconds>(left, pause), [] { return false; });
    if (interrupt_->raised()) return refused(Errc::unavailable, "the keeper is being closed");
  }
}

Answered<GrantedLease> OwnLeases::try_to_allocate(const LeaseRequest& request, std::optional<std::uint32_t> device,
                                                  bool& may_come) {
  return with_book<GrantedLease>([&](const Snapshot& snapshot, Bookkeeper& book) -> Answered<GrantedLease> {
    LeaseRequest wanted = request;
    if (device) {
      const DeviceSnapshot* const there = find_device(snapshot, *device);
      if (!there) return no_such_device(*device);
      wanted.device = there->device->id.text;
    }
    const auto booking = book.reserve(wanted);
    if (!booking) {
      may_come = booking.error().may_come;
      return tl::make_unexpected(told(booking.error()));
    }
    GrantedLease granted{.id = number(booking->id), .fell_back = !booking->note.empty()};
    book.look([&](const Ledger& ledger) {
      const Lease* const lease = ledger.find(booking->id);
      if (!lease) return;
      granted.bytes = lease->min;
      granted.fence = lease->fencing_token;
      granted.device = index_of(snapshot, lease->device);
    });
    return granted;
  });
}

Answered<void> OwnLeases::release(std::uint64_t id) {
  return with_book<void>([&](const Snapshot&, Bookkeeper& book) -> Answered<void> {
    const auto ending = book.release(LeaseId{id});
    return ending ? Answered<void>() : refused(ending.error());
  });
}

Answered<void> OwnLeases::release_named(const std::string& name, std::uint32_t device) {
  return with_book<void>([&](const Snapshot& snapshot, Bookkeeper& book) -> Answered<void> {
    const DeviceSnapshot* const there = find_device(snapshot, device);
    if (!there) return no_such_device(device);
    std::optional<LeaseId> id;
    book.look([&](const Ledger& ledger) {
      if (const Lease* const lease = ledger.find(there->device->id.text, name)) id = lease->id;
    });
    if (!id) {
      return refused(Errc::not_found, fmt::format("no lease is called '{}' on GPU {}", harmless(name), device));
    }
    const auto ending = book.release(*id);
    return ending ? Answered<void>() : refused(ending.error());
  });
}

Answered<void> OwnLeases::renew(std::uint64_t id) {
  return with_book<void>([&](const Snapshot&, Bookkeeper& book) -> Answered<void> {
    const auto until = book.heartbeat(LeaseId{id});
    return until ? Answered<void>() : refused(until.error());
  });
}

Answered<void> OwnLeases::resize(std::uint64_t id, Bytes bytes) {
  return with_book<void>([&](const Snapshot&, Bookkeeper& book) -> Answered<void> {
    const auto booking = book.resize(LeaseId{id}, std::nullopt, bytes);
    return booking ? Answered<void>() : tl::make_unexpected(told(booking.error()));
  });
}

Answered<Bytes> OwnLeases::available(std::uint32_t device) {
  return with_book<Bytes>([&](const Snapshot& snapshot, Bookkeeper& book) -> Answered<Bytes> {
    const DeviceSnapshot* const there = find_device(snapshot, device);
    if (!there) return no_such_device(device);
    Metric<Bytes> available = missing(Missing::not_yet_read);
    book.look([&](const Ledger& ledger) {
      if (const auto* account = ledger.device(there->device->id.text)) available = account->available();
    });
    if (available) return *available;
    return refused(Errc::unavailable, fmt::format("what could be booked on GPU {} is not known: its memory is {}",
                                                  device, describe(available.error())));
  });
}

}  // namespace gpukeeper::embed
