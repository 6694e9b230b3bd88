#include <algorithm>

#include <fmt/format.h>

#include "format/human.hpp"
#include "format/plot.hpp"
#include "top/panes.hpp"
#include "top/process_lines.hpp"
#include "top/words.hpp"

namespace gpukeeper::top {
namespace {

constexpr std::size_t kFactWidth = 64;  // its name and its value: a UUID in full

// Facts in columns: a name, faint, and its value.
class Facts {
 public:
  Facts(const Area& area, std::size_t y) : area_(area), y_(y) {}

  void add(std::string_view name, const std::string& value) {
    const std::size_t columns = std::max<std::size_t>(1, area_.width() / kFactWidth);
    const std::size_t width = area_.width() / columns;
    const std::size_t x = count_ % columns * width + 1;
    area_.put(x, y_ + count_ / columns, name, {Role::faint}, 18);
    area_.put(x + 19, y_ + count_ / columns, value, {}, width > 21 ? width - 21 : 1);
    ++count_;
  }
  std::size_t end() const {
    const std::size_t columns = std::max<std::size_t>(1, area_.width() / kFactWidth);
    return y_ + (count_ + columns - 1) / columns;
  }

 private:
  const Area& area_;
  std::size_t y_;
  std::size_t count_ = 0;
};

// Absent with its reason.
template <class Value, class Text>
std::string with_reason(const Metric<Value>& metric, Text text) {
  return metric ? text(*metric) : fmt::format("{} {}", kAbsent, describe(metric.error()));
}

std::string text_of(const Device::Text& text) {
  return with_reason(text, [](const std::string& value) { return value; });
}

void add_gpu_facts(Facts& facts, const DeviceSnapshot& d) {
  const Reading& r = d.reading;
  const Device& device = *d.device;
  facts.add("UUID", device.id.text);
  facts.add("PCI address", device.pci ? device.pci->to_string() : std::string(kAbsent));
  facts.add("driver", text_of(device.driver_version));
  facts.add("architecture", text_of(device.architecture));
  facts.add("clock", with_reason(r.clock_graphics, [&](Megahertz now) {
              return r.clock_graphics_max
                         ? fmt::format("{:.0f} of {:.0f} MHz", now.value(), r.clock_graphics_max->value())
                         : fmt::format("{:.0f} MHz", now.value());
            }));
  facts.add("memory clock",
            with_reason(r.clock_memory, [](Megahertz now) { return fmt::format("{:.0f} MHz", now.value()); }));
  facts.add("fan", with_reason(r.fan, [&](Percent) { return fan_text(r); }));
  facts.add("hotspot",
            with_reason(r.temperature_hotspot, [](Celsius t) { return fmt::format("{:.0f}°C", t.value()); }));
  facts.add("memory heat",
            with_reason(r.temperature_memory, [](Celsius t) { return fmt::format("{:.0f}°C", t.value()); }));
  facts.add("slowdown at",
            with_reason(r.temperature_slowdown, [](Celsius t) { return fmt::format("{:.0f}°C", t.value()); }));
  facts.add("work slows at", fmt::format("{:.0f}°C (temp_throttle)", d.throttling.thresholds.temp_throttle.value()));
  facts.add("PCIe", with_reason(r.pcie_generation, [&](Count generation) {
              return fmt::format("{}.0 x{}", generation.value(),
                                 r.pcie_width ? fmt::format("{}", r.pcie_width->value()) : "?");
            }));
  facts.add("PCIe traffic", fmt::format("{} in, {} out", rate_text(r.pcie_rx), rate_text(r.pcie_tx)));
  facts.add("links", with_reason(r.interconnect_links_active, [&](Count active) {
              return fmt::format("{} active, {} in, {} out", active.value(), rate_text(r.interconnect_rx),
                                 rate_text(r.interconnect_tx));
            }));
  facts.add("encoder, decoder",
            fmt::format("{}, {}", percent_text(r.utilization_encoder), percent_text(r.utilization_decoder)));
  facts.add("ECC uncorrected",
            with_reason(r.ecc_uncorrected_volatile, [](Count n) { return fmt::format("{}", n.value()); }));
  facts.add("performance", with_reason(r.performance_state, [](const std::string& state) { return state; }));
  facts.add("work may go at", fmt::format("{:.0f} % of its speed", d.throttling.speed_multiplier * 100));
}

std::size_t add_reasons(const DeviceSnapshot& d, const Area& area, std::size_t y) {
  if (!d.reason.empty()) y = draw_text(area, y, " ", d.reason, {Role::throttled});
  for (const ThrottleRequest& request : d.throttling.requests) {
    y = draw_text(area, y, " ", fmt::format("asked to slow down ({}): {}", to_string(request.cause), request.reason),
                  {Role::throttled});
  }
  return y;
}

std::size_t add_leases(const Scene& scene, const std::string& device, const Area& area, std::size_t y) {
  const auto& book = scene.model.news().leases;
  if (!book) return y;
  bool any = false;
  for (const LeaseLine& lease : book->leases) {
    if (lease.device != device) continue;
    if (!any) draw_rule(area, y++, "leases");
    any = true;
    area.line(1, y++,
              {{fmt::format("{:>5} ", lease.id), {Role::strong}},
               {fmt::format("{:<10}", lease.state), {Role::faint}},
               {lease.service, {Role::strong}},
               {fmt::format("  {}", size_text(lease.least.value()))},
               {lease.observed ? fmt::format(", {} in use", size_text(lease.observed->value())) : "", {Role::faint}}});
  }
  return y;
}

// What it held and did of late, as a curve over time.
void draw_trail(std::string_view name, const Trail::Values& values, std::string_view unit, const Scene& scene,
                const Area& area) {
  double top = 1;
  for (const auto& value : values) top = std::max(top, value.value_or(0));
  area.line(1, 0,
            {{name, {Role::strong}},
             {values.empty() ? "  not known yet" : fmt::format("  up to {:.1f} {}", top, unit), {Role::faint}}});
  if (values.empty() || area.height() < 6) return;
  const WallTime to = scene.model.snapshot().taken_at;
  PlotOptions options{.width = area.width() - 1,
                      .height = area.height() - 3,
                      .utf8 = area.utf8(),
                      .from = to - std::chrono::seconds(Trail::kLength),
                      .to = to,
                      .utc_offset = scene.model.utc_offset(),
                      .unit = unit == "%" ? "percent" : "",
                      .top = unit == "%" ? 100 : top * 1.05};
  const std::size_t count = plot_columns(options);
  std::vector<std::optional<PlotColumn>> columns(count);
  for (std::size_t x = 0; x < count; ++x) {  // the latest value is at the right end
    const std::size_t back = (count - 1 - x) * Trail::kLength / count;
    if (back >= values.size() || !values[values.size() - 1 - back]) continue;
    columns[x] = PlotColumn{*values[values.size() - 1 - back], *values[values.size() - 1 - back]};
  }
  draw_plot(plot(columns, options), unit == "%" ? Role::optimal : Role::lease,
            area.part({0, 1, area.width(), area.height() - 1}));
}

}  // namespace

void draw_gpu_screen(const Scene& scene, const Area& area) {
  const auto& gpus = scene.model.gpus();
  if (scene.ui.gpu >= gpus.size()) {
    draw_text(area, 0, " ", "There is no GPU.", {Role::faint});
    return;
  }
  const DeviceSnapshot& d = *gpus[scene.ui.gpu].device;
  draw_gpu_block(scene, gpus[scene.ui.gpu], false, area.part({0, 0, area.width(), kBlockLines}));
  std::size_t y = add_reasons(d, area, kBlockLines);
  Facts facts(area, y);
  draw_rule(area, y, "facts");
  Facts below(area, y + 1);
  add_gpu_facts(below, d);
  y = below.end();
  y = add_leases(scene, d.device->id.text, area, y);
  if (y + 3 >= area.height()) return;
  const std::size_t charts = (area.height() - y) * 3 / 5;
  if (charts >= 7) {
    draw_rule(area, y, "the last " + range_text(scene.preferences.range));
    draw_charts(scene, area.part({0, y + 1, area.width(), charts - 1}));
    y += charts;
  }
  draw_rule(area, y, "why");
  draw_why(scene, area.part({0, y + 1, area.width(), area.height() - y - 1}), scene.ui.detail_scroll);
}

void draw_process_screen(const Scene& scene, const Area& area) {
  const auto& wanted = scene.ui.process;
  const auto& rows = scene.model.processes();
  const auto found = std::ranges::find_if(rows, [&](const ProcessRow& row) {
    return wanted && row.process->pid == wanted->second && row.device->device->id.text == wanted->first;
  });
  if (found == rows.end()) {
    draw_text(area, 1, " ", wanted ? fmt::format("Process {} is gone.", wanted->second) : "No process is chosen.",
              {Role::faint});
    return;
  }
  const ProcessRow& row = *found;
  const GpuProcess& process = *row.process;
  area.line(1, 0,
            {{fmt::format("process {} ", process.pid), {Role::strong, true}},
             {process.name.empty() ? command_of(row) : process.name, {Role::strong}},
             {fmt::format("  on GPU {} ", row.place), {Role::faint}},
             {row.device->device->name, {Role::faint}},
             {std::string("  ") + std::string(origin_word(*row.device->device)), {Role::throttled}}});
  Facts facts(area, 2);
  const ProcessFacts* who = row.facts;
  const auto of_who = [&](auto member, auto text) {
    return who == nullptr ? std::string(kAbsent) : with_reason(who->*member, text);
  };
  const auto same = [](const std::string& text) { return text; };
  facts.add("user", of_who(&ProcessFacts::user, same));
  facts.add("class", class_of(row).empty() ? std::string(kAbsent) : class_of(row));
  facts.add("belongs to", place_of(row));
  facts.add("kind", process.type.to_string());
  facts.add("GPU memory", with_reason(process.memory, [](Bytes b) { return size_text(b.value()); }));
  facts.add("SM", with_reason(process.utilization, [](Percent p) { return fmt::format("{:.0f}%", p.value()); }));
  facts.add("CPU", of_who(&ProcessFacts::cpu, [](Percent p) { return fmt::format("{:.0f}% of a core", p.value()); }));
  facts.add("resident", of_who(&ProcessFacts::resident, [](Bytes b) { return size_text(b.value()); }));
  facts.add("runs for", of_who(&ProcessFacts::started, [&](WallTime t) { return age_text(scene.model.now() - t); }));
  facts.add("executable", of_who(&ProcessFacts::executable, same));
  facts.add("started from", of_who(&ProcessFacts::root, [](const std::optional<InteractiveRoot>& root) {
              return root ? fmt::format("{} (pid {}){}", root->name, root->pid,
                                        root->terminal.empty() ? "" : " on " + root->terminal)
                          : std::string("no terminal or desktop");
            }));
  if (who != nullptr && who->lease != 0) facts.add("lease", fmt::format("{}", who->lease));
  std::string also;
  for (const std::string& gpu : row.also_on) also += (also.empty() ? "" : ", ") + gpu;
  if (!also.empty()) facts.add("also on GPU", also);
  std::size_t y = facts.end();
  if (who != nullptr && !who->forebears.empty()) {
    std::string line;
    for (const std::int64_t pid : who->forebears) {
      const auto name = scene.model.news().names.find(pid);
      line += fmt::format("{}{}{}", line.empty() ? "" : " ← ",
                          name == scene.model.news().names.end() ? "" : name->second + " ", pid);
    }
    area.put(1, y, "parents", {Role::faint});
    area.put(20, y++, line);
  }
  if (who != nullptr && !who->classification.reason.empty()) {
    y = draw_text(area, y + 1, " ", fmt::format("{}: {}", class_of(row), who->classification.reason), {Role::faint});
  }
  draw_rule(area, y, "command");
  y = draw_text(area, y + 1, " ", who != nullptr && who->command_line ? *who->command_line : command_of(row), {});
  draw_rule(area, y, "the last " + range_text(std::chrono::seconds(Trail::kLength)));
  ++y;
  const DeviceId& id = row.device->device->id;
  const std::size_t height = std::min<std::size_t>(area.height() > y ? area.height() - y : 0, 16);
  const std::size_t width = area.width() / 2;
  draw_trail("GPU memory", scene.model.trail().memory_of(id, process.pid, Trail::kLength), "GiB", scene,
             area.part({0, y, width, height}));
  draw_trail("SM", scene.model.trail().use_of(id, process.pid, Trail::kLength), "%", scene,
             area.part({width, y, width, height}));
}

}  // namespace gpukeeper::top
