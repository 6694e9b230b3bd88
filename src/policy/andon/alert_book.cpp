#include "policy/andon/alert_book.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>
#include <utility>

#include <fmt/format.h>

namespace gpukeeper {
namespace {

using std::chrono::nanoseconds;

constexpr int kCriticalSeverity = 80;  // of what is critical, at least: level_of()

AlertLevel first_level(const ActiveRule& rule) {
  return rule.rule ? rule.rule->level : level_of(rule.user->severity);
}

// The level at which an alert stands, given where it stood.
AlertLevel level_now(const ActiveRule& rule, const Sign& sign, AlertLevel before, bool critical_for_long_enough) {
  if (!rule.limits.critical) return sign.reached.value_or(std::min(before, sign.kept));
  if (critical_for_long_enough) return AlertLevel::critical;
  if (before == AlertLevel::critical && sign.kept == AlertLevel::critical) return AlertLevel::critical;
  return first_level(rule);
}

}  // namespace

void AlertBook::set_device(std::shared_ptr<const Device> device, std::uint32_t index) {
  id_ = device->id;
  index_ = index;
  device_ = std::move(device);
  for (Live& live : alerts_) live.alert.device_index = index_;
}

void AlertBook::restore(const KeptAlert& kept, const Turn& turn) {
  if (kept.alert.device) id_ = kept.alert.device;
  index_ = kept.alert.device_index;
  Live live{.alert = kept.alert, .worst = kept.alert};
  live.since = turn.now - std::max(nanoseconds::zero(), nanoseconds(turn.wall - kept.alert.since));
  live.seen = turn.now;
  live.told_at = turn.now;
  live.told = kept.told;
  if (live.alert.acknowledged_until) live.acknowledged_until = turn.now + (*live.alert.acknowledged_until - turn.wall);
  alerts_.push_back(std::move(live));
}

AlertBook::Live* AlertBook::find(std::string_view rule, std::string_view subject) {
  const auto found = std::ranges::find_if(
      alerts_, [&](const Live& live) { return live.alert.rule == rule && live.alert.subject == subject; });
  return found == alerts_.end() ? nullptr : &*found;
}

void AlertBook::note(const ActiveRule& rule, Sign sign, Turn& turn) {
  if (Live* live = find(rule.id(), sign.subject)) {
    if (live->look != turn.number) go_on(*live, rule, sign, turn);
  } else if (sign.reached) {
    begin(rule, sign, turn);
  }
}

void AlertBook::begin(const ActiveRule& rule, Sign& sign, Turn& turn) {
  const auto of_rule = std::ranges::count_if(alerts_, [&](const Live& live) { return live.alert.rule == rule.id(); });
  if (static_cast<std::size_t>(of_rule) >= kMostOfRule || turn.alerts >= kMostAlerts) return;
  ++turn.alerts;
  Live& live = alerts_.emplace_back();
  live.since = turn.now;
  live.alert.id = fmt::format("{}", ++turn.last_alert);
  live.alert.rule = rule.id();
  live.alert.device = id_;
  live.alert.device_index = index_;
  live.alert.subject = sign.subject;
  live.alert.level = *sign.reached;
  live.alert.link = fmt::format("{}#{}", turn.documentation, rule.rule ? rule.id() : "rules-of-your-own");
  live.alert.since = turn.wall;
  turn.changed = true;
  go_on(live, rule, sign, turn);
}

void AlertBook::go_on(Live& live, const ActiveRule& rule, Sign& sign, Turn& turn) {
  live.look = turn.number;
  live.seen = turn.now;
  if (live.unknown_since) {
    live.unknown_since.reset();
    live.alert.unknown_since.reset();
    turn.changed = true;
  }
  if (sign.reached != AlertLevel::critical) {
    live.critical_since.reset();
  } else if (!live.critical_since) {
    live.critical_since = turn.now;
  }
  const bool critical_long = live.critical_since && turn.now - *live.critical_since >= rule.limits.sustain_critical;
  if (live.alert.phase == AlertPhase::firing) {
    const AlertLevel before = live.alert.level;
    const AlertLevel level = level_now(rule, sign, before, critical_long);
    if (!sign.reached) {  // it lasts by hysteresis only: what it said when it crossed the border stands
      if (level == before) sign.severity = live.alert.severity;
      sign.message = live.alert.message;
      sign.value = live.alert.value.value_or(sign.value);
      sign.threshold = live.alert.threshold.value_or(sign.threshold);
    }
    show(live, level, sign, turn);
    live.escalated = live.alert.level == AlertLevel::critical && before != AlertLevel::critical;
    if (live.escalated && !live.alert.acknowledged_by.empty()) {  // it was said of less
      static_cast<void>(withdraw_acknowledgement(live.alert.id));
    }
    if (live.alert.level != before) turn.to_save = true;
    return;
  }
  if (!sign.reached) {  // near the border is enough to go on firing, not to begin
    live.over = true;
    turn.changed = true;
    return;
  }
  const bool second = rule.limits.critical && critical_long;
  show(live, level_now(rule, sign, first_level(rule), critical_long), sign, turn);
  if (second || turn.now - live.since >= rule.limits.sustain) fire(live, turn);
}

void AlertBook::fire(Live& live, Turn& turn) {
  live.alert.phase = AlertPhase::firing;
  live.alert.fired_at = turn.wall;
  turn.changed = true;
  turn.to_save = true;
}

// What people see of it. Its value counts as another one when it reads otherwise in the message.
void AlertBook::show(Live& live, AlertLevel level, Sign& sign, Turn& turn) {
  Alert& alert = live.alert;
  if (level == AlertLevel::critical) sign.severity = std::max(sign.severity, kCriticalSeverity);
  if (alert.level == level && alert.severity == sign.severity && alert.message == sign.message && alert.value) return;
  if (alert.level != level) live.silences = 0;  // a silence may be for one level only
  alert.level = level;
  alert.severity = sign.severity;
  alert.value = sign.value;
  alert.threshold = sign.threshold;
  alert.message = std::move(sign.message);
  if (!sign.remedy.empty()) alert.remedy = std::move(sign.remedy);
  note_worst(live);
  turn.changed = true;
}

// By its level, then by how far beyond its border it was.
void AlertBook::note_worst(Live& live) {
  const auto beyond = [](const Alert& a) { return a.value && a.threshold ? std::abs(*a.value - *a.threshold) : 0; };
  const auto rank = [&](const Alert& a) { return std::tuple(a.level, a.severity, beyond(a)); };
  if (live.worst.message.empty() || rank(live.alert) > rank(live.worst)) live.worst = live.alert;
}

void AlertBook::finish(const ActiveRule& rule, bool known, Turn& turn) {
  for (Live& live : alerts_) {
    if (live.look == turn.number || live.over || live.alert.rule != rule.id()) continue;
    live.critical_since.reset();
    if (!known) {
      hold(live, turn);
    } else if (live.alert.phase == AlertPhase::pending) {
      live.over = true;
    } else if (turn.now - live.seen >= rule.limits.clear_after) {
      resolve(live, turn);
    }
  }
}

void AlertBook::hold(Live& live, Turn& turn) {
  if (live.alert.phase == AlertPhase::pending) {
    live.over = true;
    return;
  }
  if (!live.unknown_since) {
    live.unknown_since = turn.now;
    live.alert.unknown_since = turn.wall;
    turn.changed = true;
  } else if (turn.now - *live.unknown_since >= kKeptUnknown) {
    resolve(live, turn);
  }
}

void AlertBook::resolve(Live& live, Turn& turn) {
  live.over = true;
  live.alert.phase = AlertPhase::resolved;
  live.alert.resolved_at = turn.wall;
  live.alert.unknown_since.reset();
  // What is over is remembered for what it was at its worst, not for its last moment, in which it was nearly well.
  live.alert.level = live.worst.level;
  live.alert.severity = live.worst.severity;
  live.alert.value = live.worst.value;
  live.alert.threshold = live.worst.threshold;
  live.alert.message = live.worst.message;
  if (live.told) turn.changes.push_back({AlertChange::Kind::resolved, live.alert});
  turn.ended.push_back({live.alert, live.told});
  turn.to_save = true;
}

void AlertBook::resolve_all(Turn& turn) {
  for (Live& live : alerts_) {
    if (live.alert.phase == AlertPhase::firing) resolve(live, turn);
    live.over = true;
  }
  sweep(turn);
}

void AlertBook::resolve_others(const std::vector<ActiveRule>& rules, Turn& turn) {
  for (Live& live : alerts_) {
    const bool ruled = std::ranges::any_of(
        rules, [&](const ActiveRule& rule) { return rule.limits.enabled && rule.id() == live.alert.rule; });
    if (ruled) continue;
    if (live.alert.phase == AlertPhase::firing) resolve(live, turn);
    live.over = true;
  }
  sweep(turn);
}

void AlertBook::hold_all(Turn& turn) {
  for (Live& live : alerts_) hold(live, turn);
  sweep(turn);
}

void AlertBook::sweep(Turn& turn) {
  const auto gone = std::erase_if(alerts_, [](const Live& live) { return live.over; });
  turn.alerts -= gone;
  if (gone > 0) turn.changed = true;
}

void AlertBook::ask_silences(Live& live, Turn& turn) {
  if (live.silences == turn.silences->version()) return;
  live.silences = turn.silences->version();
  const Silences::Fit fit = turn.silences->of(live.alert, device_.get());
  if (fit.silenced == live.alert.silenced && fit.until == live.alert.silenced_until) return;
  live.alert.silenced = fit.silenced;
  live.alert.silenced_until = fit.until;
  turn.changed = true;
}

void AlertBook::tell(const std::vector<ActiveRule>& rules, Turn& turn) {
  sweep(turn);
  for (Live& live : alerts_) {
    if (live.alert.remedy.empty()) {
      const Rule* rule = find_rule(live.alert.rule);
      if (rule) live.alert.remedy = rule->remedy;
    }
    if (live.acknowledged_until && *live.acknowledged_until <= turn.now) {
      static_cast<void>(withdraw_acknowledgement(live.alert.id));
      turn.changed = turn.to_save = true;
    }
    ask_silences(live, turn);
    const bool escalated = std::exchange(live.escalated, false);
    if (live.alert.phase != AlertPhase::firing || live.alert.silenced) continue;
    const auto tell_now = [&](AlertChange::Kind kind) {
      live.told_at = turn.now;
      turn.changes.push_back({kind, live.alert});
    };
    if (!live.told) {
      live.told = true;
      turn.to_save = true;
      tell_now(AlertChange::Kind::fired);
    } else if (escalated) {
      tell_now(AlertChange::Kind::escalated);
    } else if (live.alert.acknowledged_by.empty() && !live.unknown_since) {
      const auto rule = std::ranges::find(rules, live.alert.rule, &ActiveRule::id);
      const auto pause = rule == rules.end() ? nanoseconds::zero() : rule->limits.repeat;
      if (pause > nanoseconds::zero() && turn.now - live.told_at >= pause) tell_now(AlertChange::Kind::repeated);
    }
  }
}

Lamp AlertBook::lamp() const {
  Lamp lamp = Lamp::green;
  for (const Live& live : alerts_) {
    if (live.alert.phase != AlertPhase::firing || live.alert.silenced) continue;
    if (live.alert.level == AlertLevel::critical) return Lamp::red;
    if (live.alert.level == AlertLevel::warning) lamp = Lamp::yellow;
  }
  return lamp;
}

void AlertBook::add_to(std::vector<const Alert*>& list) const {
  for (const Live& live : alerts_) list.push_back(&live.alert);
}

void AlertBook::add_kept(std::vector<KeptAlert>& list) const {
  for (const Live& live : alerts_) {
    if (live.alert.phase == AlertPhase::firing) list.push_back({live.alert, live.told});
  }
}

bool AlertBook::acknowledge(std::string_view id, const std::string& by, std::optional<nanoseconds> length,
                            const std::string& comment, MonotonicTime now, WallTime wall) {
  for (Live& live : alerts_) {
    if (live.alert.id != id) continue;
    live.alert.acknowledged_by = by;
    live.alert.comment = comment;
    live.alert.acknowledged_until.reset();
    live.acknowledged_until.reset();
    if (length) {
      live.alert.acknowledged_until = wall + std::chrono::duration_cast<WallTime::duration>(*length);
      live.acknowledged_until = now + *length;
    }
    return true;
  }
  return false;
}

bool AlertBook::withdraw_acknowledgement(std::string_view id) {
  for (Live& live : alerts_) {
    if (live.alert.id != id) continue;
    live.alert.acknowledged_by.clear();
    live.alert.comment.clear();
    live.alert.acknowledged_until.reset();
    live.acknowledged_until.reset();
    return true;
  }
  return false;
}

}  // namespace gpukeeper
