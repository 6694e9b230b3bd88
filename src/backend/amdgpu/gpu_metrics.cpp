// amdgpu hands out the state of its power firmware as one binary table in `gpu_metrics`.
//
// The table is a C structure of the kernel (drivers/gpu/drm/amd/include/kgd_pp_interface.h), little endian, with the
// compiler's natural alignment, one structure for each version. The kernel never changes a version once it is out: new
// fields make a new one. So each layout below is the list of its fields in order, walked by a cursor that aligns as a C
// compiler does, and each list must end at the size that the version is known to have. A field out of place would move
// everything behind it and with it the end. The sizes of 1.3, 2.1 and 2.2 were seen in recorded tables.
//
// Version 1.9 and later are attribute lists without a layout, and are refused with the rest that is not known: the
// kernel's text files serve those cards.
#include "backend/amdgpu/gpu_metrics.hpp"

#include <algorithm>
#include <limits>
#include <type_traits>

#include <fmt/format.h>

namespace gpukeeper {
namespace {

constexpr std::size_t kHeader = 4;
constexpr std::size_t kXgmiLinks = 8;  // NUM_XGMI_LINKS
constexpr std::size_t kMostXcps = 8;   // NUM_XCP
constexpr std::size_t kMostXccs = 8;   // MAX_XCC: compute dies of one partition
constexpr std::size_t kVcns = 4;       // NUM_VCN

// Walks a C structure field by field.
class Cursor {
 public:
  constexpr explicit Cursor(std::size_t at) : at_(at) {}
  constexpr std::size_t take(std::size_t width, std::size_t count = 1) {
    at_ = (at_ + width - 1) / width * width;
    widest_ = width > widest_ ? width : widest_;
    const std::size_t place = at_;
    at_ += width * count;
    return place;
  }
  constexpr std::size_t u8() { return take(1); }
  constexpr std::size_t u16(std::size_t count = 1) { return take(2, count); }
  constexpr std::size_t u32(std::size_t count = 1) { return take(4, count); }
  constexpr std::size_t u64(std::size_t count = 1) { return take(8, count); }
  constexpr std::size_t end() const { return (at_ + widest_ - 1) / widest_ * widest_; }

