#include "cli/allocate.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/document.hpp"
#include "cli/leases_page.hpp"
#include "cli/memory_size.hpp"
#include "cli/past_of_daemon.hpp"
#include "core/display_text.hpp"
#include "core/text.hpp"
#include "format/human.hpp"

namespace gpukeeper::cli {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kLeases = "/api/v1/leases";
constexpr auto kLook = 250ms;  // from look to look, until it is back

std::string lease_path(std::string_view id) {
  return fmt::format("{}/{}", kLeases, id);
}

Result<void> check_id(const std::string& id) {
  if (parse_u64(id).value_or(0) > 0 && std::ranges::all_of(id, [](char c) { return c >= '0' && c <= '9'; })) return {};
  return fail(Errc::invalid_argument,
              fmt::format("a lease is named by its number, as gpukeeper leases shows it, not '{}'", harmless(id)));
}

bool may_come(const DeskReply& reply) {
  return flag_in(member(parse_document(reply.body), "refusal"), "may_come");
}

// Of these leases, which are held.
std::vector<const Json*> held(const Json& document) {
  std::vector<const Json*> result;
  for (const Json& lease : list_in(document, "leases")) {
    const std::string state = text_in(lease, "state");
    if (state != "draining" && state != "leaked") result.push_back(&lease);
  }
  return result;
}

std::string gpu_of(const Json& lease) {
  const auto index = count_in(lease, "index");
  return index ? fmt::format(" on GPU {}", *index) : std::string();
}

// Once more until it does not drain any more, or too long. The lease as it is then.
Result<Json> when_back(LeaseDesk& desk, const std::string& id, Context& context) {
  const auto until = context.clock.now() + context.settings.book.ledger.deallocation_timeout;
  for (;;) {
    auto answer = ask(desk, {.method = "GET", .target = lease_path(id)}, context);
    if (!answer) return tl::make_unexpected(answer.error());
    const Json document = parse_document(*answer);
    const Json& leases = list_in(document, "leases");
    Json lease = leases.empty() ? Json::object() : leases.front();
    if (text_in(lease, "state") != "draining" || context.clock.now() >= until) return lease;
    context.clock.sleep_until(context.clock.now() + kLook, {});
  }
}

}  // namespace

Result<std::string> booking_request(const BookingOptions& options, std::string_view owner) {
  const auto min = parse_memory(options.memory);
  if (!min) return tl::make_unexpected(min.error());
  Json body = {{"service", options.service}, {"min_bytes", min->value()}, {"owner", owner}};
  if (!options.most.empty()) {
    const auto max = parse_memory(options.most);
    if (!max) return tl::make_unexpected(max.error());
    body["max_bytes"] = max->value();
  }
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) body[name] = value;
  };
  add("device", options.device);
  add("name", options.name);
  add("request_id", options.request_id);
  add("strategy", options.strategy);
  if (options.require_device) body["require_device"] = true;
  if (options.exclusive) body["exclusive"] = true;
  if (options.priority) body["priority"] = *options.priority;
  if (options.gpus) body["devices"] = *options.gpus;
  if (options.lifetime) body["lifetime_seconds"] = std::chrono::duration<double>(*options.lifetime).count();
  return dump(body, false);
}

Result<DeskReply> book(LeaseDesk& desk, const BookingOptions& options, std::string_view owner, Context& context) {
  auto body = booking_request(options, owner);
  if (!body) return tl::make_unexpected(body.error());
  for (const std::string& amount : {options.memory, options.most}) {
    if (const std::string remark = memory_remark(amount); !remark.empty()) context.remark(remark);
  }
  DeskQuestion question{.method = "POST", .target = std::string(kLeases), .body = std::move(*body)};
  auto reply = desk.ask(question);
  if (!reply || reply->good() || !options.wait || !may_come(*reply)) return reply;
  const std::string why = text_in(parse_document(reply->body), "detail");
  context.remark(fmt::format("waiting for room: {}", harmless(why.substr(0, why.find('\n')))));
  question.wait = *options.wait;
  return desk.ask(question);
}

