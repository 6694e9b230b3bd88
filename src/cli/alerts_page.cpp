#include "cli/alerts_page.hpp"

#include <map>

#include <fmt/format.h>

#include "cli/table.hpp"
#include "core/display_text.hpp"
#include "policy/andon/rule_table.hpp"

namespace gpukeeper::cli {
namespace {

Ink ink_of(AlertLevel level) {
  switch (level) {
    case AlertLevel::info: return Ink::plain;
    case AlertLevel::warning: return Ink::warn;
    case AlertLevel::critical: return Ink::bad;
  }
  return Ink::plain;
}

Ink ink_of(Lamp lamp) {
  switch (lamp) {
    case Lamp::off: return Ink::faint;
    case Lamp::green: return Ink::good;
    case Lamp::yellow: return Ink::warn;
    case Lamp::red: return Ink::bad;
  }
  return Ink::plain;
}

// "GPU 0", or the beginning of its UUID while it is not listed.
std::string where(const Alert& a) {
  if (a.device_index) return fmt::format("GPU {}", *a.device_index);
  return a.device ? a.device->text : "the machine";
}

class Page {
 public:
  explicit Page(const RenderOptions& options) : options_(options) {}

  void line(const std::vector<Span>& spans) { text_ += paint(spans, options_) + "\n"; }

  void sentence(std::string_view label, std::string_view text, Ink ink, std::size_t indent) {
    const std::size_t room = options_.width > indent + 20 ? options_.width - indent : 20;
    for (std::string& each : wrap(fmt::format("{}{}", label, safe(text)), room)) {
      line({{std::string(indent, ' ')}, {std::move(each), ink}});
    }
  }

  void title(const AlertsView& view) {
    std::map<AlertLevel, std::size_t, std::greater<>> firing;
    for (const Alert& a : view.document.alerts) {
      if (a.phase == AlertPhase::firing) ++firing[a.level];
    }
    std::string counts;
    for (const auto& [level, count] : firing) {
      counts += fmt::format("{}{} {}", counts.empty() ? "" : ", ", count, to_string(level));
    }
    const std::string dot = options_.utf8 ? " · " : " - ";
    const Lamp lamp = view.document.lamp;
    line({{"gpukeeper", Ink::strong},
          {view.document.host.empty() ? "" : dot + safe(view.document.host)},
          {dot},
          {options_.utf8 ? "● " : "* ", ink_of(lamp)},
          {std::string(lamp == Lamp::off ? "no light" : to_string(lamp)), ink_of(lamp)},
          {counts.empty() ? "" : ": " + counts}});
    line({});
  }

  // What and where, since when, what is known of it, what to do.
  void alert(const Alert& a, const std::string& made_up) {
    const std::string label = fmt::format("{:<8}", to_string(a.level));
    const std::size_t indent = label.size() + 2;
    const std::size_t room = options_.width > indent + 20 ? options_.width - indent : 20;
    const bool over = a.phase != AlertPhase::firing;
    bool first = true;
    const std::string origin = made_up.empty() ? "" : made_up + ": ";
    for (std::string& each : wrap(origin + safe(a.message), room)) {
      line({{first ? label : std::string(label.size(), ' '), over ? Ink::faint : ink_of(a.level)},
            {"  "},
            {std::move(each), over ? Ink::plain : Ink::strong}});
      first = false;
    }
    sentence("", facts(a), Ink::faint, indent);
    if (!a.acknowledged_by.empty()) sentence("", acknowledgement(a), Ink::good, indent);
    if (!a.remedy.empty() && !over) sentence("To do: ", a.remedy, Ink::plain, indent);
  }

  std::string text() && { return std::move(text_); }

 private:
  std::string safe(std::string_view text) const { return harmless(text, options_.utf8); }
  std::string time(WallTime at) const { return local_time(at, options_.utc_offset); }

  std::string facts(const Alert& a) const {
    std::string text = fmt::format("alert {}, rule {}, {}", safe(a.id), safe(a.rule), safe(where(a)));
    if (a.phase == AlertPhase::resolved && a.resolved_at) {
      text += fmt::format(", from {} to {}", time(a.since), time(*a.resolved_at));
    } else {
      text += fmt::format(", since {} ({})", time(a.since), age_text(options_.now - a.since));
    }
    if (a.phase != AlertPhase::firing) text += fmt::format(", {}", to_string(a.phase));
    if (a.unknown_since) text += fmt::format(", not known any more since {}", time(*a.unknown_since));
    if (a.silenced) {
      text += a.silenced_until ? fmt::format(", silenced until {}", time(*a.silenced_until))
                               : ", silenced by the configuration";
    }
    return text;
  }

