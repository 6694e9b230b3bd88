#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gpukeeper {

/// Why clocks are lower than they could be, over all vendors: NVML's clock event reasons, amdgpu's throttle status,
/// Intel's throttle reasons.
enum class Throttle : std::uint32_t {
  idle = 1u << 0,                  ///< nothing to do: not trouble
  application_clocks = 1u << 1,    ///< a user's clock setting: not trouble
  display_clocks = 1u << 2,        ///< the display's timing: not trouble
  sync_boost = 1u << 3,            ///< held to the slowest GPU of its group
  software_power_cap = 1u << 4,    ///< at its power limit
  software_thermal = 1u << 5,      ///< the driver keeps a temperature below its limit
  hardware_thermal = 1u << 6,      ///< the hardware brakes: a temperature is too high
  hardware_power_brake = 1u << 7,  ///< the power supply or the system asserted a brake
  hardware_slowdown = 1u << 8,     ///< the hardware brakes: temperature, power brake or power draw
  power = 1u << 9,                 ///< a power limit (PPT, PL1, PL2, PL4)
  current = 1u << 10,              ///< a current limit (TDC, EDC, ICCMAX)
  voltage = 1u << 11,              ///< a voltage regulator's limit
  thermal = 1u << 12,              ///< a temperature limit of the die
  thermal_memory = 1u << 13,       ///< a temperature limit of the memory
  thermal_regulator = 1u << 14,    ///< a temperature limit of the voltage regulator
  prochot = 1u << 15,              ///< an external "processor hot" signal
  reliability = 1u << 16,          ///< a reliability voltage limit
  other = 1u << 17,                ///< a reason that the driver has no name for
};

/// A set of reasons; empty means that nothing holds the clocks back.
class ThrottleReasons {
 public:
  constexpr ThrottleReasons() = default;
  constexpr ThrottleReasons(Throttle reason) : bits_(static_cast<std::uint32_t>(reason)) {}

  constexpr void add(Throttle reason) { bits_ |= static_cast<std::uint32_t>(reason); }
  constexpr bool has(Throttle reason) const { return (bits_ & static_cast<std::uint32_t>(reason)) != 0; }
  constexpr bool empty() const { return bits_ == 0; }
  constexpr std::uint32_t bits() const { return bits_; }

  /// Whether something slows the device against its user's wish: more than idle, application or display clocks.
  bool slowed() const;

  /// The reasons in words, in the order of the enum: {"software power cap", "thermal limit"}.
  std::vector<std::string_view> words() const;

  /// The words, comma-separated; "none" for the empty set.
  std::string to_string() const;

  friend constexpr bool operator==(ThrottleReasons, ThrottleReasons) = default;

 private:
  std::uint32_t bits_ = 0;
};

}  // namespace gpukeeper
