#include "cli/ps_table.hpp"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "cli/notes.hpp"
#include "cli/status_table.hpp"
#include "cli/table.hpp"
#include "core/display_text.hpp"
#include "telemetry/who.hpp"

namespace gpukeeper::cli {
namespace {

// Below it the driver's own bookkeeping is no news.
constexpr Bytes kWorthSaying = 128_MiB;

Cell absent() {
  return {"-", Ink::faint};
}

Cell percent(const Metric<Percent>& share) {
  return share ? Cell(fmt::format("{:.0f}%", share->value())) : absent();
}

Cell size(const Metric<Bytes>& bytes) {
  return bytes ? Cell(size_text(bytes->value())) : absent();
}

// The cells of what is known of who a process is, or dashes.
class Who {
 public:
  Who(const ProcessRow& row, const Snapshot& snapshot, bool utf8)
      : row_(row), facts_(row.facts), now_(snapshot.taken_at), utf8_(utf8) {}

  Cell user() const { return facts_ && facts_->user ? Cell(harmless(*facts_->user, utf8_)) : absent(); }
  Cell cpu() const { return facts_ ? percent(facts_->cpu) : absent(); }
  Cell resident() const { return facts_ ? size(facts_->resident) : absent(); }
  Cell time() const { return facts_ && facts_->started ? Cell(age_text(now_ - *facts_->started)) : absent(); }
  Cell kind() const {
    if (!facts_) return {};
    const ProcessClass kind = facts_->classification.kind;
    return {std::string(class_text(kind)), kind == ProcessClass::mining ? Ink::bad : Ink::plain};
  }
  Cell place() const {
    if (!facts_ || !facts_->place) return absent();
    return {harmless(place_text(*facts_->place), utf8_)};
  }
  // The command line without the folder of its program, which says little; the name where there is none.
  Cell command(bool wide) const {
    std::string text = facts_ && facts_->command_line ? *facts_->command_line : row_.process->name;
    if (text.empty()) return absent();
    if (!wide && text.front() == '/') {
      const auto name = text.rfind('/', text.find(' '));
      if (name + 1 < text.size()) text.erase(0, name + 1);
    }
    return {harmless(text, utf8_)};
  }

