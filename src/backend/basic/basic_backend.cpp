#include "backend/basic/basic_backend.hpp"

#include <algorithm>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "backend/sysfs/card_devices.hpp"
#include "backend/sysfs/counting_files.hpp"
#include "backend/sysfs/drm_processes.hpp"
#include "backend/sysfs/energy_rate.hpp"
#include "backend/sysfs/hwmon.hpp"
#include "backend/sysfs/known_cards.hpp"
#include "backend/sysfs/pci_facts.hpp"
#include "backend/sysfs/power_gate.hpp"

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;

constexpr auto kSlowPeriod = 5s;  // the link changes by hand or not at all

/// Drivers whose cards are listed elsewhere. amdgpu_xcp stands for the partitions of an accelerator.
bool owned_elsewhere(std::string_view driver) {
  return driver == "amdgpu" || driver == "i915" || driver == "xe" || driver.starts_with("amdgpu_xcp");
}

/// Drivers of cards that are no GPU: memory without a device (vgem), a made-up display (vkms), the firmware's frame
/// buffer until the true driver takes over (simpledrm and its kin, which would show one GPU twice), and adapters that
/// only carry a picture over USB. Listed are a virtual machine's virtio GPU and a board's own GPU, which compute.
bool no_gpu(std::string_view driver) {
  constexpr std::string_view kDrivers[] = {
      "vgem",       "vkms",   "simpledrm", "simple-framebuffer", "ofdrm",
      "of-display", "efidrm", "vesadrm",   "efi-framebuffer",    "vesa-framebuffer",
      "evdi",       "udl",    "gud"};
  return std::find(std::begin(kDrivers), std::end(kDrivers), driver) != std::end(kDrivers);
}

/// Drivers that never tell who has them open, so that no process need be looked at for them: NVIDIA's own, whose
/// clients NVML knows, and the plain display controllers of servers and virtual machines, which render nothing.
bool tells_no_clients(std::string_view driver) {
  constexpr std::string_view kDrivers[] = {"nvidia",      "ast",    "mgag200",    "hibmc-drm", "bochs-drm",
                                           "cirrus-qemu", "cirrus", "hyperv_drm", "vboxvideo", "qxl"};
  return std::find(std::begin(kDrivers), std::end(kDrivers), driver) != std::end(kDrivers);
}

/// The channel with one of these labels; else, where the driver labels nothing, the first.
std::optional<unsigned> main_channel(const Hwmon& hwmon, std::string_view kind, std::string_view suffix,
                                     std::initializer_list<std::string_view> labels) {
  for (const auto label : labels) {
    if (const auto found = hwmon.labelled(kind, label)) return found;
  }
  const auto all = hwmon.channels(kind, suffix);
  const bool labelled = std::any_of(all.begin(), all.end(), [&](unsigned n) { return !hwmon.label(kind, n).empty(); });
  if (all.empty() || labelled) return std::nullopt;
  return all.front();
}

std::string name_of(const Hwmon& hwmon, std::string_view kind, unsigned number) {
  const auto label = hwmon.label(kind, number);
  return label.empty() ? fmt::format("{}{}", kind, number) : label;
}

/// What is known of one card between readings. Touched by its one reader at a time.
class BasicCard {
 public:
  BasicCard(const Files& files, const DrmCard& card) : files_(files), card_(card) {}

  const DrmCard& card() const { return card_; }
  bool is(const DrmCard& other) const {
    return card_.folder == other.folder && card_.driver == other.driver && card_.pci == other.pci;
  }
  void forget_rates() { energy_.reset(); }

  /// Reads everything; only while the device is awake.
  Result<Reading> read(MonotonicTime now);

 private:
  void look_for_parts();
  void read_temperatures(Reading& reading) const;
  void read_fan(Reading& reading) const;
  void read_power(Reading& reading, MonotonicTime now);
  void read_clocks(Reading& reading) const;

  const Files& files_;
  const DrmCard card_;
  std::optional<LinkPlace> place_;  // made with the parts
  std::optional<Hwmon> hwmon_;
  EnergyRate energy_;
  PcieLink link_;
  std::optional<MonotonicTime> link_at_;
};