  std::string acknowledgement(const Alert& a) const {
    std::string text = fmt::format("{} takes care of it", a.acknowledged_by);
    if (a.acknowledged_until) text += fmt::format(" until {}", time(*a.acknowledged_until));
    if (!a.comment.empty()) text += fmt::format(": {}", a.comment);
    return text;
  }

  const RenderOptions& options_;
  std::string text_;
};

std::string border(const Rule& rule, double value) {
  return rule.unit.empty() ? fmt::format("{:g}", value) : fmt::format("{:g} {}", value, rule.unit);
}

std::string waits(std::chrono::nanoseconds time) {
  return time == std::chrono::nanoseconds::zero() ? "at once" : age_text(time);
}

}  // namespace

std::string render_alerts(const AlertsView& view, const RenderOptions& options) {
  Page page(options);
  page.title(view);
  bool first = true;
  for (const Alert& a : view.document.alerts) {
    if (!first) page.line({});
    first = false;
    const auto& made_up = view.document.made_up;
    const auto label = a.device ? made_up.find(*a.device) : made_up.end();
    page.alert(a, label == made_up.end() ? "" : label->second);
  }
  if (view.document.alerts.empty() && view.document.devices == 0) {
    page.sentence("", "There is no GPU: gpukeeper doctor says why.", Ink::plain, 0);
  } else if (view.document.alerts.empty()) {
    page.sentence("",
                  fmt::format("All is well: no alert{}. Watched: {}; {} rules.", view.all ? "" : " fires", view.watched,
                              rule_table().size()),
                  Ink::plain, 0);
  }
  if (view.others > 0) {
    page.line({});
    page.sentence("",
                  fmt::format("{} more {} not lasted long enough yet, or {} over: gpukeeper alerts --all", view.others,
                              view.others == 1 ? "has" : "have", view.others == 1 ? "is" : "are"),
                  Ink::faint, 0);
  }
  return std::move(page).text();
}

std::string render_silences(const SilenceList& silences, const RenderOptions& options) {
  if (silences.empty()) return "There are no silences.\n";
  Table table({{.header = "ID"},
               {.header = "RULE"},
               {.header = "DEVICE"},
               {.header = "LEVEL", .only_if_filled = true},
               {.header = "UNTIL"},
               {.header = "BY", .priority = 20},
               {.header = "COMMENT", .priority = 10, .shrinks_to = 12, .only_if_filled = true}});
  const auto safe = [&](const std::string& text) { return harmless(text, options.utf8); };
  for (const Silence& s : silences) {
    table.add_row({{s.id.empty() ? "-" : safe(s.id)},
                   {safe(s.matcher.rule)},
                   {safe(s.matcher.device)},
                   {s.matcher.level ? std::string(to_string(*s.matcher.level)) : ""},
                   {s.until ? local_time(*s.until, options.utc_offset) : "configured"},
                   {safe(s.by)},
                   {safe(s.comment)}});
  }
  std::string text;
  for (const std::string& row : table.render(options)) text += row + "\n";
  return text;
}

std::string render_alert_rules(const RenderOptions& options) {
  using enum Column::Align;
  Table table({{.header = "RULE"},
               {.header = "LEVEL"},
               {.header = "FROM", .align = right},
               {.header = "AFTER", .align = right},
               {.header = "CRITICAL", .align = right},
               {.header = "AGAIN", .align = right, .priority = 20},
               {.header = "FIRES WHEN", .priority = 10, .shrinks_to = 20}});
  for (const Rule& rule : rule_table()) {
    const RuleLimits& l = rule.limits;
    table.add_row({{std::string(rule.id), Ink::strong},
                   {std::string(to_string(rule.level)), ink_of(rule.level)},
                   {l.warning ? border(rule, *l.warning) : ""},
                   {waits(l.sustain)},
                   {l.critical ? border(rule, *l.critical) : ""},
                   {l.repeat == std::chrono::nanoseconds::zero() ? "never" : age_text(l.repeat)},
                   {std::string(rule.condition)}});
  }
  std::string text;
  for (const std::string& row : table.render(options)) text += row + "\n";
  return text + "\ndocs/alerts.md explains each; the section alerts of the configuration changes them.\n";
}

}  // namespace gpukeeper::cli
