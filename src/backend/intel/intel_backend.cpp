#include "backend/intel/intel_backend.hpp"

#include <algorithm>
#include <atomic>
#include <iterator>
#include <map>
#include <mutex>
#include <optional>

#include <fmt/format.h>

#include "backend/intel/intel_gt.hpp"
#include "backend/intel/intel_sensors.hpp"
#include "backend/sysfs/card_devices.hpp"
#include "backend/sysfs/counting_files.hpp"
#include "backend/sysfs/drm_card.hpp"
#include "backend/sysfs/drm_processes.hpp"
#include "backend/sysfs/known_cards.hpp"
#include "backend/sysfs/pci_facts.hpp"
#include "backend/sysfs/power_gate.hpp"
#include "backend/sysfs/sysfs_value.hpp"
#include "core/text.hpp"

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;

// A B580 has sixteen temperatures, and each is a question to its firmware. What nobody looks at every second, and the
// link, which is changed by hand or not at all, are asked this often.
constexpr auto kSlowPeriod = 5s;

// Engine loads come with the process list, which is made every few seconds; older ones say nothing of now.
constexpr auto kOldestScan = 10s;

// An Intel GPU is part of the processor when it is function 00:02.0, its place since 2004, and has no monitor of its
// own.
bool at_processor_place(const DrmCard& card) {
  return card.pci && card.pci->domain == 0 && card.pci->bus == 0 && card.pci->device == 2 && card.pci->function == 0;
}

/// The counter of what the graphics of a processor use. They have no monitor; the processor's power meter has a plane
/// for them, "uncore" (power plane 1 in Intel's Software Developer's Manual, volume 3, 15.10). Since 2020 only root may
/// read it. It belongs to the processor, so reading it does not touch the GPU.
std::string find_processor_energy(const Files& files) {
  const std::string folder = "/sys/class/powercap";
  const auto zones = files.list(folder);
  if (!zones) return {};
  for (const auto& zone : *zones) {
    if (!zone.starts_with("intel-rapl:")) continue;
    const auto name = files.read(fmt::format("{}/{}/name", folder, zone));
    if (name && trim(*name) == "uncore") return fmt::format("{}/{}/energy_uj", folder, zone);
  }
  return {};
}

template <class T>
void keep_higher(Metric<T>& highest, const Metric<T>& value) {
  if (!value) {
    if (!highest && highest.error() == Missing::not_supported) highest = value;
  } else if (!highest || *highest < *value) {
    highest = value;
  }
}

/// What is known of one card between readings. Touched by its one reader at a time; a list replaces it whole.
class IntelCard {
 public:
  IntelCard(const Files& files, const DrmCard& card) : files_(files), card_(card), unified_(at_processor_place(card)) {}

  const DrmCard& card() const { return card_; }
  bool is(const DrmCard& other) const {
    return card_.folder == other.folder && card_.driver == other.driver && card_.pci == other.pci;
  }

  void forget_rates() {
    if (!parts_) return;
    parts_->sensors.reset();
    processor_rate_.reset();
    for (auto& gt : parts_->gts) gt.reset();
  }

  /// Reads everything; only while the device is awake.
  Result<Reading> read(MonotonicTime now, bool standing_still);

  /// Engine loads and memory in use, out of the last process list.
  void take_scan(std::shared_ptr<const DrmScan> scan) {
    std::scoped_lock lock(scan_mutex_);
    scan_ = std::move(scan);
  }

  /// Whether it is part of the processor and shares the system's memory.
  bool unified() const { return unified_.load(); }

 private:
  struct Parts {
    IntelSensors sensors;
    std::vector<IntelGt> gts;
    LinkPlace link;
    Metric<Bytes> memory_total = missing(Missing::not_supported);
    std::string processor_energy;  // path of its counter; empty where there is none
  };
  struct Slow {
    MonotonicTime at;
    std::vector<Sensor> sensors;
    PcieLink link;
    Metric<std::string> profile = missing(Missing::not_supported);
  };

  void look_for_parts();
  bool read_gts(Reading& reading, MonotonicTime now, bool standing_still);
  Metric<Bytes> read_memory_size(const std::vector<IntelGt>& gts) const;
  void read_processor_power(Reading& reading, MonotonicTime now);
  void add_scan(Reading& reading, MonotonicTime now, bool standing_still);

  const Files& files_;
  const DrmCard card_;
  std::atomic<bool> unified_;  // a card passed to a virtual machine may stand at the processor's place
  std::optional<Parts> parts_;
  std::optional<Slow> slow_;
  EnergyRate processor_rate_;

  std::mutex scan_mutex_;
  std::shared_ptr<const DrmScan> scan_;  // guarded by scan_mutex_
};