 private:
  std::size_t at_;
  std::size_t widest_ = 2;
};

// 1.0 to 1.3: boards from Arcturus and Navi on.
struct BoardLayout {
  std::size_t edge, hotspot, memory, vr_gfx, vr_soc, vr_mem, gfx_activity, umc_activity, mm_activity, power;
  std::size_t average_gfx, average_uclk, average_vclk, gfx, soc, uclk, vclk, throttle, fan, width, speed;
  std::size_t hbm = 0, independent = 0, size = 0;
};

constexpr BoardLayout board_layout(int content) {
  BoardLayout l{};
  Cursor at(kHeader);
  if (content == 0) at.u64();  // time
  l.edge = at.u16();
  l.hotspot = at.u16();
  l.memory = at.u16();
  l.vr_gfx = at.u16();
  l.vr_soc = at.u16();
  l.vr_mem = at.u16();
  l.gfx_activity = at.u16();
  l.umc_activity = at.u16();
  l.mm_activity = at.u16();
  l.power = at.u16();
  if (content == 0) {
    at.u32();  // energy
  } else {
    at.u64(2);  // energy, time
  }
  l.average_gfx = at.u16();
  at.u16();  // average of the SoC clock
  l.average_uclk = at.u16();
  l.average_vclk = at.u16();
  at.u16(3);  // average of dclk0, vclk1, dclk1
  l.gfx = at.u16();
  l.soc = at.u16();
  l.uclk = at.u16();
  l.vclk = at.u16();
  at.u16(3);  // dclk0, vclk1, dclk1
  l.throttle = at.u32();
  l.fan = at.u16();
  l.width = content == 0 ? at.u8() : at.u16();
  l.speed = content == 0 ? at.u8() : at.u16();
  if (content >= 1) {
    at.u16();   // padding
    at.u32(2);  // activity sums
    l.hbm = at.u16(4);
  }
  if (content >= 2) at.u64();  // time of the firmware
  if (content >= 3) {
    at.u16(4);  // voltages, padding
    l.independent = at.u64();
  }
  l.size = at.end();
  return l;
}
static_assert(board_layout(0).size == 80);
static_assert(board_layout(1).size == 96);
static_assert(board_layout(2).size == 104);
static_assert(board_layout(3).size == 120);

// 1.4 to 1.8: the MI300 family.
struct AcceleratorLayout {
  std::size_t hotspot, memory, vr_soc, power, gfx_activity, umc_activity, vcn_activity = 0, energy, throttle = 0;
  std::size_t residencies = 0, width, speed, replays, xgmi_read, xgmi_written, xgmi_status = 0;
  std::size_t gfx, soc, vclk, uclk, partitions = 0, xcp = 0, xcp_stride = 0, xcp_vcn = 0, size = 0;
};

constexpr AcceleratorLayout accelerator_layout(int content) {
  AcceleratorLayout l{};
  Cursor at(kHeader);
  l.hotspot = at.u16();
  l.memory = at.u16();
  l.vr_soc = at.u16();
  l.power = at.u16();
  l.gfx_activity = at.u16();
  l.umc_activity = at.u16();
  if (content <= 5) l.vcn_activity = at.u16(kVcns);
  if (content == 5) at.u16(32);  // JPEG engines
  if (content >= 7) at.u64();    // highest memory bandwidth
  l.energy = at.u64();
  at.u64();  // time
  if (content <= 5) {
    l.throttle = at.u32();
  } else {
    at.u32();                   // counter of accumulations
    l.residencies = at.u32(5);  // prochot, power, socket, regulator, HBM
  }
  at.u32();  // locked clocks
  l.width = at.u16();
  l.speed = at.u16();
  at.u16(2);  // xGMI width and speed
  at.u32(2);  // activity sums
  at.u64(3);  // PCIe bandwidth twice, recoveries
  l.replays = at.u64();
  at.u64();                     // replay rollovers
  if (content >= 5) at.u32(2);  // NAKs
  l.xgmi_read = at.u64(kXgmiLinks);
  l.xgmi_written = at.u64(kXgmiLinks);
  if (content >= 7) {
    l.xgmi_status = at.u16(kXgmiLinks);
    at.u16();
  }
  at.u64();  // time of the firmware
  l.gfx = at.u16(8);
  l.soc = at.u16(4);
  l.vclk = at.u16(4);
  at.u16(4);  // dclk
  l.uclk = at.u16();
  l.partitions = at.u16();  // padding before 1.6
  if (content >= 6) {
    Cursor xcp(0);
    xcp.u32(kMostXccs);               // busy now
    xcp.u16(content >= 8 ? 40 : 32);  // JPEG engines
    l.xcp_vcn = xcp.u16(kVcns);
    xcp.u64(kMostXccs);                        // busy in sum
    if (content == 7) xcp.u64(kMostXccs);      // time below the host's limit
    if (content >= 8) xcp.u64(4 * kMostXccs);  // the same by reason
    l.xcp_stride = xcp.end();
    l.xcp = at.take(8, l.xcp_stride / 8 * kMostXcps);
    at.u32();  // recoveries of the other end
  } else {
    l.partitions = 0;
  }
  l.size = at.end();
  return l;
}
static_assert(accelerator_layout(4).size == 288);
static_assert(accelerator_layout(5).size == 360);
static_assert(accelerator_layout(6).size == 1664);
static_assert(accelerator_layout(7).size == 2208);
static_assert(accelerator_layout(8).size == 3872);

// 2.0 to 2.4: APUs.
struct ApuLayout {
  std::size_t graphics, soc_temperature, gfx_activity, mm_activity, power, power_cpu, power_gfx;
  std::size_t average_gfx, average_uclk, average_vclk, gfx, soc, uclk, vclk, throttle, independent = 0, size = 0;
};

constexpr ApuLayout apu_layout(int content) {
  ApuLayout l{};
  Cursor at(kHeader);
  if (content == 0) at.u64();  // time
  l.graphics = at.u16();
  l.soc_temperature = at.u16();
  at.u16(8 + 2);  // cores, third-level caches
  l.gfx_activity = at.u16();
  l.mm_activity = at.u16();
  if (content >= 1) at.u64();  // time
  l.power = at.u16();
  l.power_cpu = at.u16();
  at.u16();  // power of the SoC part
  l.power_gfx = at.u16();
  at.u16(8);  // cores
  l.average_gfx = at.u16();
  at.u16();  // average of the SoC clock
  l.average_uclk = at.u16();
  at.u16();  // average of the fabric clock
  l.average_vclk = at.u16();
  at.u16();  // average of dclk
  l.gfx = at.u16();
  l.soc = at.u16();
  l.uclk = at.u16();
  at.u16();  // fabric clock
  l.vclk = at.u16();
  at.u16();       // dclk
  at.u16(8 + 2);  // cores, third-level caches
  l.throttle = at.u32();
  at.u16();                      // fan
  at.u16(content == 0 ? 1 : 3);  // padding
  if (content >= 2) l.independent = at.u64();
  if (content >= 3) at.u16(12);  // averaged temperatures
  if (content >= 4) at.u16(6);   // voltages, currents
  l.size = at.end();
  return l;
}
static_assert(apu_layout(0).size == 120);
static_assert(apu_layout(1).size == 120);
static_assert(apu_layout(2).size == 128);
static_assert(apu_layout(3).size == 152);
static_assert(apu_layout(4).size == 168);

// 3.0: APUs from Strix Point on.
struct NewApuLayout {
  std::size_t graphics, soc_temperature, skin, gfx_activity, vcn_activity, power, power_gfx, power_cores;
  std::size_t average_gfx, average_soc, average_vclk, average_uclk, residencies, size;
};

constexpr NewApuLayout new_apu_layout() {
  NewApuLayout l{};
  Cursor at(kHeader);
  l.graphics = at.u16();
  l.soc_temperature = at.u16();
  at.u16(16);  // cores
  l.skin = at.u16();
  l.gfx_activity = at.u16();
  l.vcn_activity = at.u16();
  at.u16(8 + 16);  // NPU columns, cores
  at.u16(4);       // memory bandwidths
  at.u64();        // time
  l.power = at.u32();
  at.u16();  // power of the NPU
  at.u32();  // power of the APU
  l.power_gfx = at.u32();
  at.u32();  // power of a board beside it
  l.power_cores = at.u32();
  at.u16(16);  // cores
  at.u16(3);   // power of the system, two limits
  l.average_gfx = at.u16();
  l.average_soc = at.u16();
  at.u16(3);  // averages of the VPE, NPU and fabric clocks
  l.average_vclk = at.u16();
  l.average_uclk = at.u16();
  at.u16();                   // NPU processor
  at.u16(16 + 2);             // cores, limits
  l.residencies = at.u32(7);  // prochot, sustained, fast and slow power, heat of cores, graphics, SoC
  at.u32();                   // time constant
  l.size = at.end();
  return l;
}
static_assert(new_apu_layout().size == 264);

// The bytes of a table whose size was checked.
class Table {
 public:
  explicit Table(std::string_view bytes) : bytes_(bytes) {}

