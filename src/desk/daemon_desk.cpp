#include "desk/daemon_desk.hpp"

#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "client/exchange.hpp"
#include "core/display_text.hpp"
#include "format/json_text.hpp"

namespace gpukeeper::desk {

using namespace std::chrono_literals;

namespace {

constexpr auto kBeginPatience = 3s;  // a daemon that has just begun grants nothing until it has looked at the GPUs
constexpr auto kBeginPause = 200ms;
constexpr unsigned kUnavailable = 503;

std::string with_wait(const std::string& body, std::chrono::nanoseconds wait) {
  Json json = Json::parse(body, nullptr, false);
  if (!json.is_object()) return body;
  json["wait_seconds"] = std::chrono::duration<double>(wait).count();
  return dump(json, false);
}

}  // namespace

Result<DeskReply> DaemonDesk::ask(const DeskQuestion& question) {
  client::Limits limits;
  limits.answer += std::chrono::ceil<std::chrono::milliseconds>(question.patience);
  std::string body = question.body;
  if (question.wait > 0ns) {
    body = with_wait(body, question.wait);
    limits.answer += std::chrono::ceil<std::chrono::milliseconds>(question.wait);
  }
  const auto until = clock_.now() + kBeginPatience;
  for (;;) {
    const client::Question asked{
        .method = question.method, .target = question.target, .json = body, .token = token_, .trust = trust_.get()};
    auto reply = client::exchange(address_, asked, limits);
    if (!reply) {
      return fail(reply.error().code,
                  fmt::format("the gpukeeper daemon at {}: {}", harmless(address_.to_string()), reply.error().message));
    }
    if (reply->status != kUnavailable || clock_.now() >= until) {
      return DeskReply{reply->status, std::move(reply->body)};
    }
    clock_.sleep_until(clock_.now() + kBeginPause, {});
  }
}

std::optional<Bytes> DaemonDesk::observed(const std::string& id, const std::string&) {
  const auto reply = ask({.method = "GET", .target = "/api/v1/leases/" + id});
  if (!reply || !reply->good()) return std::nullopt;
  const Json document = Json::parse(reply->body, nullptr, false);
  const auto leases = document.is_object() ? document.find("leases") : document.end();
  if (!document.is_object() || leases == document.end() || !leases->is_array() || leases->empty()) return std::nullopt;
  const Json& bytes = leases->front().is_object() ? leases->front().value("observed_bytes", Json()) : Json();
  return bytes.is_number_unsigned() ? std::optional(Bytes(bytes.get<std::uint64_t>())) : std::nullopt;
}

}  // namespace gpukeeper::desk
