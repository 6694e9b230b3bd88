#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

// How a moment of a device is divided among those who are on it.
//
// No GPU tells what one process draws. So each moment of a device, with its energy, is divided in proportion to the use
// that the driver measured of each process (the SMs, or the busiest engine). Where it measured none of them working,
// or tells the use of some only (MIG, older drivers), it is divided in proportion to the memory that they hold: who
// keeps a card busy with memory alone pays for its rest. Where that is not told either, evenly.
//
// The idle draw of the board is divided like all else: nobody could switch it off while one of them is there. A moment
// in which nobody is on the device is nobody's. So all shares and nobody's add up to what the device drew.
namespace gpukeeper::account {

/// What is known of one process for that.
struct Claim {
  std::optional<double> use;    ///< percent
  std::optional<double> bytes;  ///< held
};

enum class SharedBy { use, memory, evenly };

struct Shares {
  std::vector<double> of;  ///< each claim's, in their order; they add up to 1
  SharedBy by = SharedBy::evenly;
};

/// Divides one device among these; no shares for no claims. A value that is no number, or below 0, counts as not told.
Shares divide(std::span<const Claim> claims);

}  // namespace gpukeeper::account
