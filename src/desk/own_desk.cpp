#include "desk/own_desk.hpp"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

#include "booking/reality_of.hpp"
#include "core/text.hpp"
#include "format/json_text.hpp"
#include "format/snapshot_json.hpp"
#include "service/leases_answer.hpp"
#include "service/memory_reclaim.hpp"
#include "service/own_request.hpp"
#include "service/reclaim_answer.hpp"
#include "service/services_answer.hpp"

namespace gpukeeper::desk {

using namespace std::chrono_literals;

namespace {

constexpr std::string_view kSnapshot = "/api/v1/snapshot";
constexpr auto kLook = 1s;  // from look to look of who waits for room

bool may_come(const DeskReply& reply) {
  if (reply.good()) return false;
  const Json document = Json::parse(reply.body, nullptr, false);
  const auto refusal = document.is_object() ? document.find("refusal") : document.end();
  return document.is_object() && refusal != document.end() && refusal->is_object() &&
         refusal->value("may_come", Json(false)) == Json(true);
}

// By the tables themselves, of which only the patterns are looked at. Never destroyed, for who asks at exit(), too.
const std::vector<std::string>& lease_patterns() {
  static const std::vector<std::string>& kept = *new std::vector<std::string>([] {
    std::vector<std::string> patterns = {std::string(service::services_route([] { return nullptr; }, nullptr).pattern)};
    for (const auto& route : service::lease_routes([] { return nullptr; })) patterns.emplace_back(route.pattern);
    return patterns;
  }());
  return kept;
}

const std::vector<std::string>& reclaim_patterns() {
  static const std::vector<std::string>& kept = *new std::vector<std::string>([] {
    std::vector<std::string> patterns;
    for (const auto& route : service::reclaim_routes([] { return nullptr; })) patterns.emplace_back(route.pattern);
    return patterns;
  }());
  return kept;
}

// A {name} takes one piece of the path.
bool fits(std::string_view pattern, std::string_view path) {
  const auto wanted = split(pattern, '/');
  const auto given = split(path, '/');
  return std::ranges::equal(wanted, given, [](std::string_view piece, std::string_view of_path) {
    return piece == of_path || piece.starts_with('{');
  });
}

bool is_one_of(const std::vector<std::string>& patterns, std::string_view path) {
  return std::ranges::any_of(patterns, [&](const std::string& pattern) { return fits(pattern, path); });
}

std::optional<Bytes> sum_of_ours(const std::vector<ObservedProcess>& processes, const std::string& id) {
  Bytes sum{0};
  for (const ObservedProcess& process : processes) {
    const auto& forebears = process.forebears;
    if (process.elsewhere) return std::nullopt;  // its pid names somebody else here
    const bool descends = std::ranges::find(forebears, ::getpid()) != forebears.end();
    if (!descends && std::to_string(number(process.lease)) != id) continue;
    if (!process.memory) return std::nullopt;
    sum = sum + *process.memory;
  }
  return sum;
}

}  // namespace

OwnDesk::OwnDesk(OwnBook& book, reclaim::ReclaimSettings reclaim, Look look, Clock& time, std::stop_token stop)
    : book_(book), look_(std::move(look)), time_(time), stop_(std::move(stop)), reclaim_(std::move(reclaim)) {}

Result<DeskReply> OwnDesk::ask(const DeskQuestion& question) {
  const auto until = clock_.now() + question.wait;
  for (;;) {
    auto reply = look_and_answer(question);
    if (!reply || !may_come(*reply) || clock_.now() >= until || stop_.stop_requested()) return reply;
    clock_.sleep_until(std::min(until, clock_.now() + kLook), stop_);
  }
}

std::optional<Bytes> OwnDesk::observed(const std::string& id, const std::string& device) {
  const auto snapshot = seen();
  if (!snapshot || !book_.place().machine) return std::nullopt;
  for (const DeviceReality& there : reality_of(*snapshot).devices) {
    if (there.id == device && there.processes) return sum_of_ours(*there.processes, id);
  }
  return std::nullopt;
}

void OwnDesk::configure(reclaim::ReclaimSettings reclaim) {
  std::scoped_lock lock(mutex_);
  reclaim_ = std::move(reclaim);
}

std::shared_ptr<const Snapshot> OwnDesk::seen() const {
  std::scoped_lock lock(mutex_);
  return seen_;
}

Result<std::shared_ptr<const Snapshot>> OwnDesk::look() {
  auto snapshot = look_();
  if (!snapshot) return snapshot;
  std::scoped_lock lock(mutex_);
  seen_ = *snapshot;
  return snapshot;
}

Result<DeskReply> OwnDesk::look_and_answer(const DeskQuestion& question) {
  const auto snapshot = look();  // before the lock is taken: drivers take their time
  if (!snapshot) return tl::make_unexpected(snapshot.error());
  if (question.target == kSnapshot) return DeskReply{200, snapshot_json(**snapshot, false)};
  auto request = service::own_request(question.method, question.target, question.body, "this command");
  if (!request) return tl::make_unexpected(request.error());
  DeskReply reply;
  const auto done = book_.with(**snapshot, [&](const StateDirectory* directory, Bookkeeper& book) {
    const auto response = answer(std::move(*request), directory, book);
    reply = {response.status, response.body ? *response.body : std::string()};
  });
  if (!done) return tl::make_unexpected(done.error());
  return reply;
}

service::Response OwnDesk::answer(service::Request request, const StateDirectory* directory, Bookkeeper& book) {
  const auto snapshot = [this] { return seen(); };
  if (!is_one_of(reclaim_patterns(), request.path)) {
    const auto leases = std::make_shared<service::LeaseAnswers>(
        service::LeaseDesk{.book = book, .snapshot = snapshot, .own_uid = ::geteuid()});
    auto routes = service::lease_routes([leases] { return leases; });
    routes.push_back(service::services_route([&book] { return &book; }, snapshot));
    return service::Router(std::move(routes)).answer(std::move(request));
  }
  service::MemoryReclaim reclaim(settings(), [&book] { return &book; }, {std::shared_ptr<Clock>(), &time_});
  Sources sources;
  sources.machine = book_.place().machine;
  reclaim.open(directory, sources, false);
  const auto answers =
      std::make_shared<const service::ReclaimAnswers>(service::ReclaimDesk{.book = book,
                                                                           .snapshot = snapshot,
                                                                           .reclaimer = reclaim.reclaimer(),
                                                                           .holders = reclaim.holders(),
                                                                           .hands = &reclaim.hands(),
                                                                           .own_uid = ::geteuid()});
  auto routes = service::reclaim_routes([answers] { return answers; });
  // A second after the look before.
  const auto look_again = [&] {
    time_.sleep_until(seen()->monotonic + kLook, stop_);
    if (look()) {
      book.observe(reality_of(*seen()));
      book.tick();
    }
    return seen();
  };
  return reclaim.settle(service::Router(std::move(routes)).answer(std::move(request)), look_again);
}

reclaim::ReclaimSettings OwnDesk::settings() const {
  std::scoped_lock lock(mutex_);
  return reclaim_;
}

bool is_about_the_ledger(std::string_view path) {
  return is_one_of(lease_patterns(), path) || is_one_of(reclaim_patterns(), path);
}

}  // namespace gpukeeper::desk
