#include "service/leases_answer.hpp"

#include <algorithm>
#include <chrono>
#include <limits>
#include <utility>

#include <unistd.h>

#include <fmt/format.h>

#include "core/display_text.hpp"
#include "core/text.hpp"
#include "format/columns.hpp"
#include "format/leases_json.hpp"
#include "service/booked_device.hpp"
#include "service/connection_end.hpp"
#include "service/idempotency.hpp"
#include "service/later.hpp"
#include "service/lease_authority.hpp"
#include "service/parameters.hpp"
#include "service/query.hpp"

namespace gpukeeper::service {
namespace {

auto wrong(std::string message) {
  return fail(Errc::invalid_argument, std::move(message));
}

Response document_answer(unsigned status, const Json& document) {
  return json_answer(status, dump(document, false) + "\n");
}

Response again_soon(Response response) {
  response.headers.emplace_back("Retry-After", "1");
  return response;
}

Response refused(const Error& error) {
  const std::string detail = harmless(error.message);
  switch (error.code) {
    case Errc::invalid_argument: return problem(400, "invalid", detail);
    case Errc::not_permitted: return problem(403, "not_permitted", detail);
    case Errc::not_found: return problem(404, "not_found", detail);
    default: return again_soon(problem(503, "ledger_closed", detail));
  }
}

Response stale(const Error& error) {
  return problem(409, "stale_generation", harmless(error.message));
}

struct Verdict {
  unsigned status;
  std::string_view code;
};

// Every device that could take it at all has a lease of that name.
bool only_the_name_is_taken(const Refusal& refusal) {
  bool taken = false;
  for (const DeviceRefusal& device : refusal.devices) {
    if (device.bar == Bar::not_required || device.bar == Bar::not_allowed) continue;
    if (device.bar != Bar::name_taken) return false;
    taken = true;
  }
  return taken;
}

Verdict verdict(const Refusal& refusal) {
  switch (refusal.cause) {
    case RefusalCause::closed: return {503, "ledger_closed"};
    case RefusalCause::invalid:
      if (refusal.error.code == Errc::not_found) return {404, "not_found"};
      return {400, "invalid"};
    case RefusalCause::misused_id: return {409, "request_id_misused"};
    case RefusalCause::quota: return {403, "quota_exceeded"};
    case RefusalCause::no_device: return {409, "no_gpu"};
    case RefusalCause::never: return {409, "never_fits"};
    case RefusalCause::no_room: break;
    case RefusalCause::queue_full: return {503, "queue_full"};
  }
  if (only_the_name_is_taken(refusal)) return {409, "name_taken"};
  return {409, "insufficient_memory"};
}

// Of a token that is for another service.
std::optional<Response> refuse_service(const Request& request, const std::string& service) {
  const auto& own = request.who.service;
  if (!own || ServiceEqual()(service, *own)) return std::nullopt;
  return problem(403, "not_permitted",
                 fmt::format("the {} is for the leases of service '{}', not of '{}'", harmless(request.who.name),
                             harmless(*own), harmless(service)));
}

Result<LeaseId> id_of(const Request& request) {
  const std::string& text = request.parameters.at("id");
  const auto number = parse_u64(text);
  if (number && *number > 0) return LeaseId{*number};
  return fail(Errc::not_found, fmt::format("'{}' is no lease's id: that is a whole number such as 7", text));
}

Result<std::optional<std::uint32_t>> generation_of(const Request& request) {
  const auto given = request.query.find("generation");
  if (given == request.query.end()) return std::optional<std::uint32_t>();
  const auto number = parse_u64(given->second);
  if (number && *number > 0 && *number <= std::numeric_limits<std::uint32_t>::max()) {
    return std::optional(static_cast<std::uint32_t>(*number));
  }
  return wrong(fmt::format("generation is '{}'; it takes a whole number such as 1", given->second));
}

constexpr double kLongestWait = 86'400;    // as of a request for a lease
constexpr std::chrono::seconds kSlack{5};  // the ledger notices a deadline within a second

// Of ?wait_seconds=; none for 0.
Result<std::optional<std::chrono::nanoseconds>> wait_of(const Request& request) {
  const auto given = request.query.find("wait_seconds");
  if (given == request.query.end()) return std::optional<std::chrono::nanoseconds>();
  const double seconds = parse_double(given->second).value_or(-1);
  if (!(seconds >= 0 && seconds <= kLongestWait)) {
    return wrong(fmt::format("wait_seconds is '{}'; it takes seconds from 0 to 86400", given->second));
  }
  if (seconds == 0) return std::optional<std::chrono::nanoseconds>();
  return std::optional(std::chrono::round<std::chrono::nanoseconds>(std::chrono::duration<double>(seconds)));
}

std::chrono::milliseconds patience(std::chrono::nanoseconds wait) {
  return std::chrono::ceil<std::chrono::milliseconds>(wait + kSlack);
}

// Nobody knows that he has it. One that waits still is cancelled by that.
void give_back(Bookkeeper& book, LeaseId id) {
  static_cast<void>(book.release(id));  // a closed ledger keeps it
}

std::vector<LeaseId> ids(LeaseId first, std::uint32_t count) {
  std::vector<LeaseId> all;
  for (std::uint32_t i = 0; i < count; ++i) all.push_back(LeaseId{number(first) + i});
  return all;
}

constexpr std::size_t kMostOnAPage = 10'000;

// An Idempotency-Key is a request_id in a header.
Result<void> name_request(const Request& request, LeaseRequest& wanted) {
  const auto key = idempotency_key(request);
  if (!key) return tl::make_unexpected(key.error());
  if (!*key || **key == wanted.request_id) return {};
  if (!wanted.request_id.empty()) return wrong("Idempotency-Key and request_id are one thing: send one of them");
  wanted.request_id = **key;
  return {};
}

// Leaves one page of the leases, which stand by id; those that are over stand on the last. Whether there is more.
bool cut(LeaseBook& book, const PageWish& page) {
  const std::uint64_t after = page.after ? parse_u64(*page.after).value_or(0) : 0;
  std::erase_if(book.leases, [&](const LeaseView& view) { return number(view.lease.id) <= after; });
  if (!page.limit) return false;
  const bool more = book.leases.size() > *page.limit;
  if (more) book.leases.erase(book.leases.begin() + static_cast<std::ptrdiff_t>(*page.limit), book.leases.end());
  if (!book.ended) return more;
  const auto ended = more ? 0 : std::min(*page.limit, book.ended->size());
  book.ended->erase(book.ended->begin() + static_cast<std::ptrdiff_t>(ended), book.ended->end());
  return more;
}

// Of the devices of a snapshot; nothing is known of one that is not in it.
DeviceLabel label_of(const Snapshot& snapshot, std::string_view device) {
  for (const Place& place : places(snapshot)) {
    const Device& facts = *place.device->device;
    if (facts.id.text != device) continue;
    return {.index = place.device->index, .simulated = facts.simulated, .recorded = facts.recorded};
  }
  return {};
}

const Lease* find_any(const Ledger& ledger, LeaseId id) {
  const Lease* lease = ledger.find(id);
  return lease ? lease : ledger.find_ended(id);
}

}  // namespace

Response refusal_answer(const Refusal& refusal, std::optional<std::chrono::nanoseconds> waited) {
  const Verdict v = verdict(refusal);
  Json document = {{"title", reason_phrase(v.status)},
                   {"status", v.status},
                   {"code", v.code},
                   {"detail", refusal.text()},
                   {"refusal", refusal_object(refusal)}};
  if (waited) {
    const double seconds = std::chrono::duration<double>(*waited).count();
    document["detail"] = fmt::format("waited {} s in vain: {}", seconds, refusal.text());
    document["waited_seconds"] = seconds;
  }
  auto response = document_answer(v.status, document);
  response.content_type = "application/problem+json";
  return v.status == 503 ? again_soon(std::move(response)) : response;
}

/// What a list of leases is narrowed to.
struct LeaseAnswers::Filter {
  std::string device;  ///< id; empty for all, as below
  std::string service;
  std::optional<LeaseState> state;
  bool all = false;

