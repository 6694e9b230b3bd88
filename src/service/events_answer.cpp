#include "service/events_answer.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "core/display_text.hpp"
#include "core/text.hpp"
#include "events/subscription.hpp"
#include "service/authority.hpp"
#include "service/takeover.hpp"

namespace gpukeeper::service {
namespace {

constexpr std::size_t kLongestShown = 64;

Result<std::uint64_t> parse_number(std::string_view name, std::string_view text) {
  const auto number = parse_u64(text);
  if (number) return *number;
  return fail(Errc::invalid_argument,
              fmt::format("{}: '{}' is not the number of an event", name, fit(harmless(text), kLongestShown)));
}

// A client of events, as the server writes to it.
class EventTalk final : public Takeover, public EventDesk::Listener {
 public:
  // A WebSocket takes messages.
  EventTalk(EventDesk& desk, EventsWish wish, Request request, events::Form form)
      : desk_(desk),
        request_(std::move(request)),
        form_(form),
        subscription_(desk.ring(), std::move(wish.filter), form, wish.after) {}
  ~EventTalk() override { leave(); }
  EventTalk(const EventTalk&) = delete;
  EventTalk& operator=(const EventTalk&) = delete;

  const Request& request() const override { return request_; }
  bool is_web_socket() const override { return form_ == events::Form::message; }

  void begin(std::function<void()> wake) override {
    wake_ = std::move(wake);
    desk_.add(*this);
  }
  Said next() override {
    if (farewell_) return {.end = true, .farewell = *farewell_};
    return {.text = subscription_.next()};
  }
  std::shared_ptr<const std::string> heartbeat() override {
    static const auto kComment = std::make_shared<const std::string>(":\n\n");
    return kComment;
  }
  void stop(Farewell why) override {
    farewell_ = std::move(why);
    wake();
  }
  void ended() override { leave(); }
  void wake() override {
    if (wake_) wake_();
  }

 private:
  void leave() {
    if (std::exchange(wake_, nullptr)) desk_.remove(*this);
  }

  EventDesk& desk_;
  const Request request_;
  const events::Form form_;
  events::Subscription subscription_;
  std::function<void()> wake_;  // null before it began and once it has ended
  std::optional<Farewell> farewell_;
};

Response refusal(const Error& error) {
  const bool unknown = error.code == Errc::not_found;
  return problem(unknown ? 404 : 400, unknown ? "not_found" : "invalid_request", harmless(error.message));
}

bool lists(std::optional<std::string_view> header, std::string_view word) {
  if (!header) return false;
  const auto words = split(*header, ',');
  return std::ranges::any_of(words, [&](std::string_view each) { return same_ignoring_case(trim(each), word); });
}

}  // namespace

Result<EventsWish> parse_events_wish(const Request& request, const Snapshot& snapshot) {
  EventsWish wish;
  wish.filter.command_lines = may_read_command_lines(request.who);
  for (const auto& [name, value] : request.query) {
    if (name == "types") {
      const auto types = events::parse_event_types(value);
      if (!types) return tl::make_unexpected(types.error());
      wish.filter.types = *types;
    } else if (name == "device") {
      auto devices = events::parse_event_devices(value, snapshot);
      if (!devices) return tl::make_unexpected(devices.error());
      wish.filter.devices = std::move(*devices);
    } else if (name == "after") {
      const auto after = parse_number(name, value);
      if (!after) return tl::make_unexpected(after.error());
      wish.after = *after;
    } else {
      return fail(Errc::invalid_argument, fmt::format("'{}' is not known here: types, device and after are",
                                                      fit(harmless(name), kLongestShown)));
    }
  }
  if (const auto last = request.header("Last-Event-ID"); last && !last->empty()) {
    const auto after = parse_number("Last-Event-ID", *last);
    if (!after) return tl::make_unexpected(after.error());
    wish.after = *after;
  }
  return wish;
}

Response events_stream(const Request& request, EventDesk& desk, const Snapshot& snapshot) {
  auto wish = parse_events_wish(request, snapshot);
  if (!wish) return refusal(wish.error());
  if (auto refused = desk.full()) return std::move(*refused);
  Response response;
  response.content_type = "text/event-stream";
  // The second is for nginx, which would gather what comes into larger pieces.
  response.headers = {{"Cache-Control", "no-store"}, {"X-Accel-Buffering", "no"}};
  response.takeover = std::make_shared<EventTalk>(desk, std::move(*wish), request, events::Form::stream);
  return response;
}

std::optional<Response> refuse_no_web_socket(const Request& request) {
  const bool asks = request.method == "GET" && request.version == 11 && lists(request.header("Upgrade"), "websocket") &&
                    lists(request.header("Connection"), "upgrade") && request.header("Sec-WebSocket-Key") &&
                    request.header("Sec-WebSocket-Version") == "13";
  if (asks) return std::nullopt;
  auto response = problem(426, "no_web_socket", "this is answered over a WebSocket of RFC 6455 (version 13) only");
  response.headers.emplace_back("Upgrade", "websocket");
  response.headers.emplace_back("Sec-WebSocket-Version", "13");
  return response;
}

Response events_web_socket(const Request& request, EventDesk& desk, const Snapshot& snapshot) {
  if (auto refused = refuse_no_web_socket(request)) return std::move(*refused);
  auto wish = parse_events_wish(request, snapshot);
  if (!wish) return refusal(wish.error());
  if (auto refused = desk.full()) return std::move(*refused);
  Response response;
  response.status = 101;
  response.takeover = std::make_shared<EventTalk>(desk, std::move(*wish), request, events::Form::message);
  return response;
}

}  // namespace gpukeeper::service
