// Memory, booked.
#include <chrono>
#include <cmath>
#include <optional>

#include "embed/c/arguments.hpp"
#include "format/lease_request_json.hpp"

namespace gpukeeper::embed::c {
namespace {

constexpr double kLongestWait = 86'400;
constexpr double kLongestTtl = 31 * 86'400.0;

gk_result refuse(const Refused& refused) {
  if (refused.problem.empty()) return fail_with(refused.error);
  const gk_result code = fail_with_problem(refused.status, refused.problem, refused.error.message);
  return refused.error.code == Errc::deadline_exceeded ? GK_TIMEOUT : code;
}

std::chrono::nanoseconds nanoseconds(double seconds) {
  return std::chrono::round<std::chrono::nanoseconds>(std::chrono::duration<double>(seconds));
}

auto wrong(std::string message) {
  return fail(Errc::invalid_argument, std::move(message));
}

Result<Metadata> metadata_of(const char* json) {
  if (!json) return Metadata();
  // By the parser of requests, which is strict.
  auto wish = parse_lease_wish(fmt::format("{{\"metadata\": {}}}", json));
  if (!wish) return wrong("gk_request.metadata_json: " + wish.error().message);
  return std::move(wish->request.metadata);
}

Result<LeaseWishes> wishes_of(const gk_request& c) {
  if (c.bytes > kMostLeaseBytes || c.max_bytes > kMostLeaseBytes) {
    return wrong(fmt::format("gk_request.{} is {}: it takes bytes from 0 to {}",
                             c.bytes > kMostLeaseBytes ? "bytes" : "max_bytes", std::max(c.bytes, c.max_bytes),
                             kMostLeaseBytes));
  }
  if (c.device < GK_ALL_DEVICES) {
    return wrong(fmt::format("gk_request.device is {}: it takes the index of a GPU, or GK_ALL_DEVICES (-1)", c.device));
  }
  if (c.require != 0 && c.device == GK_ALL_DEVICES) {
    return wrong("gk_request.require is set, but device is GK_ALL_DEVICES: say which GPU is required");
  }
  if (!(c.ttl_seconds == 0 || (c.ttl_seconds >= 0.1 && c.ttl_seconds <= kLongestTtl))) {
    return wrong(
        fmt::format("gk_request.ttl_seconds is {}: it takes 0.1 to {:.0f}, or 0 for none", c.ttl_seconds, kLongestTtl));
  }
  if (!(c.wait_seconds >= 0 && c.wait_seconds <= kLongestWait)) {
    return wrong(fmt::format("gk_request.wait_seconds is {}: it takes 0 to {:.0f}", c.wait_seconds, kLongestWait));
  }
  if (c.standing != 0 && c.ttl_seconds != 0) {
    return wrong("gk_request.standing and ttl_seconds are set: a lease stands, or it ends unless it is renewed");
  }
  auto metadata = metadata_of(c.metadata_json);
  if (!metadata) return tl::make_unexpected(metadata.error());
  LeaseWishes wishes;
  LeaseRequest& request = wishes.request;
  request.service = c.service ? c.service : "default";
  request.name = text(c.name);
  request.request_id = text(c.request_id);
  request.min = Bytes(c.bytes);
  if (c.max_bytes != 0) request.max = Bytes(c.max_bytes);
  request.exclusive = c.exclusive != 0;
  if (c.priority != 0) request.priority = c.priority;
  request.require_device = c.require != 0;
  request.surface = c.documented != 0 ? Surface::documented : Surface::native;
  request.metadata = std::move(*metadata);
  if (c.device != GK_ALL_DEVICES) wishes.device = static_cast<std::uint32_t>(c.device);
  wishes.standing = c.standing != 0;
  if (c.ttl_seconds != 0) wishes.ttl = nanoseconds(c.ttl_seconds);
  wishes.wait = nanoseconds(c.wait_seconds);
  return wishes;
}

template <class T>
gk_result code_of(const Answered<T>& answer) {
  return answer ? GK_OK : refuse(answer.error());
}

Result<std::string> document_of(Keeper& keeper, std::uint64_t lease) {
  auto answer = keeper.ask({.method = "GET", .target = fmt::format("/api/v1/leases/{}", lease)});
  if (!answer) return tl::make_unexpected(answer.error());
  return std::move(answer->body);
}

}  // namespace
}  // namespace gpukeeper::embed::c

using namespace gpukeeper;
using namespace gpukeeper::embed;
using namespace gpukeeper::embed::c;

extern "C" {

gk_result gk_allocate(gk_keeper* keeper, const gk_request* request, gk_lease* lease, char** json) {
  return with(keeper, [&](Keeper& k) {
    if (!has_size(request)) return no_size(request, "gk_request");
    if (!has_size(lease)) return no_size(lease, "gk_lease");
    const auto wishes = wishes_of(taken(request));
    if (!wishes) return fail_with(wishes.error());
    const auto granted = k.leases().allocate(*wishes);
    if (!granted) return refuse(granted.error());
    if (json) {
      const auto document = document_of(k, granted->id);
      if (!document) return fail_with(document.error());
      *json = copy_for_caller(*document);
    }
    const gk_lease ours{.size = sizeof ours,
                        .id = granted->id,
                        .bytes = granted->bytes.value(),
                        .fence = granted->fence,
                        .device = granted->device,
                        .fell_back = granted->fell_back ? 1 : 0};
    give(ours, lease);
    return GK_OK;
  });
}

gk_result gk_release(gk_keeper* keeper, uint64_t lease) {
  return with(keeper, [&](Keeper& k) { return code_of(k.leases().release(lease)); });
}

gk_result gk_release_named(gk_keeper* keeper, const char* name, int32_t device) {
  return with(keeper, [&](Keeper& k) {
    if (!name || !*name) return invalid("name is empty: give the one that gk_request.name had");
    if (device < 0) return invalid(fmt::format("device is {}: it takes the index of a GPU", device));
    return code_of(k.leases().release_named(name, static_cast<uint32_t>(device)));
  });
}

gk_result gk_renew(gk_keeper* keeper, uint64_t lease) {
  return with(keeper, [&](Keeper& k) { return code_of(k.leases().renew(lease)); });
}

gk_result gk_resize(gk_keeper* keeper, uint64_t lease, uint64_t bytes) {
  return with(keeper, [&](Keeper& k) {
    if (bytes > kMostLeaseBytes) {
      return invalid(fmt::format("bytes is {}: it takes bytes from 0 to {}", bytes, kMostLeaseBytes));
    }
    return code_of(k.leases().resize(lease, Bytes(bytes)));
  });
}

gk_result gk_available(gk_keeper* keeper, uint32_t index, uint64_t* bytes) {
  return with(keeper, [&](Keeper& k) {
    if (!bytes) return invalid("bytes is NULL: give the address of a uint64_t");
    const auto available = k.leases().available(index);
    if (!available) return refuse(available.error());
    *bytes = available->value();
    return GK_OK;
  });
}

}  // extern "C"
