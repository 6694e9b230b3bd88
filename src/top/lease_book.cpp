#include "top/lease_book.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "format/bounded_json.hpp"
#include "format/json_object.hpp"

namespace gpukeeper::top {
namespace {

constexpr std::size_t kMostLeases = 100'000;

std::optional<Bytes> bytes_in(const JsonObject& object, std::string_view name) {
  const auto bytes = object.whole(name);
  return bytes ? std::optional(Bytes(*bytes)) : std::nullopt;
}

std::string number_text(const std::optional<std::int64_t>& number) {
  return number ? fmt::format("{}", *number) : std::string();
}

std::string owner_in(const Json& lease) {
  const Json* owner = JsonObject(lease).find("owner");
  if (owner == nullptr) return {};
  const std::string pid = number_text(JsonObject(*owner).integer("pid"));
  return JsonObject(*owner).text("kind") + (pid.empty() ? "" : " " + pid);
}

LeaseLine line_of(const Json& json) {
  const JsonObject lease(json);
  LeaseLine line{.id = lease.text("id"),
                 .service = lease.text("service"),
                 .name = lease.text("name"),
                 .device = lease.text("device"),
                 .gpu = number_text(lease.integer("index")),
                 .state = lease.text("state"),
                 .reason = lease.text("reason"),
                 .user = lease.text("user"),
                 .owner = owner_in(json)};
  if (line.user.empty()) line.user = number_text(lease.integer("uid"));
  line.least = bytes_in(lease, "min_bytes").value_or(Bytes(0));
  line.most = bytes_in(lease, "max_bytes").value_or(line.least);
  line.observed = bytes_in(lease, "observed_bytes");
  line.priority = lease.integer("priority").value_or(0);
  line.overused = lease.flag("overused");
  line.created = lease.text("created");
  line.ends_in_seconds = lease.number("ends_in_seconds");
  return line;
}

}  // namespace

Result<LeaseBook> parse_lease_book(std::string_view json) {
  const Json document = parse_bounded(json);
  const JsonObject object(document);
  const Json* leases = object.find("leases");
  if (leases == nullptr || !leases->is_array()) {
    return fail(Errc::internal, "the daemon's answer is no list of leases");
  }
  if (leases->size() > kMostLeases) return fail(Errc::internal, "the daemon's answer has too many leases");
  LeaseBook book{.closed = object.text("closed")};
  for (const Json& lease : *leases) {
    if (lease.is_object()) book.leases.push_back(line_of(lease));
  }
  std::map<std::string, std::size_t> turn;  // of those that wait
  if (const Json* waiting = object.find("waiting"); waiting != nullptr && waiting->is_array()) {
    for (const Json& id : *waiting) {
      if (id.is_string()) turn.emplace(id.get<std::string>(), turn.size() + 1);
    }
  }
  book.waiting = turn.size();
  const auto turn_of = [&](const LeaseLine& line) {
    const auto found = turn.find(line.id);
    return found == turn.end() ? std::size_t{0} : found->second;
  };
  std::ranges::stable_sort(book.leases, {}, turn_of);
  return book;
}

}  // namespace gpukeeper::top