  // All ones mean "not there".
  template <class T>
  std::optional<T> get(std::size_t offset) const {
    T value = 0;
    for (std::size_t i = 0; i < sizeof(T); ++i) {
      const auto byte = static_cast<unsigned char>(bytes_.at(offset + i));
      value = static_cast<T>(value | static_cast<T>(static_cast<T>(byte) << (8 * i)));
    }
    if (value == std::numeric_limits<T>::max()) return std::nullopt;
    return value;
  }
  std::optional<std::uint16_t> u16(std::size_t offset) const { return get<std::uint16_t>(offset); }
  std::optional<std::uint32_t> u32(std::size_t offset) const { return get<std::uint32_t>(offset); }
  std::optional<std::uint64_t> u64(std::size_t offset) const { return get<std::uint64_t>(offset); }

  template <class Unit>
  std::optional<Unit> scaled(std::optional<std::uint32_t> raw, double factor) const {
    if (!raw) return std::nullopt;
    return Unit(static_cast<typename Unit::rep>(*raw * factor));
  }
  std::optional<Celsius> degrees(std::size_t offset) const { return scaled<Celsius>(u16(offset), 1); }
  std::optional<Celsius> centidegrees(std::size_t offset) const { return scaled<Celsius>(u16(offset), 0.01); }
  std::optional<Watts> watts(std::size_t offset) const { return scaled<Watts>(u16(offset), 1); }
  std::optional<Megahertz> megahertz(std::size_t offset) const { return scaled<Megahertz>(u16(offset), 1); }