void BasicCard::look_for_parts() {
  place_ = find_link(files_, card_);
  hwmon_ = Hwmon::find(files_, card_.device_folder, card_.driver);
  energy_.reset();
}

void BasicCard::read_temperatures(Reading& reading) const {
  const auto die = main_channel(*hwmon_, "temp", "input", {"edge", "pkg", "gpu", "GPU"});
  if (die) {
    reading.temperature = hwmon_->celsius(fmt::format("temp{}_input", *die));
    // nouveau and radeon: crit is where the card brakes, emergency where it is switched off.
    reading.temperature_slowdown = hwmon_->celsius(fmt::format("temp{}_crit", *die));
    reading.temperature_shutdown = hwmon_->celsius(fmt::format("temp{}_emergency", *die));
  }
  for (const auto number : hwmon_->channels("temp")) {
    if (number == die) continue;
    if (const auto value = hwmon_->celsius(fmt::format("temp{}_input", number))) {
      reading.sensors.push_back(Sensor{name_of(*hwmon_, "temp", number), "celsius", value->value()});
    }
  }
}

void BasicCard::read_fan(Reading& reading) const {
  reading.fan_speed = hwmon_->rpm("fan1_input");
  reading.fan = hwmon_->pwm(1);
  for (const auto number : hwmon_->channels("fan")) {
    if (number == 1) continue;
    if (const auto value = hwmon_->rpm(fmt::format("fan{}_input", number))) {
      reading.sensors.push_back(Sensor{name_of(*hwmon_, "fan", number), "rpm", static_cast<double>(value->value())});
    }
  }
}

void BasicCard::read_power(Reading& reading, MonotonicTime now) {
  const auto first = [&](std::string_view one, std::string_view other) {
    const auto value = hwmon_->watts(one);  // a file without a value counts as none
    return !value && value.error() == Missing::not_supported ? hwmon_->watts(other) : value;
  };
  reading.power = first("power1_average", "power1_input");
  reading.power_limit = first("power1_cap", "power1_max");
  if (reading.power_limit && reading.power_limit->value() <= 0) reading.power_limit = missing(Missing::not_supported);
  reading.power_limit_default = hwmon_->watts("power1_cap_default");
  reading.power_limit_min = hwmon_->watts("power1_cap_min");
  reading.power_limit_max = hwmon_->watts("power1_cap_max");
  if (!hwmon_->has("energy1_input")) return;
  const auto energy = hwmon_->microjoules("energy1_input");
  reading.energy = energy.map(&from_microjoules);
  if (reading.power || reading.power.error() != Missing::not_supported) return;
  reading.power = energy ? energy_.update(now, *energy) : Metric<Watts>(missing(energy.error()));
}

void BasicCard::read_clocks(Reading& reading) const {
  // radeon labels nothing: its freq1 is the shader clock (radeon_hwmon_show_sclk in the kernel's radeon_pm.c).
  auto graphics = hwmon_->labelled("freq", "sclk");
  if (!graphics && card_.driver == "radeon") graphics = 1;
  if (graphics) reading.clock_graphics = hwmon_->megahertz(fmt::format("freq{}_input", *graphics));
  const auto memory = hwmon_->labelled("freq", "mclk");
  if (memory) reading.clock_memory = hwmon_->megahertz(fmt::format("freq{}_input", *memory));
  for (const auto number : hwmon_->channels("freq")) {
    if (number == graphics || number == memory) continue;
    if (const auto value = hwmon_->megahertz(fmt::format("freq{}_input", number))) {
      reading.sensors.push_back(Sensor{name_of(*hwmon_, "freq", number), "megahertz", value->value()});
    }
  }
  for (const auto number : hwmon_->channels("in")) {
    if (const auto value = hwmon_->volts(fmt::format("in{}_input", number))) {
      reading.sensors.push_back(Sensor{name_of(*hwmon_, "in", number), "volts", *value});
    }
  }
}

