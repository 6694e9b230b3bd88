#include "service/reclaim_answer.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "core/display_text.hpp"
#include "core/text.hpp"
#include "format/columns.hpp"
#include "reclaim/holder_json.hpp"
#include "reclaim/recipes.hpp"
#include "reclaim/reclaim_json.hpp"
#include "service/booked_device.hpp"
#include "service/later.hpp"
#include "service/lease_authority.hpp"
#include "service/parameters.hpp"

namespace gpukeeper::service {
namespace {

constexpr double kLongestRun = 3600;               // s
constexpr std::chrono::seconds kMoreThanARun{15};  // for holders that are waited for at its end
constexpr std::uint32_t kMostDevices = 64;         // of a plan

auto wrong(std::string message) {
  return fail(Errc::invalid_argument, std::move(message));
}

Response refused(const Error& error) {
  const std::string detail = harmless(error.message);
  switch (error.code) {
    case Errc::invalid_argument: return problem(400, "invalid", detail);
    case Errc::not_permitted: return problem(403, "not_permitted", detail);
    case Errc::not_found: return problem(404, "not_found", detail);
    case Errc::already_exists: return problem(409, "busy", detail);
    case Errc::resource_exhausted: return problem(409, "insufficient_memory", detail);
    case Errc::not_supported: return problem(409, "not_supported", detail);
    default: break;
  }
  auto response = problem(503, "unavailable", detail);
  response.headers.emplace_back("Retry-After", "1");
  return response;
}

Result<Json> object_of(const Request& request) {
  if (request.body.empty()) return Json(Json::object());
  Json body = Json::parse(request.body, nullptr, false);
  if (body.is_discarded() || !body.is_object()) return wrong("the body must be a JSON object");
  return body;
}

std::string as_text(const Json& json) {
  return dump(json, false) + "\n";
}

}  // namespace

/// What a body asks for.
struct ReclaimAnswers::Wish {
  std::optional<Bytes> min;
  std::uint32_t devices = 1;
  std::string device;  // id
  std::string service;
  bool scrub = false;
  std::optional<std::chrono::nanoseconds> deadline;
};

Result<ReclaimAnswers::Wish> ReclaimAnswers::wish_of(const Request& request,
                                                     std::initializer_list<std::string_view> known) const {
  const auto body = object_of(request);
  if (!body) return tl::make_unexpected(body.error());
  Wish wish;
  for (const auto& [key, value] : body->items()) {
    if (std::ranges::find(known, key) == known.end()) {
      return wrong(fmt::format("there is no '{}': known here are {}", fit(harmless(key), 60), fmt::join(known, ", ")));
    }
    if (key == "min_bytes") {
      if (!value.is_number_unsigned() || value == 0) return wrong("min_bytes takes a whole number of bytes from 1 on");
      wish.min = Bytes(value.get<std::uint64_t>());
    } else if (key == "devices") {
      const bool right = value.is_number_unsigned() && value >= 1 && value <= kMostDevices;
      if (!right) return wrong(fmt::format("devices takes a whole number from 1 to {}", kMostDevices));
      wish.devices = value.get<std::uint32_t>();
    } else if (key == "device") {
      if (!value.is_string()) return wrong("device takes an index, a UUID or a name, as a text");
      auto id = booked_device(desk_.book, *desk_.snapshot(), value.get<std::string>());
      if (!id) return tl::make_unexpected(id.error());
      wish.device = std::move(*id);
    } else if (key == "service") {
      if (!value.is_string() || value.get<std::string>().empty()) return wrong("service takes a name");
      wish.service = value.get<std::string>();
    } else if (key == "scrub") {
      if (!value.is_boolean()) return wrong("scrub takes true or false");
      wish.scrub = value.get<bool>();
    } else {
      const double seconds = value.is_number() ? value.get<double>() : 0;
      if (!(seconds >= 1 && seconds <= kLongestRun)) return wrong("deadline_seconds takes a number from 1 to 3600");
      wish.deadline = std::chrono::round<std::chrono::nanoseconds>(std::chrono::duration<double>(seconds));
    }
  }
  return wish;
}

Response ReclaimAnswers::plan(const Request& request) const {
  const auto wish = wish_of(request, {"min_bytes", "devices", "device"});
  if (!wish) return refused(wish.error());
  if (!wish->min) return refused({Errc::invalid_argument, "min_bytes is needed: how many bytes are to fit on one GPU"});
  const reclaim::PlanRequest wanted{.min = *wish->min, .devices = wish->devices, .device = wish->device};
  // A copy is planned on: whoever books meanwhile does not wait for all combinations.
  std::optional<Ledger> ledger;
  std::optional<Error> closed;
  desk_.book.look([&](const Ledger& now) {
    ledger = now;
    closed = now.closed();
  });
  if (ledger->devices().empty() && closed) return refused(*closed);
  return json_answer(200, reclaim::plan_json(reclaim::plan_for(*ledger, wanted), wanted, *ledger));
}

Response ReclaimAnswers::reclaim(const Request& request) const {
  const auto wish = wish_of(request, {"service", "device", "scrub", "min_bytes", "devices", "deadline_seconds"});
  if (!wish) return refused(wish.error());
  reclaim::ReclaimOrder order;
  order.service = wish->service;
  order.scrub = wish->scrub;
  if (wish->deadline) order.deadline = *wish->deadline;
  if (wish->min) {
    order.room = reclaim::PlanRequest{.min = *wish->min, .devices = wish->devices, .device = wish->device};
    std::optional<Ledger> ledger;
    desk_.book.look([&](const Ledger& now) { ledger = now; });
    order.plan = reclaim::plan_for(*ledger, *order.room);
    if (order.plan.verdict == reclaim::Plan::Verdict::never) {
      return problem(409, "never_fits",
                     harmless(fmt::format("nothing would help: {}", fmt::join(order.plan.reasons, "; "))));
    }
  } else {
    if (!wish->device.empty()) order.devices = {wish->device};
    order.even_below = !wish->device.empty() || !wish->service.empty();
  }
  const auto patience = std::chrono::ceil<std::chrono::milliseconds>(order.deadline) + kMoreThanARun;
  const auto later = std::make_shared<Later>("it goes on: GET /api/v1/reclaim tells what it has done so far", patience);
  const auto ordered = desk_.reclaimer.order(std::move(order), [later](const reclaim::ReclaimReport& report) {
    later->give(json_answer(200, reclaim::report_json(report)));
  });
  if (!ordered) return refused(ordered.error());
  Response response;
  response.later = later;
  return response;
}

Response ReclaimAnswers::reports(const Request&) const {
  return json_answer(200, reclaim::reports_json(desk_.reclaimer.reports(), desk_.reclaimer.settings().enabled));
}

// The lease that the path names, for somebody who may look at it, or change it.
tl::expected<Lease, Response> ReclaimAnswers::lease_of(const Request& request, bool to_change) const {
  const std::string& text = request.parameters.at("id");
  const auto number = parse_u64(text);
  std::optional<Lease> lease;
  desk_.book.look([&](const Ledger& ledger) {
    const Lease* found = number ? ledger.find(LeaseId{*number}) : nullptr;
    if (found) lease = *found;
  });
  if (!lease) {
    return tl::make_unexpected(
        problem(404, "not_found", fmt::format("there is no lease '{}', or it is over", fit(harmless(text), 40))));
  }
  const bool may = !to_change || is_admin(request) || is_own(request, *lease, desk_.own_uid);
  if (!may) return tl::make_unexpected(problem(403, "not_permitted", "the lease belongs to another user or service"));
  return *lease;
}

Response ReclaimAnswers::holder(const Request& request) const {
  const auto lease = lease_of(request, false);
  if (!lease) return lease.error();
  const auto holder = desk_.holders.holder(lease->id);
  if (!holder) return problem(404, "not_found", "nobody is registered as the lease's holder");
  return json_answer(200, as_text({{"schema", "gpukeeper.holder/1"},
                                   {"lease", std::to_string(number(lease->id))},
                                   {"holder", reclaim::to_json(*holder)}}));
}

Response ReclaimAnswers::set_holder(const Request& request) const {
  const auto lease = lease_of(request, true);
  if (!lease) return lease.error();
  const auto body = object_of(request);
  if (!body) return refused(body.error());
  const auto holder = reclaim::holder_of(*body);
  if (!holder) return refused(holder.error());
  if (auto fine = reclaim::check(*holder, desk_.reclaimer.settings().holder_hosts); !fine) return refused(fine.error());
  // gpukeeper reads the file with its own rights: nobody gets at a secret that he could not read himself.
  if (!holder->token_file.empty() && !is_admin(request)) {
    return problem(403, "not_permitted", "only who has the role admin may name a token_file");
  }
  if (holder->kind == reclaim::HolderKind::signal && !std::holds_alternative<ProcessOwner>(lease->owner)) {
    return problem(400, "invalid", "a holder of kind signal needs a lease that belongs to a process");
  }
  std::set<LeaseId> alive;
  desk_.book.look([&](const Ledger& ledger) { ledger.each([&](const Lease& each) { alive.insert(each.id); }); });
  desk_.holders.keep_only(alive);
  if (auto kept = desk_.holders.set_holder(lease->id, *holder); !kept) return refused(kept.error());
  return json_answer(200, as_text({{"schema", "gpukeeper.holder/1"},
                                   {"lease", std::to_string(number(lease->id))},
                                   {"holder", reclaim::to_json(*holder)}}));
}

Response ReclaimAnswers::remove_holder(const Request& request) const {
  const auto lease = lease_of(request, true);
  if (!lease) return lease.error();
  const auto removed = desk_.holders.remove_holder(lease->id);
  if (!removed) return refused(removed.error());
  return json_answer(200, as_text({{"schema", "gpukeeper.holder/1"},
                                   {"lease", std::to_string(number(lease->id))},
                                   {"holder", nullptr},
                                   {"removed", *removed}}));
}

Response ReclaimAnswers::wake(const Request& request) const {
  const auto lease = lease_of(request, true);
  if (!lease) return lease.error();
  if (!desk_.hands) return problem(409, "not_supported", "nothing can be woken without a running gpukeeper serve");
  const auto holder = desk_.holders.holder(lease->id);
  const bool suspended = lease->state == LeaseState::suspended;
  if (suspended) {
    const auto booked = desk_.book.resume(lease->id);
    if (!booked) return problem(409, "insufficient_memory", booked.error().text());
  }
  Result<void> woken;
  if (holder && holder->kind == reclaim::HolderKind::vllm) {
    woken = desk_.hands->wake(*holder, lease->uid);
  } else if (const auto* owner = std::get_if<ProcessOwner>(&lease->owner); suspended && owner) {
    woken = desk_.hands->restore(*owner, {});
  } else if (!suspended) {
    return problem(409, "not_supported", "the lease is not suspended, and its holder needs no waking");
  }
  if (!woken) return refused(woken.error());
  return json_answer(200, as_text({{"schema", "gpukeeper.woken/1"}, {"lease", std::to_string(number(lease->id))}}));
}

Response ReclaimAnswers::parts_answer(const Lease& lease) const {
  const reclaim::Parts parts = desk_.holders.parts(lease.id);
  const Bytes used = reclaim::sum_of(parts);
  Json list = Json::array();
  for (const auto& [name, bytes] : parts) list.push_back({{"name", name}, {"bytes", bytes.value()}});
  return json_answer(200, as_text({{"schema", "gpukeeper.parts/1"},
                                   {"lease", std::to_string(number(lease.id))},
                                   {"min_bytes", lease.min.value()},
                                   {"used_bytes", used.value()},
                                   {"free_bytes", remaining(lease.min, used).value()},
                                   {"parts", std::move(list)}}));
}

Response ReclaimAnswers::parts(const Request& request) const {
  const auto lease = lease_of(request, false);
  return lease ? parts_answer(*lease) : lease.error();
}

Response ReclaimAnswers::set_part(const Request& request) const {
  const auto lease = lease_of(request, true);
  if (!lease) return lease.error();
  if (!is_held(lease->state)) return problem(409, "not_held", "the lease is waiting or over: it has nothing to divide");
  const auto body = object_of(request);
  if (!body) return refused(body.error());
  const bool right = body->size() == 2 && body->contains("name") && (*body)["name"].is_string() &&
                     body->contains("bytes") && (*body)["bytes"].is_number_unsigned();
  if (!right) return problem(400, "invalid", R"(a part is {"name": "weights", "bytes": 1048576})");
  const auto kept =
      desk_.holders.set_part(*lease, (*body)["name"].get<std::string>(), Bytes((*body)["bytes"].get<std::uint64_t>()));
  if (!kept) return refused(kept.error());
  return parts_answer(*lease);
}

Response ReclaimAnswers::remove_part(const Request& request) const {
  const auto lease = lease_of(request, true);
  if (!lease) return lease.error();
  const auto name = request.query.find("name");
  if (name == request.query.end() || request.query.size() > 1) {
    return problem(400, "invalid", "the one parameter known here is name: ?name=weights");
  }
  const auto removed = desk_.holders.remove_part(lease->id, name->second);
  if (!removed) return refused(removed.error());
  if (!*removed) return problem(404, "not_found", "the lease has no part of that name");
  return parts_answer(*lease);
}

std::vector<Route> reclaim_routes(std::function<std::shared_ptr<const ReclaimAnswers>()> answers) {
  using Member = Response (ReclaimAnswers::*)(const Request&) const;
  const auto by = [answers = std::move(answers)](Member member) {
    return [answers, member](const Request& request) {
      const auto desk = answers();
      return desk ? ((*desk).*member)(request) : starting();
    };
  };
  using R = ReclaimAnswers;
  constexpr auto needs = auth::Role::operator_;
  return {
      described(
          {"POST", "/api/v1/plan", R"(What would have to move or end: {"min_bytes": N, "devices": 1, "device": "0"}.)",
           by(&R::plan), false, false, auth::Role::viewer},
          {.tag = kReclaim, .takes = "api.plan_request", .gives = "reclaim.plan"}),
      described(
          {"POST", "/api/v1/reclaim",
           R"(Has memory given back: {"service": "…", "device": "0", "min_bytes": N}, all optional. Comes when it is done.)",
           by(&R::reclaim), false, false, auth::Role::admin},
          {.tag = kReclaim, .takes = "api.reclaim_request", .body_needed = false, .gives = "reclaim.report"}),
      described({"POST", "/api/v1/optimize", "The same by the command's name: what 'gpukeeper optimize' asks for.",
                 by(&R::reclaim), false, false, auth::Role::admin},
                {.tag = kReclaim, .takes = "api.reclaim_request", .body_needed = false, .gives = "reclaim.report"}),
      described({"GET", "/api/v1/reclaim", "The latest reports of what was given back.", by(&R::reports)},
                {.tag = kReclaim, .gives = "reclaim.reports"}),
      described({"GET", "/api/v1/leases/{id}/holder", "Who is asked for the lease's memory.", by(&R::holder)},
                {.tag = kReclaim, .gives = "api.holder"}),
      described({"PUT", "/api/v1/leases/{id}/holder",
                 R"(Registers who is asked: {"kind": "ollama", "url": "http://127.0.0.1:11434"}.)", by(&R::set_holder),
                 false, false, needs, Own::user},
                {.tag = kReclaim, .takes = "api.holder_request", .gives = "api.holder"}),
      described({"DELETE", "/api/v1/leases/{id}/holder", "Nobody is asked any more.", by(&R::remove_holder), false,
                 false, needs, Own::user},
                {.tag = kReclaim, .gives = "api.holder"}),
      described({"POST", "/api/v1/leases/{id}/wake", "Books what was suspended again, and lets it go on.", by(&R::wake),
                 false, false, needs, Own::user},
                {.tag = kReclaim, .gives = "api.woken"}),
      described({"GET", "/api/v1/leases/{id}/parts", "How the lease is divided by name.", by(&R::parts)},
                {.tag = kReclaim, .gives = "api.parts"}),
      described({"PUT", "/api/v1/leases/{id}/parts", R"(Sets a part: {"name": "weights", "bytes": N}.)",
                 by(&R::set_part), false, false, needs, Own::user},
                {.tag = kReclaim, .takes = "api.part", .gives = "api.parts"}),
      described({"DELETE", "/api/v1/leases/{id}/parts", "Gives a part back: ?name=.", by(&R::remove_part), false, false,
                 needs, Own::user},
                {.tag = kReclaim, .query = {{"name", "text", "Of the part.", true}}, .gives = "api.parts"}),
  };
}

}  // namespace gpukeeper::service
