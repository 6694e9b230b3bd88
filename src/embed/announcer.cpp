#include "embed/announcer.hpp"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "events/event.hpp"
#include "events/snapshot_changes.hpp"

namespace gpukeeper::embed {
namespace {

using Item = std::variant<std::shared_ptr<const Snapshot>, events::Happening, GovernorEvent>;

}  // namespace

class Announcer::Mailbox {
 public:
  void put(Item item) {
    std::scoped_lock lock(mutex_);
    if (items_.size() == kMost) {
      items_.pop_front();
      ++lost_;
    }
    items_.push_back(std::move(item));
    news_.notify_one();
  }

  struct Taken {
    std::deque<Item> items;
    std::uint64_t lost = 0;
  };
  /// Waits for some; none at the stop.
  Taken take(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    news_.wait(lock, stop, [&] { return !items_.empty(); });
    return {std::exchange(items_, {}), std::exchange(lost_, 0)};
  }

 private:
  std::mutex mutex_;
  std::condition_variable_any news_;
  std::deque<Item> items_;  // guarded by mutex_, as below
  std::uint64_t lost_ = 0;
};

/// Of one listener: makes events of what lies in its mailbox. Threads: one, the listener's.
class Announcer::Translator {
 public:
  Translator(EventWishes wishes, Faults faults, std::uint64_t first)
      : wishes_(std::move(wishes)), faults_(std::move(faults)), number_(first) {}

  void know(std::shared_ptr<const Snapshot> snapshot) {
    latest_ = std::move(snapshot);
    changes_.look(*latest_, faults_());
  }

  void lost(std::uint64_t count, const ListenerThread::Say& say) {
    const std::uint64_t number = ++number_;
    say({number, "skipped", std::nullopt,
         fmt::format(R"({{"id":{},"type":"skipped","payload":{{"events":{}}}}})", number, count)});
  }

  void tell(const Item& item, const ListenerThread::Say& say) {
    if (const auto* snapshot = std::get_if<0>(&item)) return tell_changes(*snapshot, say);
    if (const auto* happening = std::get_if<1>(&item)) return tell_event(*happening, say);
    const auto& event = std::get<2>(item);
    if (wishes_.kinds.contains(event.kind)) say(told(++number_, event));
  }

 private:
  void tell_changes(const std::shared_ptr<const Snapshot>& snapshot, const ListenerThread::Say& say) {
    latest_ = snapshot;
    if (wishes_.types.has(events::EventType::snapshot)) {
      events::Event event(++number_, snapshot);
      say(told(number_, *event.text(events::Form::message, filter_), *latest_));
    }
    for (events::Happening& happening : changes_.look(*snapshot, faults_())) tell_event(happening, say);
  }
  void tell_event(const events::Happening& happening, const ListenerThread::Say& say) {
    if (!wishes_.types.has(happening.type)) return;
    events::Event event(++number_, happening);
    say(told(number_, *event.text(events::Form::message, filter_), *latest_));
  }

  const EventWishes wishes_;
  const events::EventFilter filter_ = {.command_lines = true};  // the program's own
  const Faults faults_;
  events::SnapshotChanges changes_;
  std::shared_ptr<const Snapshot> latest_;
  std::uint64_t number_;
};

bool Announcer::is_heard() {
  std::scoped_lock lock(mutex_);
  return std::ranges::any_of(mailboxes_, [](const auto& each) { return !each.expired(); });
}

void Announcer::see(const std::shared_ptr<const Snapshot>& snapshot) {
  std::scoped_lock lock(mutex_);
  std::erase_if(mailboxes_, [](const auto& each) { return each.expired(); });
  for (const auto& each : mailboxes_) {
    if (const auto mailbox = each.lock()) mailbox->put(snapshot);
  }
}

void Announcer::note(const events::Happening& happening) {
  std::scoped_lock lock(mutex_);
  for (const auto& each : mailboxes_) {
    if (const auto mailbox = each.lock()) mailbox->put(happening);
  }
}

void Announcer::note(const GovernorEvent& event) {
  std::scoped_lock lock(mutex_);
  for (const auto& each : mailboxes_) {
    if (const auto mailbox = each.lock()) mailbox->put(event);
  }
}

ListenerThread::Body Announcer::listening(EventWishes wishes, std::shared_ptr<const Snapshot> known, Faults faults,
                                          std::uint64_t first) {
  const auto mailbox = std::make_shared<Mailbox>();
  const auto translator = std::make_shared<Translator>(std::move(wishes), std::move(faults), first);
  {
    std::scoped_lock lock(mutex_);
    mailboxes_.push_back(mailbox);
  }
  return [mailbox, translator, known = std::move(known)](const std::stop_token& stop, const ListenerThread::Say& say) {
    translator->know(known);
    while (!stop.stop_requested()) {
      const auto taken = mailbox->take(stop);
      if (taken.lost > 0) translator->lost(taken.lost, say);
      for (const Item& item : taken.items) translator->tell(item, say);
    }
  };
}

}  // namespace gpukeeper::embed