 private:
  const ProcessRow& row_;
  const ProcessFacts* facts_;
  const WallTime now_;
  const bool utf8_;
};

Table table_of(const std::vector<ProcessRow>& rows, const Snapshot& snapshot, const PsOptions& options,
               const RenderOptions& render) {
  using enum Column::Align;
  Table table({{.header = "GPU"},
               {.header = "ALSO", .priority = 26, .only_if_filled = true},
               {.header = "PID", .align = right},
               {.header = "ORIGIN", .only_if_filled = true},
               {.header = "USER", .priority = 30, .only_if_filled = true},
               {.header = "TYPE", .priority = 5},
               {.header = "CLASS", .priority = 24, .only_if_filled = true},
               {.header = "GPU MEM", .align = right},
               {.header = "GPU %", .align = right, .priority = 28},
               {.header = "CPU %", .align = right, .priority = 12, .only_if_filled = true},
               {.header = "RSS", .align = right, .priority = 11, .only_if_filled = true},
               {.header = "TIME", .align = right, .priority = 20, .only_if_filled = true},
               {.header = "WHERE", .priority = 22, .only_if_filled = true},
               {.header = "COMMAND", .shrinks_to = 10}});
  for (const ProcessRow& row : rows) {
    const Who who(row, snapshot, render.utf8);
    table.add_row({{row.place},
                   {fmt::format("{}", fmt::join(row.also_on, ",")), Ink::warn},
                   {fmt::format("{}", row.process->pid)},
                   {std::string(origin(*row.device->device)), Ink::warn},
                   who.user(),
                   {row.process->type.to_string(), Ink::faint},
                   who.kind(),
                   size(row.process->memory),
                   percent(row.process->utilization),
                   who.cpu(),
                   who.resident(),
                   who.time(),
                   who.place(),
                   who.command(options.wide)});
  }
  return table;
}

std::string plural(std::size_t count, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", count, count == 1 ? one : many);
}

std::string title(const Snapshot& snapshot, const std::vector<ProcessRow>& rows, const RenderOptions& options) {
  const std::string dot = options.utf8 ? " · " : " - ";
  std::string text;
  if (const auto machine = machine_words(snapshot, options); !machine.empty()) text += dot + machine;
  text += dot + fmt::format("{} on {}", plural(count_processes(rows), "process", "processes"),
                            plural(snapshot.devices.size(), "GPU", "GPUs"));
  std::vector<Span> line{{"gpukeeper", Ink::strong}, {text}};
  const std::string time = local_time(snapshot.taken_at, options.utc_offset);
  const std::size_t used = display_width(line[0].text) + display_width(text);
  if (used + 2 + time.size() <= options.width) {
    line.push_back({std::string(options.width - used - time.size(), ' ')});
    line.push_back({time, Ink::faint});
  }
  return paint(line, options);
}

// Memory that no process listed holds. It is what makes people ask where their memory is.
std::string unattributed(const DeviceSnapshot& d) {
  const auto rest = unattributed_memory(d);
  if (!rest || *rest < kWorthSaying) return {};
  return fmt::format(
      "{} of the {} in use belong to no process that can be seen: to the driver itself, or to processes "
      "of another container",
      size_text(rest->value()), size_text(d.reading.memory_used->value()));
}

std::string unknown_processes(const DeviceSnapshot& d) {
  if (!d.available) return d.reason.empty() ? "it cannot be read" : d.reason;
  return d.processes_reason;
}

bool hides_something(const ProcessRow& row) {
  if (row.facts == nullptr || !origin(*row.device->device).empty()) return false;
  const ProcessFacts& f = *row.facts;
  const auto hidden = [](const auto& metric) { return !metric && metric.error() == Missing::not_permitted; };
  return hidden(f.user) || hidden(f.command_line) || hidden(f.place) || hidden(f.started) || hidden(f.cpu) ||
         hidden(f.resident);
}

std::vector<std::string> footer(const Snapshot& snapshot, const std::vector<ProcessRow>& rows, bool filtered,
                                const RenderOptions& options) {
  std::vector<std::string> result;
  const auto add = [&](std::vector<std::string> lines) {
    for (std::string& line : lines) result.push_back(std::move(line));
  };
  if (!filtered) add(device_notes(snapshot, unattributed, options));
  add(device_notes(snapshot, unknown_processes, options));
  const auto hidden = std::ranges::count_if(rows, hides_something);
  if (hidden > 0) {
    add(wrapped({},
                {fmt::format("Of {} this user may not see everything: run as root, or grant CAP_SYS_PTRACE.",
                             plural(static_cast<std::size_t>(hidden), "process", "processes")),
                 Ink::faint},
                options));
  }
  add(source_notes(snapshot, options));
  return result;
}

// Why there is no line: nothing runs, nothing fits the filter, or nothing can be known; the footer says the last.
std::string why_empty(const Snapshot& snapshot, const std::vector<ProcessRow>& all, const PsOptions& options) {
  if (!all.empty()) {
    std::string text = nothing_holds(all, options.filter);
    text.front() = 'N';
    return text + '.';
  }
  const bool known = std::ranges::any_of(
      snapshot.devices, [](const DeviceSnapshot& d) { return d.available && d.processes_reason.empty(); });
  if (!known) return "Which processes use a GPU is not known:";
  const bool all_known = std::ranges::all_of(
      snapshot.devices, [](const DeviceSnapshot& d) { return d.available && d.processes_reason.empty(); });
  return all_known ? "No process uses a GPU." : "No process uses a GPU, as far as can be seen:";
}

// Within the rows of a screen: processes give way to the notes below them, but not all.
void shorten(std::vector<std::string>& body, std::vector<std::string>& foot, std::size_t used,
             const RenderOptions& options) {
  if (options.height == 0) return;
  constexpr std::size_t kLeast = 5;
  const std::size_t room = options.height > used ? options.height - used : 1;
  const std::size_t for_foot = foot.empty() ? 0 : foot.size() + 1;
  if (body.size() + for_foot > room && room < kLeast + for_foot) foot.clear();
  const std::size_t for_body = room - std::min(room, foot.empty() ? 0 : foot.size() + 1);
  if (body.size() <= for_body) return;
  const auto left_out = body.size() - (for_body == 0 ? 0 : for_body - 1);
  body.resize(body.size() - left_out);
  body.push_back(paint({{fmt::format("{}{} more", options.utf8 ? "  … " : "  ... ", left_out), Ink::faint}}, options));
}

}  // namespace

std::string render_ps(const Snapshot& snapshot, std::span<const Finding> findings, const PsOptions& options,
                      const RenderOptions& render) {
  if (snapshot.devices.empty()) return render_status(snapshot, findings, render);
  const auto all = process_rows(snapshot);
  auto rows = all;
  std::erase_if(rows, [&](const ProcessRow& row) { return !options.filter.holds(row); });
  if (options.order) sort_processes(rows, *options.order, options.reversed);

  std::vector<std::string> body;
  if (rows.empty()) {
    body = wrapped({}, {why_empty(snapshot, all, options)}, render);
  } else {
    RenderOptions page = render;
    if (options.wide) page.width = std::numeric_limits<std::size_t>::max() / 2;
    body = table_of(rows, snapshot, options, render).render(page);
  }
  auto foot = footer(snapshot, rows, !options.filter.empty(), render);
  shorten(body, foot, 2, render);
  std::string text = title(snapshot, rows, render) + "\n\n";
  for (const std::string& line : body) text += line + '\n';
  if (!foot.empty()) text += '\n';
  for (const std::string& line : foot) text += line + '\n';
  return text;
}

}  // namespace gpukeeper::cli