void IntelCard::look_for_parts() {
  IntelSensors sensors(files_, card_.device_folder, card_.driver);
  unified_ = at_processor_place(card_) && !sensors.present();
  auto gts = card_.driver == "xe" ? find_xe_gts(files_, card_.device_folder) : find_i915_gts(files_, card_, unified_);
  const auto memory = read_memory_size(gts);
  parts_.emplace(Parts{std::move(sensors), std::move(gts), find_link(files_, card_), memory,
                       unified_ ? find_processor_energy(files_) : std::string()});
  slow_.reset();
}

void IntelCard::read_processor_power(Reading& reading, MonotonicTime now) {
  if (parts_->processor_energy.empty()) return;
  const auto energy = read_count(files_, parts_->processor_energy);
  reading.energy = energy.map(&from_microjoules);
  reading.power = energy ? processor_rate_.update(now, *energy) : Metric<Watts>(missing(energy.error()));
  if (!energy) processor_rate_.reset();
}

bool IntelCard::read_gts(Reading& reading, MonotonicTime now, bool standing_still) {
  const bool several_tiles =
      std::any_of(parts_->gts.begin(), parts_->gts.end(), [](const auto& gt) { return gt.tile > 0; });
  bool lost = false;
  for (auto& gt : parts_->gts) {
    const auto state = gt.read(files_, now, standing_still);
    lost = lost || state.lost;
    // Over several tiles: as fast and as busy as the fastest and busiest of them.
    keep_higher(gt.media ? reading.clock_video : reading.clock_graphics, state.clock);
    keep_higher(gt.media ? reading.clock_video_max : reading.clock_graphics_max, state.clock_max);
    keep_higher(gt.media ? reading.utilization_video : reading.utilization, state.busy);
    if (state.throttle) {
      ThrottleReasons all = reading.throttle_reasons.value_or(ThrottleReasons());
      for (std::uint32_t bit = 1; bit <= static_cast<std::uint32_t>(Throttle::other); bit <<= 1) {
        if (state.throttle->has(static_cast<Throttle>(bit))) all.add(static_cast<Throttle>(bit));
      }
      reading.throttle_reasons = all;
    } else if (!reading.throttle_reasons && reading.throttle_reasons.error() == Missing::not_supported) {
      reading.throttle_reasons = state.throttle;
    }
    if (!several_tiles) continue;
    const auto name = fmt::format("tile{} {}", gt.tile, gt.media ? "media" : "graphics");
    if (state.clock) reading.sensors.push_back(Sensor{name, "megahertz", state.clock->value()});
    if (state.busy) reading.sensors.push_back(Sensor{name, "percent", state.busy->value()});
  }
  return lost;
}

/// Only some builds of xe tell the size of the card's memory, a tile each; the usual ones tell it to who opens the
/// device.
Metric<Bytes> IntelCard::read_memory_size(const std::vector<IntelGt>& gts) const {
  std::uint64_t total = 0;
  for (const auto& gt : gts) {
    if (gt.media || card_.driver != "xe") continue;
    const auto text =
        files_.read(fmt::format("{}/tile{}/physical_vram_size_bytes", card_.device_folder, gt.tile)).value_or("");
    total += parse_u64(text, trim(text).starts_with("0x") ? 16 : 10).value_or(0);
  }
  if (total == 0) return missing(Missing::not_supported);
  return Bytes(total);
}

void IntelCard::add_scan(Reading& reading, MonotonicTime now, bool standing_still) {
  std::shared_ptr<const DrmScan> scan;
  {
    std::scoped_lock lock(scan_mutex_);
    scan = scan_;
  }
  Metric<Percent>* const engines[] = {&reading.utilization_render, &reading.utilization_compute,
                                      &reading.utilization_copy, &reading.utilization_video,
                                      &reading.utilization_video_enhance};
  constexpr EngineClass kKinds[] = {EngineClass::render, EngineClass::compute, EngineClass::copy, EngineClass::video,
                                    EngineClass::video_enhance};
  const auto say_why = [&](Missing reason) {
    for (auto* const engine : engines) {
      if (!*engine) *engine = missing(reason);
    }
    if (!reading.utilization && reading.utilization.error() == Missing::not_supported)
      reading.utilization = missing(reason);
    (unified() ? reading.memory_gtt_used : reading.memory_used) = missing(reason);
  };
  if (!card_.pci || standing_still) return;
  if (!scan || (scan->valid && now - scan->taken_at > kOldestScan)) return say_why(Missing::not_yet_read);
  if (!scan->valid) return;
  if (!scan->complete) return say_why(scan->why_incomplete());

  const DrmDevice& device = scan->device(*card_.pci);
  for (std::size_t i = 0; i < std::size(engines); ++i) {
    if (!*engines[i]) *engines[i] = device.busy[kKinds[i]];
  }
  if (!reading.utilization) {
    if (const auto busiest = device.busy.busiest()) reading.utilization = busiest;
  }
  // A sum of zero is a driver that says nothing of memory: some of it is always in use.
  if (unified() && device.system_memory.value() > 0) reading.memory_gtt_used = device.system_memory;
  if (!unified() && device.device_memory.value() > 0) {
    reading.memory_used = std::min(device.device_memory, reading.memory_total.value_or(device.device_memory));
  }
}

