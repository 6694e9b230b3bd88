#include "backend/sysfs/newer_devices.hpp"

#include <algorithm>
#include <iterator>

namespace gpukeeper {
namespace {

struct Row {
  std::uint16_t vendor;
  std::uint16_t device;
  std::string_view name;
};

// Facts of the public PCI ID register (pci-ids.ucw.cz), for graphics devices that Debian 12's copy of April 2023 does
// not know. Ordered by vendor and device.
constexpr Row kRows[] = {
    {0x1002, 0x1114, "Krackan [Radeon 840M / 860M Graphics]"},
    {0x1002, 0x13c0, "Granite Ridge [Radeon Graphics]"},
    {0x1002, 0x1435, "Sephiroth [AMD Custom GPU 0405]"},
    {0x1002, 0x150e, "Strix [Radeon 880M / 890M]"},
    {0x1002, 0x1586, "Strix Halo [Radeon Graphics / Radeon 8050S Graphics / Radeon 8060S Graphics]"},
    {0x1002, 0x1900, "HawkPoint1"},
    {0x1002, 0x1901, "HawkPoint2"},
    {0x1002, 0x1902, "Krackan2"},
    {0x1002, 0x73f0, "Navi 33 [Radeon RX 7600M XT]"},
    {0x1002, 0x7448, "Navi 31 [Radeon Pro W7900]"},
    {0x1002, 0x7449, "Navi 31 [Radeon Pro W7800 48GB]"},
    {0x1002, 0x744a, "Navi 31 [Radeon Pro W7900 Dual Slot]"},
    {0x1002, 0x744b, "Navi 31 [Radeon Pro W7900D]"},
    {0x1002, 0x745e, "Navi 31 [Radeon Pro W7800]"},
    {0x1002, 0x7460, "Navi 32 GL-XL [AMD Radeon PRO V710]"},
    {0x1002, 0x7461, "Navi 32 [AMD Radeon PRO V710]"},
    {0x1002, 0x7470, "Navi 32 [Radeon PRO W7700]"},
    {0x1002, 0x747e, "Navi 32 [Radeon RX 7700 XT / 7800 XT]"},
    {0x1002, 0x7481, "Navi 33 [Steam Machine]"},
    {0x1002, 0x7487, "Navi 33 [Radeon Graphics]"},
    {0x1002, 0x7489, "Navi 33 [Radeon Pro W7500]"},
    {0x1002, 0x748b, "Navi 33 [Radeon Graphics]"},
    {0x1002, 0x7499, "Navi 33 [Radeon RX 7400/7300/Pro W7400]"},
    {0x1002, 0x749f, "Navi 33 [Radeon RX 7500]"},
    {0x1002, 0x74a0, "Aqua Vanjaram [Instinct MI300A]"},
    {0x1002, 0x74a1, "Aqua Vanjaram [Instinct MI300X]"},
    {0x1002, 0x74a2, "Aqua Vanjaram [Instinct MI308X]"},
    {0x1002, 0x74a5, "Aqua Vanjaram [Instinct MI325X]"},
    {0x1002, 0x74a9, "Aqua Vanjaram [Instinct MI300X HF]"},
    {0x1002, 0x74b5, "Aqua Vanjaram [Instinct MI300X VF]"},
    {0x1002, 0x74b9, "Aqua Vanjaram [Instinct MI325X VF]"},
    {0x1002, 0x74bd, "Aqua Vanjaram [Instinct MI300X HF]"},
    {0x1002, 0x7550, "Navi 48 [Radeon RX 9070/9070 XT/9070 GRE]"},
    {0x1002, 0x7551, "Navi 48 [Radeon AI PRO R9700]"},
    {0x1002, 0x7590, "Navi 44 [Radeon RX 9050 / 9060 XT]"},
    {0x1002, 0x75a0, "Aqua Vanjaram [Instinct MI350X]"},
    {0x1002, 0x75a3, "Aqua Vanjaram [Instinct MI355X]"},
    {0x1002, 0x75a8, "Aqua Vanjaram [Instinct MI350P]"},
    {0x10de, 0x2702, "AD103 [GeForce RTX 4080 SUPER]"},
    {0x10de, 0x2705, "AD103 [GeForce RTX 4070 Ti SUPER]"},
    {0x10de, 0x2783, "AD104 [GeForce RTX 4070 SUPER]"},
    {0x10de, 0x2805, "AD106 [GeForce RTX 4060 Ti 16GB]"},
    {0x10de, 0x2882, "AD107 [GeForce RTX 4060]"},
    {0x10de, 0x2b85, "GB202 [GeForce RTX 5090]"},
    {0x10de, 0x2b87, "GB202 [GeForce RTX 5090 D]"},
    {0x10de, 0x2c02, "GB203 [GeForce RTX 5080]"},
    {0x10de, 0x2c05, "GB203 [GeForce RTX 5070 Ti]"},
    {0x10de, 0x2c18, "GB203M / GN22 [GeForce RTX 5090 Max-Q / Mobile]"},
    {0x10de, 0x2c19, "GB203M / GN22 [GeForce RTX 5080 Max-Q / Mobile]"},
    {0x10de, 0x2c58, "GB203M / GN22-X11 [GeForce RTX 5090 Max-Q / Mobile]"},
    {0x10de, 0x2c59, "GB203M / GN22-X9 [GeForce RTX 5080 Max-Q / Mobile]"},
    {0x10de, 0x2d04, "GB206 [GeForce RTX 5060 Ti]"},
    {0x10de, 0x2d05, "GB206 [GeForce RTX 5060]"},
    {0x10de, 0x2d18, "GB206M [GeForce RTX 5070 Max-Q / Mobile]"},
    {0x10de, 0x2d19, "GB206M [GeForce RTX 5060 Max-Q / Mobile]"},
    {0x10de, 0x2d58, "GB206M [GeForce RTX 5070 Max-Q / Mobile]"},
    {0x10de, 0x2d59, "GB206M [GeForce RTX 5060 Max-Q / Mobile]"},
    {0x10de, 0x2d83, "GB207 [GeForce RTX 5050]"},
    {0x10de, 0x2d98, "GB207M [GeForce RTX 5050 Max-Q / Mobile]"},
    {0x10de, 0x2dd8, "GB207M [GeForce RTX 5050 Max-Q / Mobile]"},
    {0x10de, 0x2f04, "GB205 [GeForce RTX 5070]"},
    {0x10de, 0x2f18, "GB205M [GeForce RTX 5070 Ti Mobile]"},
    {0x10de, 0x2f58, "GB205M [GeForce RTX 5070 Ti Mobile]"},
    {0x8086, 0x0b69, "Ponte Vecchio XT (2 Tile) [Data Center GPU Max 1450]"},
    {0x8086, 0x0b6e, "Ponte Vecchio XT (1 Tile) [Data Center GPU Max 1100C]"},
    {0x8086, 0x0bd4, "Ponte Vecchio XT (2 Tile) [Data Center GPU Max 1550VG]"},
    {0x8086, 0x46d3, "Alder Lake-N [Intel Graphics]"},
    {0x8086, 0x46d4, "Alder Lake-N [Intel Graphics]"},
    {0x8086, 0x4f83, "DG2 [Intel Xe Graphics]"},
    {0x8086, 0x4f84, "DG2 [Intel Xe Graphics]"},
    {0x8086, 0x4f85, "DG2 [Intel Xe Graphics]"},
    {0x8086, 0x4f86, "DG2 [Intel Xe Graphics]"},
    {0x8086, 0x4f87, "DG2 [Intel Xe Graphics]"},
    {0x8086, 0x4f88, "DG2 [Intel Xe Graphics]"},
    {0x8086, 0x4f89, "ACMP [Xe Graphics]"},
    {0x8086, 0x4f8c, "ACMP [Xe Graphics]"},
    {0x8086, 0x5696, "DG2 [Arc A570M]"},
    {0x8086, 0x5697, "DG2 [Arc A530M]"},
    {0x8086, 0x5698, "DG2 [Arc Xe Graphics]"},
    {0x8086, 0x56a3, "DG2 [Arc Xe Graphics]"},
    {0x8086, 0x56a4, "DG2 [Arc Xe Graphics]"},
    {0x8086, 0x56a7, "DG2 [Arc Xe Graphics]"},
    {0x8086, 0x56a8, "DG2 [Arc Xe Graphics]"},
    {0x8086, 0x56a9, "DG2 [Arc Xe Graphics]"},
    {0x8086, 0x56b2, "DG2 [Arc Pro A60M]"},
    {0x8086, 0x56b3, "DG2 [Arc Pro A60]"},
    {0x8086, 0x56ba, "DG2 [Arc A380E]"},
    {0x8086, 0x56bb, "DG2 [Arc A310E]"},
    {0x8086, 0x56bc, "DG2 [Arc A370E]"},
    {0x8086, 0x56bd, "DG2 [Arc A350E]"},
    {0x8086, 0x56be, "DG2 [Arc A750E]"},
    {0x8086, 0x56bf, "DG2 [Arc A580E]"},
    {0x8086, 0x56c2, "ATS-M [Data Center GPU Flex 170V]"},
    {0x8086, 0x6420, "Lunar Lake [Intel Graphics]"},
    {0x8086, 0x64a0, "Core Ultra 200V Series Processors Arc Graphics 130V/140V GPU"},
    {0x8086, 0x64b0, "Lunar Lake [Intel Graphics]"},
    {0x8086, 0x7d40, "Meteor Lake-M [Intel Graphics]"},
    {0x8086, 0x7d41, "Arrow Lake-U [Intel Graphics]"},
    {0x8086, 0x7d45, "Meteor Lake-P [Intel Graphics]"},
    {0x8086, 0x7d51, "Arrow Lake-P [Arc Pro 130T/140T]"},
    {0x8086, 0x7d55, "Meteor Lake-P [Intel Arc Graphics]"},
    {0x8086, 0x7d60, "Meteor Lake-M [Intel Graphics]"},
    {0x8086, 0x7d67, "Arrow Lake-S [Intel Graphics]"},
    {0x8086, 0x7dd1, "Arrow Lake-P [Intel Graphics]"},
    {0x8086, 0x7dd5, "Meteor Lake-P [Intel Graphics]"},
    {0x8086, 0xa7aa, "Raptor Lake-P [Intel Graphics]"},
    {0x8086, 0xa7ab, "Raptor Lake-P [Intel Graphics]"},
    {0x8086, 0xa7ac, "Raptor Lake-U [Intel Graphics]"},
    {0x8086, 0xa7ad, "Raptor Lake-U [Intel Graphics]"},
    {0x8086, 0xb080, "Panther Lake [Arc B390]"},
    {0x8086, 0xb081, "Panther Lake [Arc B370]"},
    {0x8086, 0xb082, "Panther Lake [Arc B390]"},
    {0x8086, 0xb083, "Panther Lake [Arc B370]"},
    {0x8086, 0xb084, "Panther Lake [Arc Pro B390]"},
    {0x8086, 0xb085, "Panther Lake [Arc Pro B370]"},
    {0x8086, 0xb086, "Panther Lake [Arc Pro B390]"},
    {0x8086, 0xb087, "Panther Lake [Arc Pro B370]"},
    {0x8086, 0xb08f, "Panther Lake [Intel Graphics]"},
    {0x8086, 0xb090, "Panther Lake [Intel Graphics]"},
    {0x8086, 0xb0a0, "Panther Lake [Intel Graphics]"},
    {0x8086, 0xb0b0, "Panther Lake [Intel Graphics]"},
    {0x8086, 0xb0ff, "Panther Lake [Intel Graphics]"},
    {0x8086, 0xb640, "Arrow Lake-H [Intel Graphics]"},
    {0x8086, 0xe202, "Battlemage G21 [Intel Graphics]"},
    {0x8086, 0xe20b, "Battlemage G21 [Arc B580]"},
    {0x8086, 0xe20c, "Battlemage G21 [Arc B570]"},
    {0x8086, 0xe20d, "Battlemage G21 [Intel Graphics]"},
    {0x8086, 0xe210, "Battlemage G21 [Intel Graphics]"},
    {0x8086, 0xe211, "Battlemage G21 [Arc Pro B60]"},
    {0x8086, 0xe212, "Battlemage G21 [Arc Pro B50]"},
    {0x8086, 0xe215, "Battlemage G21 [Intel Graphics]"},
    {0x8086, 0xe216, "Battlemage G21 [Intel Graphics]"},
    {0x8086, 0xe220, "Battlemage G31 [Intel Graphics]"},
    {0x8086, 0xe221, "Battlemage G31 [Intel Graphics]"},
    {0x8086, 0xe222, "Battlemage G31 [Arc Pro B65]"},
    {0x8086, 0xe223, "Battlemage G31 [Arc Pro B70]"},
    {0x8086, 0xfd80, "Wildcat Lake [Intel Graphics]"},
    {0x8086, 0xfd81, "Wildcat Lake [Intel Graphics]"},
};

constexpr bool before(const Row& a, const Row& b) {
  return a.vendor != b.vendor ? a.vendor < b.vendor : a.device < b.device;
}
static_assert(std::is_sorted(std::begin(kRows), std::end(kRows), before));

}  // namespace

std::optional<std::string_view> newer_device(std::uint16_t vendor, std::uint16_t device) {
  const Row wanted{vendor, device, {}};
  const auto* const found = std::lower_bound(std::begin(kRows), std::end(kRows), wanted, before);
  if (found == std::end(kRows) || before(wanted, *found)) return std::nullopt;
  return found->name;
}

}  // namespace gpukeeper
