#include "events/lease_happening.hpp"

#include "format/json_text.hpp"

namespace gpukeeper::events {
namespace {

EventType type_of(LedgerEvent::Kind kind) {
  switch (kind) {
    case LedgerEvent::Kind::granted: return EventType::lease_granted;
    case LedgerEvent::Kind::ended: return EventType::lease_ended;
    case LedgerEvent::Kind::draining: return EventType::lease_draining;
    case LedgerEvent::Kind::leaked: return EventType::lease_leaked;
    case LedgerEvent::Kind::overused: return EventType::lease_overused;
    case LedgerEvent::Kind::overuse_over: return EventType::lease_overuse_over;
  }
  return EventType::lease_ended;
}

}  // namespace

LeaseHappening lease_happening(const LedgerEvent& event, const Lease& lease) {
  const bool over = lease.reason != EndReason::none;
  return {.type = type_of(event.kind),
          .id = lease.id,
          .service = std::string(lease.service.text()),
          .device = std::string(lease.device.text()),
          .reason = over ? std::string(to_string(lease.reason)) : std::string(),
          .note = event.note};
}

Happening happening_of(const LeaseHappening& lease, WallTime at) {
  const Json payload = {{"lease", std::to_string(number(lease.id))},
                        {"service", lease.service},
                        {"device", text_or_null(lease.device)},
                        {"reason", text_or_null(lease.reason)},
                        {"note", text_or_null(lease.note)}};
  std::vector<std::string> devices;
  if (!lease.device.empty()) devices.push_back(lease.device);
  return {.type = lease.type, .at = at, .devices = std::move(devices), .payload = dump(payload, false)};
}

}  // namespace gpukeeper::events