Result<Reading> IntelCard::read(MonotonicTime now, bool standing_still) {
  if (!parts_ || parts_->sensors.gone()) look_for_parts();
  Reading reading{Missing::not_supported};
  const bool lost = read_gts(reading, now, standing_still);
  parts_->sensors.read(reading, now);
  read_processor_power(reading, now);
  if (lost || parts_->sensors.gone()) {
    const auto there = files_.read(card_.device_folder + "/uevent");
    if (!there && there.error().code == Errc::not_found) {
      parts_.reset();
      return fail(Errc::not_found, fmt::format("read {}: it has left the bus, or its driver was unbound ({})",
                                               card_.id().text, there.error().message));
    }
    look_for_parts();  // the driver was loaded again: the next reading finds everything in its new place
    return reading;
  }
  if (!slow_ || now - slow_->at >= kSlowPeriod) {
    Slow slow{now, parts_->sensors.further(now), {}, missing(Missing::not_supported)};
    // Without its place among the bridges, a discrete card's link file shows the inside of the card: not the link.
    if (parts_->link.climbed || unified()) slow.link = read_link_state(files_, parts_->link);
    if (!parts_->gts.empty()) slow.profile = parts_->gts.front().profile(files_);
    slow_ = std::move(slow);
  }
  reading.sensors.insert(reading.sensors.end(), slow_->sensors.begin(), slow_->sensors.end());
  set_link(reading, slow_->link);
  reading.performance_state = slow_->profile;
  reading.memory_unified = unified();
  reading.memory_total = parts_->memory_total;
  add_scan(reading, now, standing_still);
  return reading;
}

/// Whether a reading shows work, so that the device is not about to fall asleep anyway.
bool in_use(const Reading& reading) {
  if (reading.utilization) return reading.utilization->value() >= 1;
  if (!reading.utilization && reading.utilization.error() == Missing::not_yet_read)
    return true;  // nothing is known yet
  return reading.clock_graphics && reading.clock_graphics->value() > 0;
}

class IntelBackend final : public Backend {
 public:
  explicit IntelBackend(const SysfsSource& source)
      : source_(source),
        files_(source.machine, source.clock),
        gate_(files_, source.clock, source.reads_sleeping()),
        names_(source.system) {}

  std::string_view name() const override { return "intel"; }
  Result<std::vector<Device>> list() override;
  Result<Reading> read(const DeviceId& id) override;
  Result<std::vector<GpuProcess>> processes(const DeviceId& id) override;
  DriverCost cost() const override { return files_.cost(); }

 private:
  const SysfsSource source_;
  const CountingFiles files_;
  PowerGate gate_;
  DeviceNames names_;
  KnownCards<IntelCard> cards_{"Intel GPU"};
};

Result<std::vector<Device>> IntelBackend::list() {
  auto cards = drm_cards(files_);
  if (!cards) return tl::make_unexpected(cards.error());
  std::erase_if(*cards, [](const DrmCard& card) { return card.driver != "i915" && card.driver != "xe"; });

  auto devices = card_devices(files_, names_, *cards, name(), source_.recorded);
  for (auto& device : devices) device.vendor = Vendor::intel;  // by its driver, should its ids be unreadable
  cards_.keep(files_, *cards);
  return devices;
}

Result<Reading> IntelBackend::read(const DeviceId& id) {
  const auto card = cards_.find(id, "read");
  if (!card) return tl::make_unexpected(card.error());
  const std::string& folder = (*card)->card().device_folder;
  const auto attention = gate_.look(folder);
  if (attention != Attention::awake) {
    if (attention == Attention::asleep) (*card)->forget_rates();
    return gate_.withheld(folder, attention);
  }
  auto reading = (*card)->read(source_.clock.now(), source_.recorded);
  if (!reading) return reading;
  reading->runtime_power_state = gate_.runtime_state(folder);
  gate_.note(folder, in_use(*reading));
  return reading;
}

Result<std::vector<GpuProcess>> IntelBackend::processes(const DeviceId& id) {
  const auto card = cards_.find(id, "list the processes of");
  if (!card) return tl::make_unexpected(card.error());
  const auto& address = (*card)->card().pci;
  if (!address) {
    return fail(Errc::not_supported,
                fmt::format("list the processes of {}: it has no PCI address to find them by", id.text));
  }
  auto scan = source_.processes.scan();
  (*card)->take_scan(scan);
  return drm_processes_of(*scan, *address, (*card)->unified());
}

}  // namespace

std::unique_ptr<Backend> make_intel_backend(const SysfsSource& source) {
  return std::make_unique<IntelBackend>(source);
}

}  // namespace gpukeeper
