#include "embed/asked_leases.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "core/display_text.hpp"
#include "core/text.hpp"
#include "desk/lease_desk.hpp"
#include "format/json_text.hpp"

namespace gpukeeper::embed {

using namespace std::chrono_literals;

namespace {

constexpr std::chrono::nanoseconds kLongestWait = 24h;  // that a daemon takes; who waits for longer asks again

Json parsed(const std::string& text) {
  Json document = Json::parse(text, nullptr, false);
  return document.is_object() ? document : Json::object();
}

const Json& member(const Json& object, const char* name) {
  static const Json& none = *new Json();
  const auto found = object.is_object() ? object.find(name) : object.end();
  return object.is_object() && found != object.end() ? *found : none;
}

std::uint64_t count(const Json& value) {
  if (value.is_number_unsigned()) return value.get<std::uint64_t>();
  return value.is_string() ? parse_u64(value.get<std::string>()).value_or(0) : 0;
}

std::string text(const Json& value) {
  return value.is_string() ? value.get<std::string>() : std::string();
}

GrantedLease lease_of(const Json& lease, const Json& note) {
  const Json& index = member(lease, "index");
  return {.id = count(member(lease, "id")),
          .bytes = Bytes(count(member(lease, "min_bytes"))),
          .fence = count(member(lease, "fencing_token")),
          .device = index.is_number_unsigned() ? static_cast<std::int32_t>(index.get<std::uint32_t>()) : -1,
          .fell_back = note.is_string()};
}

Json body_of(const LeaseWishes& wishes) {
  const LeaseRequest& request = wishes.request;
  Json body = {{"service", request.service},
               {"min_bytes", request.min.value()},
               {"owner", wishes.standing ? "standing"
                         : wishes.ttl    ? "heartbeat"
                                         : "process"}};
  if (request.max) body["max_bytes"] = request.max->value();
  if (!request.name.empty()) body["name"] = request.name;
  if (!request.request_id.empty()) body["request_id"] = request.request_id;
  if (wishes.device) body["device"] = std::to_string(*wishes.device);
  if (request.require_device) body["require_device"] = true;
  if (request.exclusive) body["exclusive"] = true;
  if (request.priority) body["priority"] = *request.priority;
  if (wishes.ttl) body["ttl_seconds"] = std::chrono::duration<double>(*wishes.ttl).count();
  for (const auto& [name, value] : request.metadata) body["metadata"][name] = value;
  return body;
}

bool may_come(const Refused& refused) {
  return member(member(parsed(refused.problem), "refusal"), "may_come") == Json(true);
}

}  // namespace

Answered<std::string> AskedLeases::say(std::string_view method, const std::string& target, const std::string& body,
                                       std::chrono::nanoseconds wait) {
  auto answer = ask_({.method = method, .target = target, .body = body}, wait);
  if (!answer) return refused(answer.error());
  if (answer->good()) return std::move(answer->body);
  const Json problem = parsed(answer->body);
  std::string detail = text(member(problem, "detail"));
  if (detail.empty()) detail = text(member(problem, "error"));
  return tl::make_unexpected(Refused{{desk::code_of(answer->status), std::move(detail)}, answer->status, answer->body});
}

Answered<GrantedLease> AskedLeases::allocate(const LeaseWishes& wishes) {
  if (wishes.request.surface == Surface::documented) return allocate_documented(wishes);
  SystemClock clock;
  Json body = body_of(wishes);
  const auto until = clock.now() + wishes.wait;
  for (;;) {
    const auto wait = std::clamp<std::chrono::nanoseconds>(until - clock.now(), 0ns, kLongestWait);
    if (wait > 0ns) body["wait_seconds"] = std::chrono::duration<double>(wait).count();
    auto answer = say("POST", "/api/v1/leases", dump(body, false), wait);
    if (answer) {
      const Json document = parsed(*answer);
      const Json& leases = member(document, "leases");
      return lease_of(leases.is_array() && !leases.empty() ? leases.front() : Json(), member(document, "note"));
    }
    Refused& no = answer.error();
    if (interrupt_->raised()) return refused(Errc::unavailable, "the keeper is being closed");
    if (wishes.wait == 0ns || !may_come(no)) return tl::make_unexpected(std::move(no));
    if (clock.now() >= until) {
      no.error.code = Errc::deadline_exceeded;
      return tl::make_unexpected(std::move(no));
    }
  }
}

// By the door of the GPU manager, which names a lease by its name alone.
Answered<GrantedLease> AskedLeases::allocate_documented(const LeaseWishes& wishes) {
  const std::uint32_t device = wishes.device.value_or(0);
  const Json body = {{"allocation_id", wishes.request.name},
                     {"required_mb", static_cast<double>(wishes.request.min.value()) / (1 << 20)},
                     {"gpu_id", device}};
  const auto answer = say("POST", "/api/gpu/memory/allocate", dump(body, false));
  if (!answer) return tl::make_unexpected(answer.error());
  return find_named(wishes.request.name, device);
}

Answered<GrantedLease> AskedLeases::find_named(const std::string& name, std::uint32_t device) {
  const auto answer = say("GET", fmt::format("/api/v1/leases?device={}", device));
  if (!answer) return tl::make_unexpected(answer.error());
  const Json document = parsed(*answer);
  const Json& leases = member(document, "leases");
  for (const Json& lease : leases.is_array() ? leases : Json::array()) {
    const std::string state = text(member(lease, "state"));
    if (text(member(lease, "name")) == name && state != "draining" && state != "leaked") return lease_of(lease, Json());
  }
  return refused(Errc::not_found, fmt::format("no lease is called '{}' on GPU {}", harmless(name), device));
}

Answered<void> AskedLeases::release(std::uint64_t id) {
  const auto answer = say("DELETE", fmt::format("/api/v1/leases/{}", id));
  return answer ? Answered<void>() : tl::make_unexpected(answer.error());
}

Answered<void> AskedLeases::release_named(const std::string& name, std::uint32_t device) {
  const auto lease = find_named(name, device);
  return lease ? release(lease->id) : tl::make_unexpected(lease.error());
}

Answered<void> AskedLeases::renew(std::uint64_t id) {
  const auto answer = say("POST", fmt::format("/api/v1/leases/{}/heartbeat", id));
  return answer ? Answered<void>() : tl::make_unexpected(answer.error());
}

Answered<void> AskedLeases::resize(std::uint64_t id, Bytes bytes) {
  const auto answer =
      say("PATCH", fmt::format("/api/v1/leases/{}", id), fmt::format(R"({{"min_bytes":{}}})", bytes.value()));
  return answer ? Answered<void>() : tl::make_unexpected(answer.error());
}

Answered<Bytes> AskedLeases::available(std::uint32_t device) {
  const auto answer = say("GET", fmt::format("/api/v1/leases?device={}", device));
  if (!answer) return tl::make_unexpected(answer.error());
  const Json document = parsed(*answer);
  const Json& devices = member(document, "devices");
  const Json& bytes = devices.is_array() && !devices.empty() ? member(devices.front(), "available_bytes") : Json();
  if (bytes.is_number_unsigned()) return Bytes(bytes.get<std::uint64_t>());
  return refused(Errc::unavailable, fmt::format("what could be booked on GPU {} is not known", device));
}

}  // namespace gpukeeper::embed
