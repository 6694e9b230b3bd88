#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "device/device.hpp"

namespace gpukeeper {

/// How near pairs of devices are: what one group of them shares with what it costs to speak to each other.
class Topology {
 public:
  /// From far to near. The numbers are weights for sums over a group: one NVLink outweighs any number of PCIe pairs of
  /// a group of eight.
  enum class Nearness : std::uint16_t { far = 0, same_node = 1, same_bridge = 8, linked = 256 };

  Topology() = default;
  explicit Topology(std::size_t devices) : size_(devices), nearness_(devices * devices, Nearness::far) {}

  std::size_t size() const { return size_; }
  void set(std::size_t a, std::size_t b, Nearness nearness) {
    nearness_[a * size_ + b] = nearness;
    nearness_[b * size_ + a] = nearness;
  }
  /// Far for a device that it does not know.
  Nearness between(std::size_t a, std::size_t b) const {
    return a < size_ && b < size_ ? nearness_[a * size_ + b] : Nearness::far;
  }

  friend bool operator==(const Topology&, const Topology&) = default;

 private:
  std::size_t size_ = 0;
  std::vector<Nearness> nearness_;
};

/// What the devices' facts say: linked by NVLink or xGMI (directly, or both to switches), by PCIe alone, or near the
/// same processors' memory.
Topology topology_of(const std::vector<const Device*>& devices);

}  // namespace gpukeeper
