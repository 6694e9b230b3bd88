#include "service/audit.hpp"

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "service/parameters.hpp"
#include "service/query.hpp"

namespace gpukeeper::service {
namespace {

constexpr std::string_view kList = "audit";
constexpr std::size_t kUsual = 100;            // lines of an answer
constexpr std::size_t kMostWaiting = 10'000;   // while a disk hangs
constexpr std::size_t kMostAnswer = 64 << 10;  // bytes that are looked at

bool decides_something(const Request& request) {
  return !request.reads_only() && !request.path.ends_with("/heartbeat") && request.path != "/api/v1/plan" &&
         request.path != "/api/v1/operations" && request.path != "/socket.io/";
}

// By which a line is found again, after a restart too: FNV-1a, since lines have no number.
std::string mark_of(std::string_view line) {
  std::uint64_t hash = 14695981039346656037U;
  for (const char c : line) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
  return fmt::format("{:016x}", hash);
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
  if (const auto known = check_parameters(request, {"limit", "cursor"}); !known) return refused_query(known.error());
  const auto page = page_wish(request, kList, auth::AuditLog::kRemembered);
  if (!page) return refused_query(page.error());
  auto lines = kept_.latest(auth::AuditLog::kRemembered);
  if (page->after) {
    const auto last = std::ranges::find(lines, *page->after, mark_of);
    if (last == lines.end()) {
      return problem(400, "bad_parameter",
                     "the cursor names a change that is no longer remembered: leave it out to begin anew");
    }
    lines.erase(lines.begin(), last + 1);
  }
  const std::size_t limit = page->limit.value_or(kUsual);
  const bool more = lines.size() > limit;
  if (more) lines.resize(limit);
  auto response =
      json_answer(200, fmt::format(R"({{"schema":"gpukeeper.audit/1","changes":[{}]}})", fmt::join(lines, ",")) + "\n");
  if (more) link_next(response, request, kList, mark_of(lines.back()));
  return response;
}

Route audit_route(const Audit& audit) {
  return described(
      {"GET", "/api/v1/audit", "Who changed what, the newest first; ?limit=, cursor=.",
       [&audit](const Request& request) { return audit.answer(request); }, false, false, auth::Role::admin},
      {.tag = kDaemon, .query = {kLimit, kCursor}, .gives = "api.audit"});
}

}  // namespace gpukeeper::service