 private:
  std::string_view bytes_;
};

std::optional<Percent> percent(std::optional<std::uint32_t> raw) {
  if (!raw || *raw > 100) return std::nullopt;
  return Percent(*raw);
}

std::optional<Percent> hundredths(std::optional<std::uint16_t> raw) {
  if (!raw || *raw > 10000) return std::nullopt;
  return Percent(*raw / 100.0);
}

// Renoir, Rembrandt and Phoenix count hundredths, Van Gogh whole percents, and newer firmware of the same chip may do
// otherwise (smu_v14_0_0_ppt.c asks for the firmware's version). Only what cannot be percent is certain.
std::optional<Percent> hundredths_if_certain(std::optional<std::uint16_t> raw) {
  if (raw && *raw <= 100) return std::nullopt;
  return hundredths(raw);
}

template <class Read>
auto highest(std::size_t count, const Read& read) {
  decltype(read(std::size_t{0})) most;
  for (std::size_t i = 0; i < count; ++i) {
    const auto one = read(i);
    if (one && (!most || *most < *one)) most = one;
  }
  return most;
}

void read_board(const Table& table, const BoardLayout& l, GpuMetrics& m) {
  m.temperature_edge = table.degrees(l.edge);
  m.temperature_hotspot = table.degrees(l.hotspot);
  m.temperature_memory = table.degrees(l.memory);
  m.temperature_regulator_graphics = table.degrees(l.vr_gfx);
  m.temperature_regulator_soc = table.degrees(l.vr_soc);
  m.temperature_regulator_memory = table.degrees(l.vr_mem);
  m.activity_graphics_raw = table.u16(l.gfx_activity);
  m.activity_media_raw = table.u16(l.mm_activity);
  m.activity_graphics = percent(m.activity_graphics_raw);
  m.activity_memory = percent(table.u16(l.umc_activity));
  m.activity_media = percent(m.activity_media_raw);
  m.power_socket = table.watts(l.power);
  m.clock_graphics_average = table.megahertz(l.average_gfx);
  m.clock_memory_average = table.megahertz(l.average_uclk);
  m.clock_video_average = table.megahertz(l.average_vclk);
  m.clock_graphics = table.megahertz(l.gfx);
  m.clock_soc = table.megahertz(l.soc);
  m.clock_memory = table.megahertz(l.uclk);
  m.clock_video = table.megahertz(l.vclk);
  m.throttle_status = table.u32(l.throttle);
  m.fan_speed = table.scaled<Rpm>(table.u16(l.fan), 1);
  if (m.content == 0) {
    m.pcie_width = table.get<std::uint8_t>(l.width);
    m.pcie_speed = table.get<std::uint8_t>(l.speed);
  } else {
    m.pcie_width = table.u16(l.width);
    m.pcie_speed = table.u16(l.speed);
    for (std::size_t i = 0; i < m.temperature_hbm.size(); ++i) m.temperature_hbm[i] = table.degrees(l.hbm + 2 * i);
  }
  if (l.independent != 0) m.independent_throttle_status = table.u64(l.independent);
}

void read_xgmi(const Table& table, const AcceleratorLayout& l, GpuMetrics& m) {
  for (std::size_t i = 0; i < kXgmiLinks; ++i) {
    GpuMetrics::XgmiLink link;
    link.read_kib = table.u64(l.xgmi_read + 8 * i);
    link.written_kib = table.u64(l.xgmi_written + 8 * i);
    if (l.xgmi_status != 0) {
      // 0 down, 1 up, 2 not known (enum amdgpu_xgmi_link_status)
      const auto status = table.u16(l.xgmi_status + 2 * i);
      if (status && *status <= 1) link.active = *status == 1;
    }
    m.xgmi.push_back(link);
  }
}

void read_partitions(const Table& table, const AcceleratorLayout& l, GpuMetrics& m) {
  const std::size_t count = std::min<std::size_t>(table.u16(l.partitions).value_or(0), kMostXcps);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t base = l.xcp + i * l.xcp_stride;
    double sum = 0;
    int dies = 0;
    for (std::size_t die = 0; die < kMostXccs; ++die) {
      if (const auto busy = percent(table.u32(base + 4 * die))) {
        sum += busy->value();
        ++dies;
      }
    }
    GpuMetrics::Partition partition;
    if (dies > 0) partition.activity = Percent(sum / dies);
    partition.activity_media =
        highest(kVcns, [&](std::size_t n) { return percent(table.u16(base + l.xcp_vcn + 2 * n)); });
    m.partitions.push_back(partition);
  }
}

void read_accelerator(const Table& table, const AcceleratorLayout& l, GpuMetrics& m) {
  m.temperature_hotspot = table.degrees(l.hotspot);
  m.temperature_memory = table.degrees(l.memory);
  m.temperature_regulator_soc = table.degrees(l.vr_soc);
  m.power_socket = table.watts(l.power);
  m.activity_graphics_raw = table.u16(l.gfx_activity);
  m.activity_graphics = percent(m.activity_graphics_raw);
  m.activity_memory = percent(table.u16(l.umc_activity));
  if (l.vcn_activity != 0) {
    m.activity_media = highest(kVcns, [&](std::size_t n) { return percent(table.u16(l.vcn_activity + 2 * n)); });
  }
  // Units of 2^-16 J, as the kernel's header says.
  if (const auto energy = table.u64(l.energy)) m.energy = Joules(static_cast<double>(*energy) / 65536.0);
  if (l.throttle != 0) m.throttle_status = table.u32(l.throttle);
  if (l.residencies != 0) {
    m.throttle_counters.prochot = table.u32(l.residencies);
    m.throttle_counters.power = table.u32(l.residencies + 4);
    m.throttle_counters.thermal = table.u32(l.residencies + 8);
    m.throttle_counters.regulator = table.u32(l.residencies + 12);
    m.throttle_counters.memory = table.u32(l.residencies + 16);
  }
  m.pcie_width = table.u16(l.width);
  m.pcie_speed = table.u16(l.speed);
  m.pcie_replays = table.u64(l.replays);
  // One clock a die: the fastest stands for the device.
  m.clock_graphics = highest(8, [&](std::size_t n) { return table.megahertz(l.gfx + 2 * n); });
  m.clock_soc = highest(4, [&](std::size_t n) { return table.megahertz(l.soc + 2 * n); });
  m.clock_video = highest(4, [&](std::size_t n) { return table.megahertz(l.vclk + 2 * n); });
  m.clock_memory = table.megahertz(l.uclk);
  read_xgmi(table, l, m);
  if (l.xcp != 0) read_partitions(table, l, m);
}

void read_apu(const Table& table, const ApuLayout& l, GpuMetrics& m) {
  m.temperature_graphics = table.centidegrees(l.graphics);
  m.temperature_soc = table.centidegrees(l.soc_temperature);
  m.activity_graphics_raw = table.u16(l.gfx_activity);
  m.activity_media_raw = table.u16(l.mm_activity);
  // 2.4 is the first whose unit is written down.
  const auto unit = m.content >= 4 ? hundredths : hundredths_if_certain;
  m.activity_graphics = unit(m.activity_graphics_raw);
  m.activity_media = unit(m.activity_media_raw);
  m.power_socket = table.scaled<Watts>(table.u16(l.power), 0.001);
  m.power_cpu = table.scaled<Watts>(table.u16(l.power_cpu), 0.001);
  m.power_graphics = table.scaled<Watts>(table.u16(l.power_gfx), 0.001);
  m.clock_graphics_average = table.megahertz(l.average_gfx);
  m.clock_memory_average = table.megahertz(l.average_uclk);
  m.clock_video_average = table.megahertz(l.average_vclk);
  m.clock_graphics = table.megahertz(l.gfx);
  m.clock_soc = table.megahertz(l.soc);
  m.clock_memory = table.megahertz(l.uclk);
  m.clock_video = table.megahertz(l.vclk);
  m.throttle_status = table.u32(l.throttle);
  if (l.independent != 0) m.independent_throttle_status = table.u64(l.independent);
}

void read_new_apu(const Table& table, GpuMetrics& m) {
  constexpr NewApuLayout l = new_apu_layout();
  m.temperature_graphics = table.centidegrees(l.graphics);
  m.temperature_soc = table.centidegrees(l.soc_temperature);
  m.temperature_skin = table.centidegrees(l.skin);
  m.activity_graphics_raw = table.u16(l.gfx_activity);
  m.activity_media_raw = table.u16(l.vcn_activity);
  m.activity_graphics = hundredths_if_certain(m.activity_graphics_raw);
  m.activity_media = hundredths(m.activity_media_raw);
  m.power_socket = table.scaled<Watts>(table.u32(l.power), 0.001);
  m.power_graphics = table.scaled<Watts>(table.u32(l.power_gfx), 0.001);
  m.power_cpu = table.scaled<Watts>(table.u32(l.power_cores), 0.001);
  m.clock_graphics_average = table.megahertz(l.average_gfx);
  m.clock_soc = table.megahertz(l.average_soc);
  m.clock_video_average = table.megahertz(l.average_vclk);
  m.clock_memory_average = table.megahertz(l.average_uclk);
  const auto sum = [&](std::initializer_list<std::size_t> entries) {
    std::optional<std::uint32_t> total;
    for (const std::size_t entry : entries) {
      if (const auto one = table.u32(l.residencies + 4 * entry)) total = total.value_or(0) + *one;
    }
    return total;
  };
  m.throttle_counters.prochot = sum({0});
  m.throttle_counters.power = sum({1, 2, 3});
  m.throttle_counters.thermal = sum({4, 5, 6});
}

// What a version needs at least; nothing for one that is not known.
std::optional<std::size_t> size_of_version(std::uint8_t format, std::uint8_t content) {
  if (format == 1 && content <= 3) return board_layout(content).size;
  if (format == 1 && content <= 8) return accelerator_layout(content).size;
  if (format == 2 && content <= 4) return apu_layout(content).size;
  if (format == 3 && content == 0) return new_apu_layout().size;
  return std::nullopt;
}

}  // namespace