Result<Reading> BasicCard::read(MonotonicTime now) {
  if (!place_ || (hwmon_ && hwmon_->gone())) look_for_parts();
  Reading reading{Missing::not_supported};
  if (hwmon_) {
    read_temperatures(reading);
    read_fan(reading);
    read_power(reading, now);
    read_clocks(reading);
  }
  if (!link_at_ || now - *link_at_ >= kSlowPeriod) {
    link_ = read_link_state(files_, *place_);
    link_at_ = now;
  }
  set_link(reading, link_);
  // A card without any sensor would never be missed, so ask for it; one whose sensors answered is there.
  if (!hwmon_ || hwmon_->gone()) {
    const auto there = files_.read(card_.device_folder + "/uevent");
    if (!there && there.error().code == Errc::not_found) {
      return fail(Errc::not_found, fmt::format("read {}: it has left the bus, or its driver was unbound ({})",
                                               card_.id().text, there.error().message));
    }
  }
  return reading;
}

class BasicBackend final : public Backend {
 public:
  explicit BasicBackend(const SysfsSource& source)
      : source_(source),
        files_(source.machine, source.clock),
        gate_(files_, source.clock, source.reads_sleeping()),
        names_(source.system) {}

  std::string_view name() const override { return "basic"; }
  Result<std::vector<Device>> list() override;
  Result<Reading> read(const DeviceId& id) override;
  Result<std::vector<GpuProcess>> processes(const DeviceId& id) override;
  DriverCost cost() const override { return files_.cost(); }

 private:
  const SysfsSource source_;
  const CountingFiles files_;
  PowerGate gate_;
  DeviceNames names_;
  KnownCards<BasicCard> cards_{"graphics card"};
};

Result<std::vector<Device>> BasicBackend::list() {
  auto cards = drm_cards(files_);
  if (!cards) return tl::make_unexpected(cards.error());
  std::erase_if(*cards, [](const DrmCard& card) { return owned_elsewhere(card.driver) || no_gpu(card.driver); });
  auto devices = card_devices(files_, names_, *cards, name(), source_.recorded);
  cards_.keep(files_, *cards);
  return devices;
}

Result<Reading> BasicBackend::read(const DeviceId& id) {
  const auto card = cards_.find(id, "read");
  if (!card) return tl::make_unexpected(card.error());
  const std::string& folder = (*card)->card().device_folder;
  const auto attention = gate_.look(folder);
  if (attention != Attention::awake) {
    if (attention == Attention::asleep) (*card)->forget_rates();
    return gate_.withheld(folder, attention);
  }
  auto reading = (*card)->read(source_.clock.now());
  if (!reading) return reading;
  reading->runtime_power_state = gate_.runtime_state(folder);
  // These drivers do not tell whether the card has work. So it is given its rests; while something keeps it awake, they
  // grow rare.
  gate_.note(folder, false);
  return reading;
}

Result<std::vector<GpuProcess>> BasicBackend::processes(const DeviceId& id) {
  const auto card = cards_.find(id, "list the processes of");
  if (!card) return tl::make_unexpected(card.error());
  const DrmCard& drm = (*card)->card();
  if (drm.pci && !tells_no_clients(drm.driver)) {
    const auto scan = source_.processes.scan();
    auto processes = drm_processes_of(*scan, *drm.pci, false);
    // Most of these drivers do not say who has them open, so that nobody seen is not nobody there.
    if (processes && !processes->empty()) return processes;
  }
  const std::string driver = drm.driver.empty() ? "its driver" : "the driver " + drm.driver;
  return fail(
      Errc::not_supported,
      fmt::format("list the processes of {}: {} does not tell them", id.text, driver) +
          (drm.driver == "nvidia" ? "; they come from NVML (libnvidia-ml.so.1), which belongs to the driver" : ""));
}

}  // namespace

std::unique_ptr<Backend> make_basic_backend(const SysfsSource& source) {
  return std::make_unique<BasicBackend>(source);
}

}  // namespace gpukeeper
