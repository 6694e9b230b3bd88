#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "device/reading.hpp"
#include "telemetry/snapshot.hpp"
#include "top/canvas.hpp"

// Values and states in few words and signs. What is absent is "–", never 0.
namespace gpukeeper::top {

inline constexpr std::string_view kAbsent = "–";

std::string percent_text(const Metric<Percent>& share);     ///< "96%"
std::string celsius_text(const Metric<Celsius>& degrees);   ///< "64°C"
std::string watts_text(const Metric<Watts>& power);         ///< "612 W", "7.5 W"
std::string mhz_text(const Metric<Megahertz>& clock);       ///< "1980"
std::string gib_text(const Metric<Bytes>& size);            ///< "121.4"
std::string bytes_text(const Metric<Bytes>& size);          ///< "121.4 GiB", "512 MiB"
std::string rate_text(const Metric<BytesPerSecond>& rate);  ///< "1.2 GiB/s"
std::string fan_text(const Reading& reading);               ///< "45%", "1800 rpm"
std::string power_text(const Reading& reading);             ///< "612/700 W"
std::string memory_text(const Reading& reading);            ///< "121.4/140.4 GiB"

/// The state in one sign, its role and its word: "▲", throttled. A sleeping device sleeps.
struct StateLook {
  std::string_view sign;
  std::string_view word;
  Role role;
};
StateLook look_of(const DeviceSnapshot& device);
StateLook look_of(Lamp lamp);
Role role_of(AlertLevel level);

/// Why its clocks are held back, the worst cause first: "power cap", "hw thermal +2"; empty when nothing does.
std::string slowed_by(const Reading& reading);
/// The same with all causes: "power cap, thermal".
std::string slowed_by_all(const Reading& reading);

/// "simulated", "recorded", or empty.
std::string_view origin_word(const Device& device);
/// The telling part of a name: "GeForce RTX 4090" of "NVIDIA GeForce RTX 4090".
std::string_view short_name(std::string_view name);
/// "0", "0:1" for a partition.
std::string index_word(const DeviceSnapshot& device);

}  // namespace gpukeeper::top