ThrottleReasons ThrottleCounters::since(const ThrottleCounters& before) const {
  ThrottleReasons reasons;
  const auto grew = [](const std::optional<std::uint32_t>& now, const std::optional<std::uint32_t>& old) {
    return now && old && *now > *old;
  };
  if (grew(prochot, before.prochot)) reasons.add(Throttle::prochot);
  if (grew(power, before.power)) reasons.add(Throttle::power);
  if (grew(thermal, before.thermal)) reasons.add(Throttle::thermal);
  if (grew(regulator, before.regulator)) reasons.add(Throttle::thermal_regulator);
  if (grew(memory, before.memory)) reasons.add(Throttle::thermal_memory);
  return reasons;
}

ThrottleReasons reasons_from_independent_bits(std::uint64_t bits) {
  struct Range {
    unsigned first, last;
    Throttle reason;
  };
  constexpr Range kRanges[] = {
      {0, 7, Throttle::power},                // PPT0..3, SPL, FPPT, SPPT, SPPT of the APU
      {16, 23, Throttle::current},            // TDC of graphics, SoC, memory, VDD, CVIP; EDC; APCC
      {32, 33, Throttle::thermal},            // GPU, CPU cores
      {34, 34, Throttle::thermal_memory},     //
      {35, 37, Throttle::thermal},            // edge, hotspot, SoC
      {38, 41, Throttle::thermal_regulator},  // regulators of graphics, SoC, memory
      {42, 43, Throttle::thermal},            // coolant
      {44, 45, Throttle::thermal_regulator},  // VRHOT
      {46, 47, Throttle::prochot},            //
      {56, 56, Throttle::power},              // PPM
      {57, 57, Throttle::reliability},        // FIT
  };
  ThrottleReasons reasons;
  for (unsigned bit = 0; bit < 64; ++bit) {
    if ((bits >> bit & 1) == 0) continue;
    const auto* range = std::find_if(std::begin(kRanges), std::end(kRanges),
                                     [bit](const Range& one) { return bit >= one.first && bit <= one.last; });
    reasons.add(range == std::end(kRanges) ? Throttle::other : range->reason);
  }
  return reasons;
}

