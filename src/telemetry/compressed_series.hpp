#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

// One metric's values over some time, in few bytes and without any loss: every bit of a number comes back, and where a
// value was absent there is none.
//
// Why not Gorilla (Pelkonen et al., VLDB 2015) alone, which writes the XOR of neighbours: sensors give short decimals.
// 71.2 and 71.3 have nothing in common as binary fractions, so their XOR is long; as 712 and 713 tenths they are one
// apart. So a run of numbers is written as whole multiples of one decimal step wherever that is exact, as the
// differences of neighbours or of those differences (a counter that grows steadily), in Rice codes: a number n costs
// about log2(n) bits. The XOR is left for what is no short decimal. What never changes is written once.
// The smallest of these is chosen for each run, so a run should be some hundred values long, and no longer than the
// nature of a signal lasts.
namespace gpukeeper {

using PackedBytes = std::vector<std::uint8_t>;

/// Appends the packed values to `out`. At least one byte, so that what follows has a place of its own.
void pack(std::span<const std::optional<double>> values, PackedBytes& out);
void pack(std::span<const std::optional<std::uint64_t>> values, PackedBytes& out);

/// The values again: `count` as many as were packed. Not for foreign bytes, which give any numbers, but no harm.
std::vector<std::optional<double>> unpack_reals(std::span<const std::uint8_t> packed, std::size_t count);
std::vector<std::optional<std::uint64_t>> unpack_wholes(std::span<const std::uint8_t> packed, std::size_t count);

}  // namespace gpukeeper
