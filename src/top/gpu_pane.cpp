#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "top/columns.hpp"
#include "top/panes.hpp"
#include "top/words.hpp"

namespace gpukeeper::top {
namespace {

// The columns of a GPU in one row.
enum Column : std::size_t {
  kGpu,
  kName,
  kState,
  kUse,
  kUseBar,
  kMemory,
  kMemoryBar,
  kPower,
  kPowerBar,
  kHeat,
  kHeatBar,
  kClock,
  kFan,
  kSlowed,
  kCurve,
  kColumns
};

std::array<ColumnWish, kColumns> wishes(std::size_t index_width) {
  return {{{100, index_width + 3, index_width + 3},  // kGpu: the cursor, the sign, the index
           {90, 6, 26},                              // kName
           {60, 9, 11},                              // kState
           {99, 4, 4, true},                         // kUse
           {85, 5, 24},                              // kUseBar
           {97, 11, 11, true},                       // kMemory "121.4/140.4"
           {86, 6, 30},                              // kMemoryBar
           {96, 7, 7, true},                         // kPower "612/700"
           {50, 5, 16},                              // kPowerBar
           {98, 4, 4, true},                         // kHeat "64°C"
           {55, 6, 20},                              // kHeatBar
           {80, 4, 4, true},                         // kClock
           {40, 4, 8, true},                         // kFan
           {83, 9, 15},                              // kSlowed
           {45, 8, 60}}};                            // kCurve
}

constexpr std::string_view kHeadings[kColumns] = {"GPU",     "name", "state",   "use",       "",
                                                  "mem GiB", "",     "power W", "",          "temp",
                                                  "",        "MHz",  "fan",     "slowed by", "use, lately"};

std::string name_of(const GpuRow& gpu) {
  const Device& device = *gpu.device->device;
  if (gpu.parent != nullptr) return "└ " + device.partition.value_or(device.name);
  return std::string(short_name(device.name));
}

std::string watts_pair(const Reading& r) {
  std::string text = power_text(r);
  if (text.ends_with(" W")) text.resize(text.size() - 2);
  return text;
}

std::string memory_pair(const Reading& r) {
  if (!r.memory_used && !r.memory_total) return std::string(kAbsent);
  return fmt::format("{}/{}", gib_text(r.memory_used), gib_text(r.memory_total));
}

void draw_line(const Scene& scene, const GpuRow& gpu, bool chosen, const Cells& cells, const Area& area,
               std::size_t y) {
  const DeviceSnapshot& d = *gpu.device;
  const Reading& r = d.reading;
  const StateLook look = look_of(d);
  area.line(0, y,
            {{chosen ? "▶" : " ", {Role::accent}},
             {look.sign, {look.role, true}},
             {" " + index_word(d), {Role::strong, chosen}}});
  cells.put(area, kName, y, name_of(gpu), {d.available ? Role::text : Role::faint});
  cells.put(area, kState, y, look.word, {look.role});
  if (!d.available && r.attention != Attention::asleep) {  // why stands where its figures would
    const std::size_t from = cells.at(kUse);
    area.put(from, y, d.reason.empty() ? "it cannot be read" : d.reason, {Role::other});
    return;
  }
  cells.put(area, kUse, y, percent_text(r.utilization), {Role::strong});
  draw_utilization(d, area, cells.at(kUseBar), y, cells.width(kUseBar));
  cells.put(area, kMemory, y, memory_pair(r), {});
  draw_memory(scene, d, area, cells.at(kMemoryBar), y, cells.width(kMemoryBar));
  cells.put(area, kPower, y, watts_pair(r), {});
  draw_power(d, area, cells.at(kPowerBar), y, cells.width(kPowerBar));
  cells.put(area, kHeat, y, celsius_text(guarding_temperature(r)), {Role::strong});
  draw_temperature(d, area, cells.at(kHeatBar), y, cells.width(kHeatBar));
  cells.put(area, kClock, y, mhz_text(r.clock_graphics ? r.clock_graphics : r.clock_sm), {});
  cells.put(area, kFan, y, fan_text(r), {});
  cells.put(area, kSlowed, y, slowed_by(r), {Role::throttled});
  if (cells.width(kCurve) > 0) {
    draw_spark(scene.model.trail().of(d.device->id, Curve::utilization, cells.width(kCurve)), 100, area,
               cells.at(kCurve), y, cells.width(kCurve), Role::optimal);
  }
}

struct BlockMeter {
  std::string_view name;
  void (*draw)(const Scene&, const DeviceSnapshot&, const Area&, std::size_t, std::size_t, std::size_t);
  std::string (*text)(const Scene&, const DeviceSnapshot&);
  Curve curve;
};

std::string clocks_text(const Reading& r) {
  const auto& now = r.clock_graphics ? r.clock_graphics : r.clock_sm;
  if (!now) return {};
  return fmt::format("{} MHz", mhz_text(now));
}

std::string heat_text(const DeviceSnapshot& d) {
  std::string text = celsius_text(guarding_temperature(d.reading));
  if (d.reading.fan || d.reading.fan_speed) text += fmt::format("  fan {}", fan_text(d.reading));
  return text;
}

std::string split_text(const Scene& scene, const DeviceSnapshot& d) {
  return memory_text(d.reading) +
         (scene.model.account_of(d.device->id) != nullptr && scene.model.account_of(d.device->id)->leases > 0
              ? fmt::format("  {} leased", scene.model.account_of(d.device->id)->leases)
              : "");
}

constexpr BlockMeter kMeters[kBlockLines - 1] = {
    {"use",
     [](const Scene&, const DeviceSnapshot& d, const Area& a, std::size_t x, std::size_t y, std::size_t w) {
       draw_utilization(d, a, x, y, w);
     },
     [](const Scene&, const DeviceSnapshot& d) { return percent_text(d.reading.utilization); }, Curve::utilization},
    {"memory",
     [](const Scene& s, const DeviceSnapshot& d, const Area& a, std::size_t x, std::size_t y, std::size_t w) {
       draw_memory(s, d, a, x, y, w);
     },
     split_text, Curve::memory},
    {"power",
     [](const Scene&, const DeviceSnapshot& d, const Area& a, std::size_t x, std::size_t y, std::size_t w) {
       draw_power(d, a, x, y, w);
     },
     [](const Scene&, const DeviceSnapshot& d) {
       const std::string clocks = clocks_text(d.reading);
       return power_text(d.reading) + (clocks.empty() ? "" : "  " + clocks);
     },
     Curve::power},
    {"heat",
     [](const Scene&, const DeviceSnapshot& d, const Area& a, std::size_t x, std::size_t y, std::size_t w) {
       draw_temperature(d, a, x, y, w);
     },
     [](const Scene&, const DeviceSnapshot& d) { return heat_text(d); }, Curve::temperature},
};

double top_of(Curve curve, const Reading& r) {
  return curve == Curve::power ? (r.power_limit ? r.power_limit->value() : 0) : 100;
}

void draw_heading(const Cells& cells, const Area& area) {
  for (std::size_t i = 0; i < kColumns; ++i) cells.put(area, i, 0, kHeadings[i], {Role::faint});
}

}  // namespace

void draw_gpu_block(const Scene& scene, const GpuRow& gpu, bool chosen, const Area& area) {
  const DeviceSnapshot& d = *gpu.device;
  const StateLook look = look_of(d);
  std::vector<Span> title{{chosen ? "▶" : " ", {Role::accent}},
                          {look.sign, {look.role, true}},
                          {" " + index_word(d) + " ", {Role::strong}},
                          {gpu.parent != nullptr ? name_of(gpu) : d.device->name, {Role::strong}},
                          {"  "},
                          {look.word, {look.role, true}}};
  const std::string slowed = slowed_by_all(d.reading);
  if (!slowed.empty()) title.push_back({"  slowed by " + slowed, {Role::throttled}});
  if (const auto origin = origin_word(*d.device); !origin.empty()) {
    title.push_back({"  " + std::string(origin), {Role::faint}});
  }
  area.line(0, 0, title);
  if (!d.available && d.reading.attention != Attention::asleep) {
    draw_text(area, 1, "   ", d.reason.empty() ? "it cannot be read" : d.reason, {Role::other});
    return;
  }
  constexpr std::size_t kName = 3, kBar = 10, kText = 24;
  const std::size_t rest = area.width() > kBar + kText + 2 ? area.width() - kBar - kText - 2 : 0;
  const std::size_t bar = rest * 3 / 5, curve = rest - bar;
  for (std::size_t i = 0; i + 1 < kBlockLines; ++i) {
    const BlockMeter& meter = kMeters[i];
    area.put(kName, i + 1, meter.name, {Role::faint});
    meter.draw(scene, d, area, kBar, i + 1, bar);
    area.put(kBar + bar + 1, i + 1, meter.text(scene, d), {}, kText);
    draw_spark(scene.model.trail().of(d.device->id, meter.curve, curve), top_of(meter.curve, d.reading), area,
               kBar + bar + kText + 1, i + 1, curve > 0 ? curve - 1 : 0, i == 0 ? Role::optimal : Role::faint);
  }
}

void draw_gpus(const Scene& scene, const Layout& layout, const Area& area, Hots& hots) {
  const auto& gpus = scene.model.gpus();
  if (gpus.empty()) {
    const std::string why = !scene.model.has_snapshot()           ? "Looking at the GPUs…"
                            : !scene.model.news().nothing.empty() ? scene.model.news().nothing
                                                                  : "No GPU was found.";
    draw_text(area, 0, " ", why, {});
    return;
  }
  const bool blocks = layout.gpu_lines > 1;
  const std::size_t heading = blocks ? 0 : 1;
  const std::size_t rows = area.height() > heading ? (area.height() - heading) / layout.gpu_lines : 0;
  if (rows == 0) return;
  const std::size_t width = area.width() / layout.gpu_columns;
  const std::size_t shown = std::min(rows * layout.gpu_columns, gpus.size());
  const std::size_t first = std::min(scene.ui.gpu_scroll, gpus.size() - shown);
  std::size_t index_width = 1;
  for (const GpuRow& gpu : gpus) index_width = std::max(index_width, index_word(*gpu.device).size());
  const Cells cells(wishes(index_width), width - 1, 0);
  for (std::size_t column = 0; column < layout.gpu_columns && !blocks; ++column) {
    draw_heading(cells, area.part({column * width, 0, width - 1, 1}));
  }
  for (std::size_t i = 0; i < shown; ++i) {
    const std::size_t which = first + i;
    const Rect rect{i / rows * width, heading + i % rows * layout.gpu_lines, width - 1, layout.gpu_lines};
    const Area own = area.part(rect);
    const bool chosen = which == scene.ui.gpu;
    if (blocks) {
      draw_gpu_block(scene, gpus[which], chosen, own);
    } else {
      draw_line(scene, gpus[which], chosen, cells, own, 0);
    }
    hots.push_back({own.rect(), Hot::Kind::gpu, which});
  }
}

}  // namespace gpukeeper::top