std::optional<ThrottleReasons> GpuMetrics::throttle_reasons() const {
  if (independent_throttle_status) return reasons_from_independent_bits(*independent_throttle_status);
  if (throttle_status && *throttle_status == 0) return ThrottleReasons();
  return std::nullopt;
}

Result<GpuMetrics> parse_gpu_metrics(std::string_view bytes) {
  if (bytes.size() < kHeader) {
    return fail(Errc::invalid_argument, fmt::format("gpu_metrics: {} bytes are no table", bytes.size()));
  }
  const Table header(bytes);
  const std::size_t size = header.u16(0).value_or(0xffff);
  GpuMetrics m;
  m.format = static_cast<std::uint8_t>(bytes[2]);
  m.content = static_cast<std::uint8_t>(bytes[3]);
  const auto needed = size_of_version(m.format, m.content);
  if (!needed) {
    return fail(Errc::not_supported, fmt::format("gpu_metrics: version {}.{} is not known", m.format, m.content));
  }
  if (size < *needed || size > bytes.size()) {
    return fail(Errc::invalid_argument,
                fmt::format("gpu_metrics: version {}.{} has {} bytes; this table says {} and has {}", m.format,
                            m.content, *needed, size, bytes.size()));
  }
  if (bytes.find_first_not_of('\0', size) != std::string_view::npos) {
    return fail(Errc::invalid_argument, fmt::format("gpu_metrics: something follows the {} bytes of the table", size));
  }
  const Table table(bytes.substr(0, size));
  if (m.format == 1 && m.content <= 3) {
    read_board(table, board_layout(m.content), m);
  } else if (m.format == 1) {
    read_accelerator(table, accelerator_layout(m.content), m);
  } else if (m.format == 2) {
    read_apu(table, apu_layout(m.content), m);
  } else {
    read_new_apu(table, m);
  }
  return m;
}

}  // namespace gpukeeper