Exit allocate(const AllocateOptions& options, Context& context) {
  auto desk = open_desk(options.desk, context);
  if (!desk) return tl::make_unexpected(desk.error());
  const auto reply = book(**desk, options.booking, "standing", context);
  if (!reply) return tl::make_unexpected(reply.error());
  const RenderOptions page = render_options(context);
  if (options.json) {
    const auto printed = print(context, dump(parse_document(reply->body), true) + "\n");
    if (!printed || reply->good()) return printed;
  }
  if (!reply->good()) return tl::make_unexpected(refusal_of(*reply, page.width, page.utf8));
  std::string text = render_grant(reply->body, page);
  const Json document = parse_document(reply->body);
  const Json& leases = list_in(document, "leases");
  if (!leases.empty() && !number_in(leases.front(), "ends_in_seconds")) {
    text += fmt::format("It stands until it is released: gpukeeper release {}\n",
                        harmless(text_in(leases.front(), "id"), page.utf8));
  }
  return print(context, text);
}

Result<Released> release_leases(LeaseDesk& desk, const std::vector<std::string>& ids, std::string_view how,
                                Context& context) {
  Released result;
  for (const std::string& id : ids) {
    const bool revokes = how == "revoke";
    auto answer = ask(
        desk, {.method = revokes ? "POST" : "DELETE", .target = revokes ? lease_path(id) + "/revoke" : lease_path(id)},
        context);
    if (!answer) return tl::make_unexpected(answer.error());
    const Json ending = parse_document(*answer);
    result.document = std::move(*answer);
    const auto lease = when_back(desk, id, context);
    const bool known = lease.has_value();
    const std::string what =
        known ? fmt::format("lease {} of {}{}, {}", id, harmless(text_in(*lease, "service")), gpu_of(*lease),
                            memory_text(Bytes(count_in(*lease, "min_bytes").value_or(0))))
              : fmt::format("lease {}", id);
    const std::string word = flag_in(ending, "already") ? "Was over already: " : revokes ? "Revoked " : "Released ";
    result.sentences += word + what + "\n";
    const std::string state = known ? text_in(*lease, "state") : "ended";
    if (state != "draining" && state != "leaked") continue;
    result.all_back = false;
    const auto observed = count_in(*lease, "observed_bytes");
    result.sentences +=
        fmt::format("Its memory is not back yet: the driver shows {} in use. It is kept for that until it is.\n",
                    observed ? memory_text(Bytes(*observed)) : "some");
  }
  return result;
}

Exit deallocate(const DeallocateOptions& options, Context& context) {
  auto desk = open_desk(options.desk, context);
  if (!desk) return tl::make_unexpected(desk.error());
  const auto answer =
      ask(**desk,
          {.method = "GET", .target = target_of(kLeases, {{"service", options.service}, {"device", options.device}})},
          context);
  if (!answer) return tl::make_unexpected(answer.error());
  const Json document = parse_document(*answer);
  std::vector<std::string> ids;
  std::vector<std::string> places;
  for (const Json* lease : held(document)) {
    if (!options.name.empty() && text_in(*lease, "name") != options.name) continue;
    ids.push_back(text_in(*lease, "id"));
    places.push_back(fmt::format("{}{} (lease {})", text_in(*lease, "service"), gpu_of(*lease), ids.back()));
  }
  if (ids.empty()) {
    const std::string what = options.name.empty() ? "no lease" : fmt::format("no lease '{}'", options.name);
    const std::string where = options.device.empty() ? "" : " on GPU " + options.device;
    return fail(Errc::not_found,
                harmless(options.service.empty() ? fmt::format("there is {}{}", what, where)
                                                 : fmt::format("{} has {}{}", options.service, what, where)));
  }
  if (!options.name.empty() && ids.size() > 1) {
    return fail(Errc::invalid_argument,
                harmless(fmt::format("'{}' names several leases: {}; say which service and device, or gpukeeper "
                                     "release LEASE",
                                     options.name, fmt::join(places, ", "))));
  }
  const auto released = release_leases(**desk, ids, "release", context);
  if (!released) return tl::make_unexpected(released.error());
  if (options.json) {
    return print(context, dump({{"schema", "gpukeeper.endings/1"}, {"ended", ids.size()}}, true) + "\n");
  }
  return print(context, released->sentences);
}

Exit release(const ReleaseOptions& options, Context& context) {
  if (auto good = check_id(options.id); !good) return tl::make_unexpected(good.error());
  auto desk = open_desk(options.desk, context);
  if (!desk) return tl::make_unexpected(desk.error());
  const auto released = release_leases(**desk, {options.id}, options.revoke ? "revoke" : "release", context);
  if (!released) return tl::make_unexpected(released.error());
  if (options.json) return print(context, dump(parse_document(released->document), true) + "\n");
  return print(context, released->sentences);
}

}  // namespace gpukeeper::cli
