#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "events/event_filter.hpp"
#include "events/happening.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper::events {

/// How an event is written.
enum class Form : std::uint8_t {
  message,  ///< {"id": 7, "type": "fault", "timestamp": "…", "payload": {…}} on one line
  stream,   ///< the same as a Server-Sent Event (HTML Living Standard, 9.2): id, event and data
};

/// Text of an event, shared by all who are sent it.
using Text = std::shared_ptr<const std::string>;

/// A message about the events themselves, which has no number: a listener that resumes does so behind the last event.
Text notice(Form form, std::string_view type, std::string_view payload);

/// Something that happened, with its number. It is written when somebody wants to read it, once for all who may read
/// the same.
///
/// Threads: one.
class Event {
 public:
  Event(std::uint64_t id, Happening happening);
  Event(std::uint64_t id, std::shared_ptr<const Snapshot> snapshot);

  std::uint64_t id() const { return id_; }
  EventType type() const { return happening_.type; }
  bool fits(const EventFilter& filter) const { return filter.fits(type(), happening_.devices); }

  /// What it holds is no longer kept: it only says that it was there.
  bool forgotten() const { return forgotten_; }
  void forget();
  std::size_t bytes() const { return happening_.payload.size(); }

  /// Never null; of one that is not forgotten.
  Text text(Form form, const EventFilter& filter);

 private:
  struct Written {
    Form form;
    std::vector<std::string> devices;
    bool command_lines;
    Text text;
  };
  std::string message(const EventFilter& filter) const;

  const std::uint64_t id_;
  Happening happening_;                       // its payload is empty where there is a snapshot
  std::shared_ptr<const Snapshot> snapshot_;  // null of all but ticks
  std::vector<Written> written_;
  bool forgotten_ = false;
};

}  // namespace gpukeeper::events
