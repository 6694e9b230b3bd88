#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "format/human.hpp"
#include "top/columns.hpp"
#include "top/panes.hpp"
#include "top/words.hpp"

namespace gpukeeper::top {
namespace {

struct ColumnFacts {
  std::string_view heading;
  ColumnWish wish;
};

constexpr ColumnFacts kLeaseColumns[] = {
    {"lease", {100, 6, 8, true}},  {"GPU", {99, 4, 5}},           {"service", {98, 10, 24}}, {"state", {97, 9, 10}},
    {"memory", {96, 9, 19, true}}, {"in use", {95, 9, 9, true}},  {"user", {80, 8, 12}},     {"owner", {70, 12, 18}},
    {"since", {75, 6, 6, true}},   {"ends in", {60, 7, 7, true}}, {"name", {65, 10, 200}},
};
constexpr std::size_t kLeaseCount = std::size(kLeaseColumns);

std::array<ColumnWish, kLeaseCount> lease_wishes() {
  std::array<ColumnWish, kLeaseCount> wishes{};
  for (std::size_t i = 0; i < kLeaseCount; ++i) wishes[i] = kLeaseColumns[i].wish;
  return wishes;
}

Role role_of(const LeaseLine& lease) {
  if (lease.state == "held" || lease.state == "active" || lease.state == "granted") return Role::optimal;
  if (lease.state == "leaked") return Role::critical;
  return lease.state == "waiting" ? Role::normal : Role::throttled;
}

std::string terms_of(const LeaseLine& lease) {
  const std::string least = size_text(lease.least.value());
  return lease.most > lease.least ? fmt::format("{}-{}", least, size_text(lease.most.value())) : least;
}

std::string since_text(const LeaseLine& lease, WallTime now) {
  const auto created = parse_rfc3339(lease.created);
  return created ? age_text(now - *created) : std::string(kAbsent);
}

void draw_lease(const Model& model, const LeaseLine& lease, const Cells& cells, const Area& area, std::size_t y) {
  const std::string values[kLeaseCount] = {
      lease.id,
      lease.gpu.empty() ? std::string(kAbsent) : lease.gpu,
      lease.service,
      lease.state,
      terms_of(lease),
      lease.observed ? size_text(lease.observed->value()) : std::string(kAbsent),
      lease.user.empty() ? std::string(kAbsent) : lease.user,
      lease.owner,
      since_text(lease, model.now()),
      lease.ends_in_seconds
          ? age_text(std::chrono::seconds(static_cast<std::int64_t>(std::clamp(*lease.ends_in_seconds, 0.0, 1e9))))
          : std::string(kAbsent),
      lease.name};
  for (std::size_t i = 0; i < kLeaseCount; ++i) {
    const Role role = i == 3                     ? role_of(lease)
                      : i == 5 && lease.overused ? Role::throttled
                      : i == 2                   ? Role::strong
                                                 : Role::text;
    cells.put(area, i, y, values[i], {role});
  }
}

std::string no_leases(const News& news) {
  if (!news.leases_reason.empty()) return news.leases_reason;
  return news.leases ? "Nothing is booked. gpukeeper allocate books memory, gpukeeper run books it for a command."
                     : "Asking for the leases…";
}

}  // namespace

void draw_leases(const Scene& scene, const Area& area, Hots& hots) {
  const News& news = scene.model.news();
  if (!news.leases || news.leases->leases.empty()) {
    draw_text(area, 0, " ", no_leases(news), {Role::faint});
    return;
  }
  const Cells cells(lease_wishes(), area.width() > 1 ? area.width() - 1 : 0, 1);
  for (std::size_t i = 0; i < kLeaseCount; ++i) cells.put(area, i, 0, kLeaseColumns[i].heading, {Role::faint});
  constexpr auto kIndex = static_cast<std::size_t>(Pane::leases);
  std::size_t bottom = area.height();
  const std::string& closed = news.leases_reason.empty() ? news.leases->closed : news.leases_reason;
  if (!closed.empty() && bottom > 3) area.put(1, --bottom, closed, {Role::throttled});
  const auto& leases = news.leases->leases;
  for (std::size_t y = 1; y < bottom && scene.ui.scroll[kIndex] + y - 1 < leases.size(); ++y) {
    const std::size_t which = scene.ui.scroll[kIndex] + y - 1;
    draw_lease(scene.model, leases[which], cells, area, y);
    if (which == scene.ui.row[kIndex]) area.select(y);
    hots.push_back({{area.rect().x, area.rect().y + y, area.width(), 1}, Hot::Kind::row, which});
  }
}

namespace {

std::string_view sign_of(AlertLevel level) {
  return level == AlertLevel::critical ? "■" : level == AlertLevel::warning ? "▲" : "·";
}

std::string care_of(const Alert& alert) {
  if (alert.silenced) return "silenced";
  if (!alert.acknowledged_by.empty()) return fmt::format("taken care of by {}", alert.acknowledged_by);
  if (alert.unknown_since) return "nobody can tell whether it lasts";
  return alert.phase == AlertPhase::pending ? "not for long enough yet" : "";
}

}  // namespace

std::vector<const Alert*> grave_alerts(const Model& model) {
  auto alerts = model.alerts();
  std::erase_if(alerts, [](const Alert* alert) { return alert->level == AlertLevel::info || alert->silenced; });
  return alerts;
}

void draw_alerts(const Scene& scene, const std::vector<const Alert*>& alerts, const Area& area, Hots& hots) {
  if (alerts.empty()) {
    draw_text(area, 0, " ", scene.model.has_snapshot() ? "Nothing needs attention." : "", {Role::optimal});
    return;
  }
  constexpr auto kIndex = static_cast<std::size_t>(Pane::alerts);
  const std::size_t chosen = std::min(scene.ui.row[kIndex], alerts.size() - 1);
  // What can be done about the chosen one stands below the list.
  const std::size_t below = area.height() >= 6 ? 3 : 0;
  const std::size_t rows = area.height() - below;
  for (std::size_t y = 0; y < rows && scene.ui.scroll[kIndex] + y < alerts.size(); ++y) {
    const std::size_t which = scene.ui.scroll[kIndex] + y;
    const Alert& alert = *alerts[which];
    const bool quiet = alert.silenced || !alert.acknowledged_by.empty() || alert.phase == AlertPhase::pending;
    const Role role = quiet ? Role::faint : role_of(alert.level);
    const std::string where = alert.device_index ? fmt::format("GPU {}", *alert.device_index) : "machine";
    std::size_t x = area.line(1, y,
                              {{sign_of(alert.level), {role, true}},
                               {fmt::format(" {:<8} ", to_string(alert.level)), {role}},
                               {fmt::format("{:<8}", where), {Role::strong}},
                               {fmt::format("{:>6}  ", age_text(scene.model.now() - alert.since)), {Role::faint}}});
    x = area.line(x, y, {{alert.message, {quiet ? Role::faint : Role::text}}});
    if (const std::string care = care_of(alert); !care.empty() && x + 4 < area.width())
      area.line(x, y, {{"  (" + care + ")", {Role::faint}}});
    if (which == chosen && scene.preferences.pane == Pane::alerts) area.select(y);
    hots.push_back({{area.rect().x, area.rect().y + y, area.width(), 1}, Hot::Kind::row, which});
  }
  if (below == 0) return;
  draw_rule(area, rows, alerts[chosen]->rule);
  const std::string& remedy = alerts[chosen]->remedy.empty() ? alerts[chosen]->message : alerts[chosen]->remedy;
  draw_text(area, rows + 1, " → ", remedy, {});
}

}  // namespace gpukeeper::top