  bool takes(const Lease& lease) const {
    if (!device.empty() && !(lease.device == device)) return false;
    if (!service.empty() && !ServiceEqual()(lease.service.text(), service)) return false;
    return !state || lease.state == *state;
  }
};

/// What a change is about: which lease, and what is known of it. Nothing is known of one that is over for long.
struct LeaseAnswers::Subject {
  LeaseId id{};
  std::optional<Lease> lease;
};

std::string LeaseAnswers::user(uid_t uid) {
  std::scoped_lock lock(users_mutex_);
  std::string name = users_.name(uid, desk_.book.clock().now());
  return parse_u64(name) ? std::string() : name;  // it has none but its number
}

std::optional<Lease> LeaseAnswers::known(LeaseId id) const {
  std::optional<Lease> lease;
  desk_.book.look([&](const Ledger& ledger) {
    if (const Lease* found = find_any(ledger, id)) lease = *found;
  });
  return lease;
}

// Its process, which the connection cannot outlive: the driver's list names it, and it is known after a restart. Of one
// that cannot be seen from here ourselves, with whom the connection ends, too.
Result<Owner> LeaseAnswers::connected_owner(const Peer& peer) const {
  if (!desk_.waits || !peer.end) {
    return wrong("an owner \"connection\" needs a connection that stays, and there is none here");
  }
  if (peer.credentials->start_ticks > 0) return ProcessOwner{peer.credentials->pid, peer.credentials->start_ticks};
  const auto ourselves = desk_.process(::getpid());
  if (!ourselves) return fail(Errc::unavailable, "gpukeeper cannot see its own process in /proc");
  return ourselves->process;
}

Result<Owner> LeaseAnswers::owner_of(const LeaseWish& wish, const Peer& who) const {
  if (wish.owner == LeaseWish::Owner::standing) return StandingOwner{};
  if (wish.owner == LeaseWish::Owner::heartbeat) return HeartbeatOwner{*wish.ttl};
  if (!who.credentials) {
    return wrong("over TCP nobody says which process asks: ask for an owner \"heartbeat\" or \"standing\"");
  }
  const Credentials& peer = *who.credentials;
  if (wish.owner == LeaseWish::Owner::connection) return connected_owner(who);
  if (peer.pid <= 0) {
    return wrong(
        "an owner \"process\" must be visible here, and you are in a pid namespace (a container) whose processes are "
        "not: ask for an owner \"heartbeat\" or \"connection\"");
  }
  if (wish.pid.value_or(peer.pid) == peer.pid) {
    if (peer.start_ticks > 0) return ProcessOwner{peer.pid, peer.start_ticks};
    return fail(Errc::not_found, fmt::format("process {}, which is to own the lease, is gone", peer.pid));
  }
  const auto other = desk_.process(static_cast<pid_t>(*wish.pid));
  if (!other) return fail(Errc::not_found, fmt::format("there is no process {} to own the lease", *wish.pid));
  if (other->uid != peer.uid && peer.uid != 0) {
    return fail(Errc::not_permitted,
                fmt::format("process {} is not yours: only root may book for another user's", *wish.pid));
  }
  return other->process;
}

std::vector<LeaseId> LeaseAnswers::group_of(LeaseId id) const {
  const auto lease = known(id);
  std::vector<LeaseId> ids;
  for (std::uint32_t i = 0; lease && i < lease->group_size; ++i) ids.push_back(LeaseId{number(lease->group) + i});
  return ids;
}

Response LeaseAnswers::leases_answer(unsigned status, LeaseId first, std::uint32_t count, bool repeated,
                                     const std::string& note) {
  std::vector<LeaseView> views;
  desk_.book.look([&](const Ledger& ledger) {
    for (std::uint32_t i = 0; i < count; ++i) {
      if (const Lease* lease = find_any(ledger, LeaseId{number(first) + i})) views.push_back({*lease, {}, {}});
    }
  });
  const auto snapshot = desk_.snapshot();
  for (LeaseView& view : views) {
    view.device = label_of(*snapshot, view.lease.device.text());
    view.user = user(view.lease.uid);
  }
  return document_answer(status, lease_document(views, desk_.book.clock().now(), repeated, note));
}

bool LeaseAnswers::is_quick(const Request& request) const {
  if (!desk_.book.is_quick()) return false;
  if (request.parameters.contains("id")) {
    if (request.reads_only()) return true;
    const auto id = id_of(request);
    const auto lease = id && request.method == "DELETE" ? known(*id) : std::nullopt;
    return lease && !std::holds_alternative<StandingOwner>(lease->owner);
  }
  if (request.method != "POST" || request.path != "/api/v1/leases") return false;
  const auto wish = parse_lease_wish(request.body);
  return wish && wish->owner != LeaseWish::Owner::standing;
}

Response LeaseAnswers::reserve(const Request& request) {
  if (auto good = check_parameters(request, {}); !good) return refused(good.error());
  auto wish = parse_lease_wish(request.body);
  if (!wish) return refused(wish.error());
  LeaseRequest wanted = std::move(wish->request);
  if (auto named = name_request(request, wanted); !named) return refused(named.error());
  if (!wanted.device.empty()) {
    auto device = booked_device(desk_.book, *desk_.snapshot(), wanted.device);
    if (!device) return refused(device.error());
    wanted.device = std::move(*device);
  }
  if (auto refusal = refuse_service(request, wanted.service)) return *refusal;
  const auto owner = owner_of(*wish, *request.peer);
  if (!owner) return refused(owner.error());
  wanted.owner = *owner;
  wanted.uid = user_of(request, desk_.own_uid);
  if (!desk_.waits) wanted.wait.reset();
  const auto booking = desk_.book.reserve(wanted);
  if (!booking) return refusal_answer(booking.error());
  if (wish->owner == LeaseWish::Owner::connection) bind_to_connection(*request.peer, *booking);
  const bool waits = wanted.wait && booking->state == LeaseState::waiting;
  return waits ? when_granted(std::move(wanted), *booking) : granted(wanted, *booking);
}

Response LeaseAnswers::granted(const LeaseRequest& wanted, const Booking& booking) {
  auto response =
      leases_answer(booking.repeated ? 200 : 201, booking.id, booking.count, booking.repeated, booking.note);
  if (booking.repeated || !wanted.request_id.empty() || !desk_.waits) return response;
  response.undelivered = [waits = desk_.waits, book = &desk_.book, id = booking.id] {
    waits->post([book, id] { give_back(*book, id); });
  };
  return response;
}

// The answer comes when it is granted, refused in the end, or nobody waits for it any more.
Response LeaseAnswers::when_granted(LeaseRequest wanted, const Booking& booking) {
  const auto wait = *wanted.wait;
  const bool can_ask_again = !wanted.request_id.empty();
  wanted.wait.reset();
  const auto later =
      std::make_shared<Later>("the request waited for its time and nothing became of it", patience(wait));
  const auto self = weak_from_this();
  const auto token = desk_.waits->add(
      {.leases = ids(booking.id, booking.count),
       .state = LeaseState::waiting,
       .until = desk_.book.clock().now() + wait + kSlack,
       .over = [self, later, booking, wait,
                wanted = std::make_shared<const LeaseRequest>(std::move(wanted))](const std::string& note) {
         if (const auto answers = self.lock()) later->give(answers->after_wait(*wanted, booking, wait, note));
       }});
  if (!token) {
    if (!booking.repeated) give_back(desk_.book, booking.id);
    return again_soon(problem(503, "queue_full", "too many clients wait for leases already; ask again in a moment"));
  }
  later->on_abandoned([self, token = *token, id = booking.id, can_ask_again] {
    const auto answers = self.lock();
    if (!answers) return;
    answers->desk_.waits->post([self, token, id, can_ask_again] {
      if (const auto desk = self.lock()) desk->give_up(token, id, can_ask_again);
    });
  });
  Response response;
  response.later = later;
  return response;
}

// Who waited has gone. Another one may wait for the same, having asked with the same request id.
void LeaseAnswers::give_up(LeaseWaits::Token token, LeaseId id, bool can_ask_again) {
  if (!desk_.waits->drop(token) || desk_.waits->anyone_waits_for(id)) return;
  const auto lease = known(id);
  const bool waits = lease && lease->state == LeaseState::waiting;
  if (waits || !can_ask_again) give_back(desk_.book, id);
}

Response LeaseAnswers::after_wait(const LeaseRequest& wanted, const Booking& booking, std::chrono::nanoseconds waited,
                                  const std::string& note) {
  const auto lease = known(booking.id);
  const bool has_it = lease && lease->fencing_token > 0;  // given out with a grant
  if (has_it) {
    Booking now = booking;
    now.note = note;
    return granted(wanted, now);
  }
  const bool timed_out = !lease || lease->state == LeaseState::waiting || lease->reason == EndReason::timed_out;
  if (!timed_out) {
    return problem(409, "cancelled", fmt::format("lease {} was cancelled while it waited", number(booking.id)));
  }
  if (lease && lease->state == LeaseState::waiting) give_back(desk_.book, booking.id);
  const auto last_try = desk_.book.reserve(wanted);  // which says what is in the way now
  if (!last_try) return refusal_answer(last_try.error(), waited);
  return granted(wanted, *last_try);
}

void LeaseAnswers::bind_to_connection(const Peer& peer, const Booking& booking) {
  connected_.add(peer.end->number(), booking.id, [this](LeaseId id) {
    const auto lease = known(id);
    return !lease || lease->state == LeaseState::ended;
  });
  // After the booking: a connection that ended meanwhile says so at once.
  peer.end->tell([self = weak_from_this(), connection = peer.end->number()] {
    const auto answers = self.lock();
    if (!answers) return;
    answers->desk_.waits->post([self, connection] {
      if (const auto desk = self.lock()) desk->end_with_connection(connection);
    });
  });
}

void LeaseAnswers::end_with_connection(std::uint64_t connection) {
  for (const LeaseId id : connected_.take(connection)) {
    static_cast<void>(desk_.book.release(id, std::nullopt, EndReason::owner_died));  // a closed ledger keeps it
  }
}

Result<LeaseAnswers::Filter> LeaseAnswers::filter_of(const Request& request) const {
  if (auto good = check_parameters(request, {"device", "service", "state", "all", "limit", "cursor"}); !good) {
    return tl::make_unexpected(good.error());
  }
  Filter filter;
  for (const auto& [name, value] : request.query) {
    if (name == "device") {
      auto device = booked_device(desk_.book, *desk_.snapshot(), value);
      if (!device) return tl::make_unexpected(device.error());
      filter.device = std::move(*device);
    } else if (name == "service") {
      filter.service = value;
    } else if (name == "state") {
      filter.state = parse_lease_state(value);
      if (!filter.state) {
        return wrong(
            fmt::format("state is '{}'; it takes waiting, starting, active, suspended, draining, leaked or "
                        "ended",
                        value));
      }
    } else if (name == "limit" || name == "cursor") {
      continue;  // of the page
    } else if (value == "true" || value == "false") {
      filter.all = value == "true";
    } else {
      return wrong(fmt::format("all is '{}'; it takes true or false", value));
    }
  }
  return filter;
}

Response LeaseAnswers::list(const Request& request) {
  const auto filter = filter_of(request);
  if (!filter) return refused(filter.error());
  const auto page = page_wish(request, kLeases, kMostOnAPage);
  if (!page) return refused(page.error());
  const auto snapshot = desk_.snapshot();
  LeaseBook book;
  book.taken_at = desk_.book.clock().wall();
  book.now = desk_.book.clock().now();
  if (filter->all) book.ended.emplace();
  desk_.book.look([&](const Ledger& ledger) {  // only copies: everybody else waits meanwhile
    book.closed = ledger.closed();
    for (const DeviceAccount& device : ledger.devices()) {
      if (filter->device.empty() || device.id() == filter->device) book.devices.emplace_back(device, DeviceLabel{});
    }
    for (Lease& lease : ledger.leases()) {
      if (filter->takes(lease)) book.leases.push_back({std::move(lease), {}, {}});
    }
    book.waiting = ledger.waiting();
    if (!filter->all) return;
    for (auto lease = ledger.history().rbegin(); lease != ledger.history().rend(); ++lease) {
      if (filter->takes(*lease)) book.ended->push_back({*lease, {}, {}});
    }
  });
  const bool more = cut(book, *page);
  std::map<std::string, DeviceLabel> labels;
  for (auto& [account, label] : book.devices) {
    label = label_of(*snapshot, account.id().text());
    labels[account.id().text()] = label;
  }
  const auto complete = [&](LeaseView& view) {
    view.device = labels[view.lease.device.text()];
    view.user = user(view.lease.uid);
  };
  std::ranges::for_each(book.leases, complete);
  if (book.ended) std::ranges::for_each(*book.ended, complete);
  auto response = document_answer(200, leases_document(book));
  if (more) link_next(response, request, kLeases, std::to_string(number(book.leases.back().lease.id)));
  return response;
}

Response LeaseAnswers::find(const Request& request) {
  if (auto good = check_parameters(request, {}); !good) return refused(good.error());
  const auto id = id_of(request);
  if (!id) return refused(id.error());
  const auto lease = known(*id);
  if (!lease)
    return refused({Errc::not_found, fmt::format("there is no lease {}, or it is over for long", number(*id))});
  return leases_answer(200, *id, 1, false, {});
}

// The lease that the path names, for somebody who may change it.
tl::expected<LeaseAnswers::Subject, Response> LeaseAnswers::theirs(const Request& request) {
  const auto id = id_of(request);
  if (!id) return tl::make_unexpected(refused(id.error()));
  Subject subject{*id, known(*id)};
  if (is_admin(request)) return subject;
  if (!subject.lease || is_own(request, *subject.lease, desk_.own_uid)) return subject;
  if (auto refusal = refuse_service(request, subject.lease->service.text())) return tl::make_unexpected(*refusal);
  const std::string name = user(subject.lease->uid);
  return tl::make_unexpected(
      problem(403, "not_permitted",
              fmt::format("lease {} belongs to user {}{}: it is changed by nobody but that user and who has the role "
                          "admin",
                          number(*id), subject.lease->uid, name.empty() ? "" : fmt::format(" ({})", harmless(name)))));
}

Response LeaseAnswers::end(const Request& request, EndReason why) {
  if (auto good = check_parameters(request, {"generation", "wait_seconds"}); !good) return refused(good.error());
  const auto generation = generation_of(request);
  if (!generation) return refused(generation.error());
  const auto wait = wait_of(request);
  if (!wait) return refused(wait.error());
  const auto subject = theirs(request);
  if (!subject) return subject.error();
  const auto ending = desk_.book.release(subject->id, *generation, why);
  if (!ending) {
    return ending.error().code == Errc::invalid_argument ? stale(ending.error()) : refused(ending.error());
  }
  if (desk_.waits) desk_.waits->ring();  // somebody may have waited for it
  const bool waits = *wait && desk_.waits && ending->state == LeaseState::draining;
  return waits ? when_drained(subject->id, *ending, **wait) : ending_answer(subject->id, *ending);
}

Response LeaseAnswers::when_drained(LeaseId id, const Ending& ending, std::chrono::nanoseconds wait) {
  const auto later = std::make_shared<Later>("the drop was waited for and nothing is known of it", patience(wait));
  const auto self = weak_from_this();
  const auto token = desk_.waits->add({.leases = group_of(id),
                                       .state = LeaseState::draining,
                                       .until = desk_.book.clock().now() + wait,
                                       .over = [self, later, id, ending, wait](const std::string&) {
                                         if (const auto answers = self.lock()) {
                                           later->give(answers->ending_answer(id, ending, wait));
                                         }
                                       }});
  if (!token) return ending_answer(id, ending);
  later->on_abandoned([waits = desk_.waits, token = *token] { static_cast<void>(waits->drop(token)); });
  Response response;
  response.later = later;
  return response;
}

// As it is now.
Response LeaseAnswers::ending_answer(LeaseId id, Ending ending, std::optional<std::chrono::nanoseconds> waited) {
  const auto lease = known(id);
  if (waited) {  // for all that were granted with it
    ending.state = LeaseState::ended;
    for (const LeaseId each : group_of(id)) {
      const auto member = known(each);
      if (member && member->state != LeaseState::ended) ending.state = member->state;
    }
  }
  std::optional<Bytes> observed;
  if (lease && lease->state != LeaseState::ended && lease->observed) observed = *lease->observed;
  std::string note;
  if (waited && ending.state != LeaseState::ended) {
    note = fmt::format("after {} s the driver still shows {} of it", std::chrono::duration<double>(*waited).count(),
                       observed ? mib(*observed) : "memory");
  }
  return document_answer(200, ending_document(id, ending, observed, note));
}

Response LeaseAnswers::release(const Request& request) {
  return end(request, EndReason::released);
}

Response LeaseAnswers::revoke(const Request& request) {
  return end(request, EndReason::revoked);
}

Response LeaseAnswers::release_all(const Request& request) {
  if (auto good = check_parameters(request, {"service", "device"}); !good) return refused(good.error());
  const auto service = request.query.find("service");
  const auto device = request.query.find("device");
  if (service == request.query.end() || device == request.query.end()) {
    return refused({Errc::invalid_argument, "which leases? Both are needed: ?service=NAME&device=INDEX or UUID"});
  }
  const auto id = booked_device(desk_.book, *desk_.snapshot(), device->second);
  if (!id) return refused(id.error());
  if (auto refusal = refuse_service(request, service->second)) return *refusal;
  std::optional<std::uint32_t> uid;
  if (!is_admin(request)) uid = user_of(request, desk_.own_uid);
  const auto ended = desk_.book.release_all(service->second, *id, uid);
  if (desk_.waits) desk_.waits->ring();
  if (!ended) return refused(ended.error());
  return document_answer(200, endings_document(*ended));
}

Response LeaseAnswers::resize(const Request& request) {
  if (auto good = check_parameters(request, {}); !good) return refused(good.error());
  const auto terms = parse_lease_terms(request.body);
  if (!terms) return refused(terms.error());
  const auto subject = theirs(request);
  if (!subject) return subject.error();
  const auto booking = desk_.book.resize(subject->id, terms->generation, *terms->min, terms->max);
  if (booking) return leases_answer(200, subject->id, 1, false, {});
  const bool is_stale = terms->generation && subject->lease && *terms->generation != subject->lease->generation;
  return is_stale ? stale(booking.error().error) : refusal_answer(booking.error());
}

Response LeaseAnswers::heartbeat(const Request& request) {
  if (auto good = check_parameters(request, {}); !good) return refused(good.error());
  const auto subject = theirs(request);
  if (!subject) return subject.error();
  const auto until = desk_.book.heartbeat(subject->id);
  return until ? leases_answer(200, subject->id, 1, false, {}) : refused(until.error());
}

Response LeaseAnswers::suspend(const Request& request) {
  if (auto good = check_parameters(request, {}); !good) return refused(good.error());
  const auto subject = theirs(request);
  if (!subject) return subject.error();
  const auto done = desk_.book.suspend(subject->id);
  return done ? leases_answer(200, subject->id, 1, false, {}) : refused(done.error());
}

Response LeaseAnswers::resume(const Request& request) {
  if (auto good = check_parameters(request, {}); !good) return refused(good.error());
  const auto subject = theirs(request);
  if (!subject) return subject.error();
  const auto booking = desk_.book.resume(subject->id);
  return booking ? leases_answer(200, subject->id, 1, false, {}) : refusal_answer(booking.error());
}

Response LeaseAnswers::quotas(const Request& request) {
  if (auto good = check_parameters(request, {}); !good) return refused(good.error());
  std::vector<ServiceAccount> services;
  desk_.book.look([&](const Ledger& ledger) {
    for (const auto& [name, account] : ledger.services()) {
      if (account.quota || account.leases > 0) services.push_back(account);
    }
  });
  std::ranges::sort(services, {}, [](const ServiceAccount& service) { return service.name.text(); });
  return document_answer(200, quotas_document(services));
}

std::vector<Route> lease_routes(std::function<std::shared_ptr<LeaseAnswers>()> answers) {
  using Member = Response (LeaseAnswers::*)(const Request&);
  const auto row = [answers](std::string_view method, std::string_view pattern, std::string_view summary, Member member,
                             std::optional<auth::Role> needs = std::nullopt, Own own = Own::user) -> Route {
    return {method,
            pattern,
            summary,
            [answers, member](const Request& request) {
              const auto desk = answers();
              return desk ? (*desk.*member)(request) : starting();
            },
            false,
            false,
            needs,
            own};
  };
  constexpr std::string_view kOne = "/api/v1/leases/{id}";
  constexpr Parameter kGeneration{"generation", "count", "Of the lease, as the client knows it."};
  constexpr Parameter kWait{"wait_seconds", "number", "Until the driver shows the drop: 0 to 86400."};
  return {
      described(row("GET", "/api/v1/leases",
                    "What is booked of every GPU's memory; ?device=, service=, state=, all=true, limit=, cursor=.",
                    &LeaseAnswers::list),
                {.tag = kLeases,
                 .query = {kDevice,
                           {"service", "text", "Of that service alone."},
                           {"state", "waiting|starting|active|suspended|draining|leaked|ended", "In that state alone."},
                           {"all", "flag", "Whether those that are over stand there, too."},
                           kLimit,
                           kCursor},
                 .gives = "leases.leases_document"}),
      described(row("POST", "/api/v1/leases",
                    R"(Books memory: {"service": "embedding", "min_bytes": 4294967296}, and what docs/api.md lists.)",
                    &LeaseAnswers::reserve),
                {.tag = kLeases,
                 .takes = "api.lease_request",
                 .gives = "leases.lease_document",
                 .status = 201,
                 .creates = true}),
      described(row("DELETE", "/api/v1/leases", "Ends a service's leases on a GPU: ?service=&device=.",
                    &LeaseAnswers::release_all),
                {.tag = kLeases,
                 .query = {{"service", "text", "Whose.", true},
                           {"device", "text", "On which GPU: index, UUID or PCI address.", true}},
                 .gives = "leases.endings_document"}),
      described(row("GET", kOne, "One lease.", &LeaseAnswers::find),
                {.tag = kLeases, .gives = "leases.lease_document"}),
      described(row("DELETE", kOne, "Gives it back; ?generation=.", &LeaseAnswers::release),
                {.tag = kLeases, .query = {kGeneration, kWait}, .gives = "leases.ending_document"}),
      described(row("PATCH", kOne, R"(Other terms: {"min_bytes": 2147483648, "max_bytes": …, "generation": …}.)",
                    &LeaseAnswers::resize),
                {.tag = kLeases, .takes = "api.lease_terms", .gives = "leases.lease_document"}),
      described(row("POST", "/api/v1/leases/{id}/heartbeat", "Its holder is still there.", &LeaseAnswers::heartbeat),
                {.tag = kLeases, .gives = "leases.lease_document"}),
      described(row("POST", "/api/v1/leases/{id}/suspend", "Its holder gave its memory back for a while.",
                    &LeaseAnswers::suspend),
                {.tag = kLeases, .gives = "leases.lease_document"}),
      described(row("POST", "/api/v1/leases/{id}/resume", "It wants that memory again.", &LeaseAnswers::resume),
                {.tag = kLeases, .gives = "leases.lease_document"}),
      described(row("POST", "/api/v1/leases/{id}/revoke", "Takes it away, whosever it is.", &LeaseAnswers::revoke,
                    auth::Role::admin, Own::none),
                {.tag = kLeases, .query = {kGeneration, kWait}, .gives = "leases.ending_document"}),
      described(row("GET", "/api/v1/quotas", "What every service may have and has.", &LeaseAnswers::quotas),
                {.tag = kLeases, .gives = "leases.quotas_document"}),
  };
}

}  // namespace gpukeeper::service
