// What the kernel's files may hold: the parsers of single values, and the backends over a tree in which every file
// holds a piece of the input. A value that comes out must be one that the thing can have, whatever went in.
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "backend/basic/basic_backend.hpp"
#include "backend/intel/intel_backend.hpp"
#include "backend/intel/intel_gt.hpp"
#include "backend/sysfs/drm_processes.hpp"
#include "backend/sysfs/sysfs_value.hpp"
#include "core/text.hpp"
#include "device/metric_table.hpp"

namespace {

using namespace gpukeeper;

void require(bool holds) {
  if (!holds) std::abort();
}

/// Every folder has the names that drivers make, and file after file holds the next piece of the input.
class Pieces final : public Files {
 public:
  explicit Pieces(std::string_view input) : pieces_(split(input, '|')) {}

  Result<std::string> read(std::string_view path) const override {
    const std::string piece(pieces_[next_++ % pieces_.size()]);
    if (piece == "!") return fail(Errc::internal, "read " + std::string(path));
    // The driver decides which backend reads the card; the rest of its uevent is the input's.
    if (path.ends_with("card0/device/uevent")) return "DRIVER=xe\n" + piece;
    if (path.ends_with("card1/device/uevent")) return "DRIVER=i915\n" + piece;
    if (path.ends_with("card2/device/uevent")) return "DRIVER=nouveau\n" + piece;
    return piece;
  }
  Result<std::vector<std::string>> list(std::string_view folder) const override {
    if (folder == "/sys/class/drm") return names({"card0", "card1", "card2"});
    if (folder.ends_with("/hwmon")) return names({"hwmon0"});
    if (folder.ends_with("/hwmon0")) {
      return names({"energy1_input", "energy1_label", "fan1_input", "fan1_max", "freq1_input", "in0_input",
                    "power1_cap", "power1_input", "power1_max", "pwm1", "pwm1_max", "temp1_crit", "temp1_input",
                    "temp1_label", "temp2_input", "temp2_label"});
    }
    if (folder.ends_with("/gt")) return names({"gt0"});
    if (folder.ends_with("/tile0")) return names({"gt0", "gt1"});
    if (folder.ends_with("/freq0")) return names({"act_freq", "power_profile", "rp0_freq"});
    if (folder.ends_with("/gtidle")) return names({"idle_residency_ms", "name"});
    if (folder.ends_with("/throttle")) return names({"reason_pl1", "reason_thermal", "reasons", "status"});
    if (folder.ends_with("/device")) return names({"hwmon", "tile0"});
    if (folder.ends_with("/gt0")) {
      return names(
          {"rc6_enable", "rc6_residency_ms", "rps_act_freq_mhz", "throttle_reason_pl1", "throttle_reason_status"});
    }
    return fail(Errc::not_found, "list " + std::string(folder));
  }
  Result<std::string> read_link(std::string_view path) const override {
    if (path == "/sys/class/drm/card0") return std::string(pieces_[next_++ % pieces_.size()]);
    return fail(Errc::not_found, "read link " + std::string(path));
  }

 private:
  static std::vector<std::string> names(std::initializer_list<std::string> list) { return list; }

  const std::vector<std::string_view> pieces_;
  mutable std::size_t next_ = 0;
};

class StepClock final : public Clock {
 public:
  MonotonicTime now() const override { return MonotonicTime(std::chrono::milliseconds(step_ += 7)); }
  WallTime wall() const override { return WallTime{}; }
  void sleep_until(MonotonicTime, std::stop_token) override {}

 private:
  mutable std::int64_t step_ = 0;
};

void check(Backend& backend) {
  const auto devices = backend.list();
  require(devices.has_value());
  for (const auto& device : *devices) {
    require(!device.name.empty() && !device.id.text.empty());
    for (int i = 0; i < 2; ++i) {
      const auto reading = backend.read(device.id);
      if (!reading) {
        require(!reading.error().message.empty());
        continue;
      }
      for (const MetricRow& row : metric_table()) {
        const auto number = to_number(row.value(device, *reading));
        if (!number) continue;
        require(std::isfinite(*number));
        if (row.unit == "percent") require(*number >= 0 && *number <= 100);
        if (row.unit == "watts" || row.unit == "megahertz" || row.unit == "rpm") require(*number >= 0);
        if (row.unit == "celsius") require(*number > -300 && *number < 400);
      }
      for (const auto& sensor : reading->sensors) require(!sensor.name.empty() && std::isfinite(sensor.value));
    }
  }
}

void check_values(std::string_view text) {
  if (const auto number = number_from(text)) require(parse_i64(std::to_string(*number)) == *number);
  if (const auto count = count_from(text)) require(parse_u64(std::to_string(*count)) == *count);
  if (const auto generation = parse_link_generation(text)) require(*generation >= 1 && *generation <= 6);
  if (const auto width = parse_link_width(text)) require(*width >= 1 && *width <= 32);
  if (const auto ids = parse_pci_id(text)) require(text.find(':') != std::string_view::npos);
  if (const auto number = numbered(text, "card")) {
    const auto digits = std::to_string(*number);
    require(text.ends_with(digits) && text.starts_with("card"));
  }
  for (const auto* key : {"DRIVER", "PCI_ID", "PCI_SLOT_NAME"}) {
    if (const auto value = uevent_value(text, key)) {
      require(!value->empty() && value->find('\n') == std::string::npos && trim(*value) == *value);
    }
  }
  if (const auto number = parse_i64(text)) {
    if (const auto frequency = intel_frequency(*number)) require(frequency->value() >= 0 && frequency->value() <= 1e5);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  check_values(input);

  const Pieces files(input);
  const StepClock clock;
  DrmProcesses processes(files, clock, {});
  const SysfsSource source{files, files, clock, processes, true, false};
  check(*make_intel_backend(source));
  check(*make_basic_backend(source));
  return 0;
}
