#pragma once

#include <memory>
#include <optional>

#include "core/result.hpp"
#include "events/event_filter.hpp"
#include "service/event_desk.hpp"
#include "service/http.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper::service {

/// What a listener asks for.
struct EventsWish {
  events::EventFilter filter;
  std::optional<std::uint64_t> after;  ///< the last event that it has
};

/// Reads ?types=, ?device= and ?after=, and Last-Event-ID, which a browser sends when it comes back and which so stands
/// above ?after=. Foreign input.
/// Errors: invalid_argument; not_found for a GPU that is not there.
Result<EventsWish> parse_events_wish(const Request& request, const Snapshot& snapshot);

/// GET /api/v1/events/stream: Server-Sent Events, for as long as the client stays. 400, 404, 503.
///
/// Threads: one, the server's.
Response events_stream(const Request& request, EventDesk& desk, const Snapshot& snapshot);

/// GET /api/v1/events: the same over a WebSocket, a message each. 426 for a request for none.
///
/// Threads: one, the server's.
Response events_web_socket(const Request& request, EventDesk& desk, const Snapshot& snapshot);

/// The refusal of a request for anything but a WebSocket of RFC 6455; nothing for one.
std::optional<Response> refuse_no_web_socket(const Request& request);

}  // namespace gpukeeper::service
