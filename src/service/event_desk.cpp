#include "service/event_desk.hpp"

#include <utility>
#include <vector>

#include <fmt/format.h>

namespace gpukeeper::service {

void EventDesk::connect(After after, Faults faults) {
  std::scoped_lock lock(mutex_);
  after_ = std::move(after);
  faults_ = std::move(faults);
  call_server();
}

void EventDesk::disconnect() {
  std::scoped_lock lock(mutex_);
  closed_ = true;
  after_ = nullptr;
  faults_ = nullptr;
  waiting_.clear();
  leases_.clear();
}

void EventDesk::see(std::shared_ptr<const Snapshot> snapshot) {
  std::scoped_lock lock(mutex_);
  if (closed_) return;
  if (waiting_.size() == kSnapshots) waiting_.pop_front();  // what follows shows what was new in it, too
  waiting_.push_back(std::move(snapshot));
  call_server();
}

void EventDesk::note(events::LeaseHappening lease, WallTime at) {
  std::scoped_lock lock(mutex_);
  if (closed_) return;
  if (leases_.size() == kLeases) leases_.pop_front();
  leases_.push_back(events::happening_of(lease, at));
  call_server();
}

void EventDesk::after(std::chrono::milliseconds delay, std::function<void()> what) {
  std::scoped_lock lock(mutex_);
  if (after_) after_(delay, std::move(what));
}

// Under the lock: the server's thread takes all that is there, so it is called once.
void EventDesk::call_server() {
  if (!after_ || called_ || (waiting_.empty() && leases_.empty())) return;
  called_ = true;
  after_({}, [this] { take(); });
}

void EventDesk::take() {
  std::deque<std::shared_ptr<const Snapshot>> snapshots;
  std::deque<events::Happening> leases;
  Faults faults;
  {
    std::scoped_lock lock(mutex_);
    called_ = false;
    snapshots.swap(waiting_);
    leases.swap(leases_);
    faults = faults_;
  }
  if (!faults) return;
  for (events::Happening& lease : leases) ring_.add(std::move(lease));
  for (const auto& snapshot : snapshots) {
    ring_.add(snapshot);
    for (events::Happening& happening : changes_.look(*snapshot, faults())) ring_.add(std::move(happening));
  }
  const std::vector<Listener*> all(listeners_.begin(), listeners_.end());
  for (Listener* const listener : all) listener->wake();
}

std::optional<Response> EventDesk::full() const {
  if (listeners_.size() < most_) return std::nullopt;
  auto response =
      problem(503, "too_many_listeners",
              fmt::format("{} clients listen to events, and no more may (events.clients): try again later", most_));
  response.headers.emplace_back("Retry-After", "5");
  return response;
}

void EventDesk::add(Listener& listener) {
  listeners_.insert(&listener);
  clients_ = listeners_.size();
}

void EventDesk::remove(Listener& listener) {
  listeners_.erase(&listener);
  clients_ = listeners_.size();
}

std::vector<events::LeaseHappening> happenings_of(const Bookkeeper::Served& served) {
  const bool granted = served.kind == Bookkeeper::Served::Kind::granted;
  const auto over = served.draining ? events::EventType::lease_draining : events::EventType::lease_ended;
  std::vector<events::LeaseHappening> result;
  for (std::size_t i = 0; i < served.leases.size(); ++i) {
    result.push_back({.type = granted ? events::EventType::lease_granted : over,
                      .id = served.leases[i],
                      .service = served.service,
                      .device = served.devices[i],
                      .reason = granted ? std::string() : std::string(to_string(served.reason)),
                      .note = {}});
  }
  return result;
}

void tell_served(EventDesk& desk, const Bookkeeper::Served& served, WallTime at) {
  for (events::LeaseHappening& each : happenings_of(served)) desk.note(std::move(each), at);
}

}  // namespace gpukeeper::service
