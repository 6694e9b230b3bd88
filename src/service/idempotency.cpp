#include "service/idempotency.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include <fmt/format.h>

namespace gpukeeper::service {
namespace {

constexpr std::size_t kLongestKey = 255;
constexpr auto kKnownFor = std::chrono::hours(24);
constexpr auto kAnsweredWithin = std::chrono::minutes(1);  // or whoever was to answer is gone

// Whose it is, and what for.
std::string place_of(const Request& request, const std::string& key) {
  return fmt::format("{}\n{}\n{}\n{}", request.who.name, request.method, request.path, key);
}

}  // namespace

Result<std::optional<std::string>> idempotency_key(const Request& request) {
  const auto header = request.header("Idempotency-Key");
  if (!header) return std::optional<std::string>();
  const bool printable = std::ranges::all_of(*header, [](char c) { return c >= ' ' && c <= '~'; });
  if (header->empty() || header->size() > kLongestKey || !printable) {
    return fail(Errc::invalid_argument,
                fmt::format("Idempotency-Key takes 1 to {} printable characters, such as a UUID", kLongestKey));
  }
  return std::optional(std::string(*header));
}

void Idempotency::forget_old() {
  const auto now = clock_.now();
  const auto is_old = [&](const std::string& place) {
    const auto found = known_.find(place);
    return found == known_.end() || now - found->second.at > kKnownFor || known_.size() >= kMost;
  };
  while (!order_.empty() && is_old(order_.front())) {
    known_.erase(order_.front());
    order_.pop_front();
  }
}

std::optional<Response> Idempotency::begin(const Request& request) {
  const auto key = idempotency_key(request);
  if (!key) return problem(400, "bad_request", key.error().message);
  if (!*key) return std::nullopt;
  const std::string place = place_of(request, **key);
  const std::size_t body = std::hash<std::string>()(request.body);
  std::scoped_lock lock(mutex_);
  const auto found = known_.find(place);
  if (found == known_.end()) {
    forget_old();
    known_[place] = {body, clock_.now(), std::nullopt};
    order_.push_back(place);
    return std::nullopt;
  }
  Known& known = found->second;
  if (known.body != body) {
    return problem(409, "idempotency_key_misused",
                   "this Idempotency-Key came with another body before: take a new key for a new request");
  }
  if (known.answer) {
    Response again = *known.answer;
    again.headers.emplace_back("Idempotency-Replayed", "true");
    return again;
  }
  if (clock_.now() - known.at > kAnsweredWithin) {
    known.at = clock_.now();
    return std::nullopt;
  }
  auto response = problem(409, "idempotency_key_in_use",
                          "the request with this Idempotency-Key is not answered yet: ask again in a second");
  response.headers.emplace_back("Retry-After", "1");
  return response;
}

void Idempotency::end(const Request& request, const Response* answer) {
  const auto key = idempotency_key(request);
  if (!key || !*key) return;
  std::scoped_lock lock(mutex_);
  const auto found = known_.find(place_of(request, **key));
  if (found == known_.end()) return;
  if (answer) {
    found->second.answer = *answer;
  } else {
    std::erase(order_, found->first);
    known_.erase(found);
  }
}

Answer idempotent(Answer answer, std::shared_ptr<Idempotency> keys) {
  return [answer = std::move(answer), keys = std::move(keys)](const Request& request) {
    if (auto known = keys->begin(request)) return std::move(*known);
    Response response = answer(request);
    keys->end(request, response.status < 300 ? &response : nullptr);
    return response;
  };
}

}  // namespace gpukeeper::service
