#include "service/audit.hpp"

#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/text.hpp"

namespace gpukeeper::service {
namespace {

constexpr std::size_t kUsual = 100;            // lines of an answer
constexpr std::size_t kMostWaiting = 10'000;   // while a disk hangs
constexpr std::size_t kMostAnswer = 64 << 10;  // bytes that are looked at

bool decides_something(const Request& request) {
  return !request.reads_only() && !request.path.ends_with("/heartbeat") && request.path != "/api/v1/plan" &&
         request.path != "/api/v1/operations";
}

}  // namespace

Audit::Audit(const std::string& folder, const Clock& clock, Log& log) : kept_(folder), clock_(clock), log_(log) {}

Audit::~Audit() {
  writer_.reset();
  flush();
}

void Audit::begin(const Request& request) {
  if (!decides_something(request)) return;
  begun_[request.peer.get()] = {.at = clock_.wall(),
                                .who = request.who.name,
                                .role = request.who.role,
                                .from = request.peer->address,
                                .what = fmt::format("{} {}", request.method, request.path),
                                .asked = request.body.substr(0, auth::kMostAuditText + 1)};
}

void Audit::end(const Peer& peer, const Response* response) {
  auto node = begun_.extract(&peer);
  if (node.empty() || (response && response->status >= 300)) return;
  auth::AuditEntry entry = std::move(node.mapped());
  if (response) entry.status = response->status;
  if (response && response->body) entry.answer = response->body->substr(0, kMostAnswer);
  bool full = false;
  {
    std::scoped_lock lock(mutex_);
    full = waiting_.size() >= kMostWaiting;
    if (!full) waiting_.push_back(std::move(entry));
  }
  if (full) log_.error("changes are not written down: the disk of the state directory does not take them");
  static_cast<void>(writer_->post([this] { flush(); }));  // where many wait, one that comes takes all
}

void Audit::flush() {
  std::deque<auth::AuditEntry> entries;
  {
    std::scoped_lock lock(mutex_);
    entries.swap(waiting_);
  }
  for (const auth::AuditEntry& entry : entries) {
    if (auto kept = kept_.add(auth::audit_line(entry)); !kept) {
      log_.error("a change is not written down: {}", kept.error().message);
    }
  }
}

Response Audit::answer(const Request& request) const {
  std::size_t limit = kUsual;
  for (const auto& [name, value] : request.query) {
    const auto number = name == "limit" ? parse_u64(value) : std::nullopt;
    if (!number || *number < 1 || *number > auth::AuditLog::kRemembered) {
      return problem(
          400, "bad_parameter",
          fmt::format("the one parameter known here is limit, a number from 1 to {}", auth::AuditLog::kRemembered));
    }
    limit = static_cast<std::size_t>(*number);
  }
  return json_answer(
      200,
      fmt::format(R"({{"schema":"gpukeeper.audit/1","changes":[{}]}})", fmt::join(kept_.latest(limit), ",")) + "\n");
}

Route audit_route(const Audit& audit) {
  return {"GET",
          "/api/v1/audit",
          "Who changed what, the newest first; ?limit=.",
          [&audit](const Request& request) { return audit.answer(request); },
          false,
          false,
          auth::Role::admin};
}

}  // namespace gpukeeper::service
