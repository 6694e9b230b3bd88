#pragma once

#include <string>

#include <fmt/format.h>

#include "backend/amdgpu/gpu_metrics_bytes.hpp"
#include "fakes/memory_files.hpp"

namespace gpukeeper {

/// Machines with AMD GPUs, made up for the tests of the backend from the kernel's documentation.
namespace amdgpu_machines {

inline std::string card_folder(int card) {
  return fmt::format("/sys/class/drm/card{}", card);
}

/// The PCI function and the kernel's bookkeeping of any card.
inline void add_card(MemoryFiles& files, int card, const std::string& pci, const std::string& id) {
  const std::string folder = card_folder(card) + "/device/";
  files.write(folder + "uevent", fmt::format("DRIVER=amdgpu\nPCI_CLASS=30000\nPCI_ID={}\nPCI_SLOT_NAME={}\n", id, pci));
  files.write(folder + "revision", "0xc0\n");
  files.write(folder + "numa_node", "-1\n");
  files.write(folder + "power/control", "auto\n");
  files.write(folder + "power/runtime_status", "active\n");
  files.write(folder + "power/autosuspend_delay_ms", "5000\n");
  files.write(folder + "power_state", "D0\n");
}

/// A board with everything that a gaming board has.
inline void add_board(MemoryFiles& files, int card = 1, const std::string& pci = "0000:03:00.0",
                      const std::string& unique_id = "00112233aabbccdd") {
  add_card(files, card, pci, "1002:73BF");
  const std::string folder = card_folder(card) + "/device/";
  files.write(folder + "unique_id", unique_id + "\n");
  files.write(folder + "vbios_version", "113-TEST-001\n");
  files.write(folder + "gpu_busy_percent", "37\n");
  files.write(folder + "mem_busy_percent", "12\n");
  files.write(folder + "vcn_busy_percent", "5\n");
  files.write(folder + "mem_info_vram_total", "17163091968\n");
  files.write(folder + "mem_info_vram_used", "668274688\n");
  files.write(folder + "mem_info_vis_vram_total", "268435456\n");
  files.write(folder + "mem_info_vis_vram_used", "1048576\n");
  files.write(folder + "mem_info_gtt_total", "16786171904\n");
  files.write(folder + "mem_info_gtt_used", "62369792\n");
  files.write(folder + "pcie_bw", "85 0 256\n");
  files.write(folder + "pcie_replay_count", "3\n");
  files.write(folder + "power_dpm_force_performance_level", "auto\n");
  files.write(folder + "pp_dpm_sclk", "0: 500Mhz *\n1: 2660Mhz \n");
  files.write(folder + "pp_dpm_mclk", "0: 96Mhz \n1: 1000Mhz *\n");
  files.write(folder + "pp_dpm_vclk", "0: 0Mhz *\n1: 2400Mhz \n");
  files.write(folder + "pp_dpm_pcie", "0: 2.5GT/s, x1 310Mhz \n1: 16.0GT/s, x16 619Mhz *\n");
  files.write(folder + "current_link_speed", "32.0 GT/s PCIe\n");
  files.write(folder + "current_link_width", "16\n");
  files.write(folder + "max_link_speed", "32.0 GT/s PCIe\n");
  files.write(folder + "max_link_width", "16\n");
  const std::string hwmon = folder + "hwmon/hwmon5/";
  files.write(hwmon + "name", "amdgpu\n");
  const char* labels[] = {"edge", "junction", "mem"};
  for (int i = 1; i <= 3; ++i) {
    files.write(fmt::format("{}temp{}_label", hwmon, i), fmt::format("{}\n", labels[i - 1]));
    files.write(fmt::format("{}temp{}_input", hwmon, i), fmt::format("{}\n", 50000 + 1000 * i));
    files.write(fmt::format("{}temp{}_crit", hwmon, i), fmt::format("{}\n", 90000 + 1000 * i));
    files.write(fmt::format("{}temp{}_emergency", hwmon, i), fmt::format("{}\n", 100000 + 1000 * i));
  }
  files.write(hwmon + "power1_average", "36000000\n");
  files.write(hwmon + "power1_cap", "289000000\n");
  files.write(hwmon + "power1_cap_default", "280000000\n");
  files.write(hwmon + "power1_cap_min", "0\n");
  files.write(hwmon + "power1_cap_max", "332000000\n");
  files.write(hwmon + "fan1_input", "1200\n");
  files.write(hwmon + "pwm1", "51\n");
  files.write(hwmon + "pwm1_max", "255\n");
  files.write(hwmon + "pwm1_enable", "2\n");
  files.write(hwmon + "freq1_label", "sclk\n");
  files.write(hwmon + "freq1_input", "2100000000\n");
  files.write(hwmon + "freq2_label", "mclk\n");
  files.write(hwmon + "freq2_input", "1000000000\n");
  files.write(folder + "gpu_metrics", GpuMetricsBytes(1, 3, 120)
                                          .set16(4, 51)
                                          .set16(16, 40)
                                          .set16(18, 20)
                                          .set16(20, 7)
                                          .set16(22, 37)
                                          .set16(54, 2095)
                                          .set16(58, 1000)
                                          .set16(60, 1800)
                                          .set16(72, 1210)
                                          .set16(74, 8)
                                          .set16(76, 80)
                                          .set64(112, 1u << 1)
                                          .bytes());
}

/// A GPU inside a processor.
inline void add_apu(MemoryFiles& files, int card = 0, const std::string& pci = "0000:64:00.0") {
  add_card(files, card, pci, "1002:15BF");
  const std::string folder = card_folder(card) + "/device/";
  files.write(folder + "power/control", "on\n");
  files.write(folder + "unique_id", "\n");
  files.write(folder + "gpu_busy_percent", "0\n");
  files.write(folder + "mem_info_vram_total", "4294967296\n");
  files.write(folder + "mem_info_vram_used", "1272893440\n");
  files.write(folder + "mem_info_gtt_total", "31433977856\n");
  files.write(folder + "mem_info_gtt_used", "211398656\n");
  files.write(folder + "pp_dpm_sclk", "0: 800Mhz *\n1: 2700Mhz \n");
  files.write(folder + "pp_dpm_mclk", "0: 400Mhz *\n1: 800Mhz *\n");
  files.write(folder + "pp_dpm_pcie", "\n");
  const std::string hwmon = folder + "hwmon/hwmon6/";
  files.write(hwmon + "name", "amdgpu\n");
  files.write(hwmon + "temp1_label", "edge\n");
  files.write(hwmon + "temp1_input", "45000\n");
  files.write(hwmon + "in1_label", "vddnb\n");
  files.write(hwmon + "in1_input", "615\n");
  files.write(hwmon + "power1_label", "slowPPT\n");
  files.write(hwmon + "power1_input", "3142000\n");
  files.write(hwmon + "power1_cap", "\n");
  files.write(hwmon + "power2_label", "fastPPT\n");
  files.write(hwmon + "power2_cap", "30000000\n");
  files.write(hwmon + "freq1_label", "sclk\n");
  files.write(hwmon + "freq1_input", "800000000\n");
  files.write(
      folder + "gpu_metrics",
      GpuMetricsBytes(2, 2, 128).set16(4, 4500).set16(28, 79).set16(40, 3401).set16(64, 800).set64(120, 0).bytes());
}

inline void add_kfd_node(MemoryFiles& files, int number, int location, const std::string& more) {
  const std::string folder = fmt::format("/sys/class/kfd/kfd/topology/nodes/{}/", number);
  files.write(folder + "gpu_id", fmt::format("{}\n", 1000 + number));
  files.write(folder + "properties",
              fmt::format("simd_count 152\nsimd_per_cu 4\ngfx_target_version 90402\nvendor_id 4098\ndevice_id 29857\n"
                          "location_id {}\ndomain 0\n{}",
                          location, more));
  files.write("/sys/class/kfd/kfd/topology/generation_id", "2\n");
}

/// A accelerator in two partitions, beside a second one that xGMI connects it to.
inline void add_accelerators(MemoryFiles& files) {
  for (int card = 0; card < 2; ++card) {
    add_card(files, card, card == 0 ? "0000:05:00.0" : "0000:0b:00.0", "1002:74A1");
    const std::string folder = card_folder(card) + "/device/";
    files.write(folder + "power/control", "on\n");
    files.write(folder + "unique_id", card == 0 ? "00000000000000aa\n" : "00000000000000bb\n");
    files.write(folder + "mem_info_vram_total", "206158430208\n");
    files.write(folder + "mem_info_vram_used", "300000000\n");
    files.write(folder + "gpu_busy_percent", "88\n");
    if (card == 0) files.write(folder + "current_compute_partition", "DPX\n");
    files.write(folder + "ras/umc_err_count", "ue: 1\nce: 20\n");
    files.write(folder + "ras/gfx_err_count", "ue: 0\nce: 2\n");
    files.write(folder + "ras/gpu_vram_bad_pages", "0x00000000 : 0x00001000 : R\n0x00000001 : 0x00001000 : P\n");
    files.write(folder + "ras/features", "feature mask: 0x1\n");
    const std::string hwmon = folder + "hwmon/hwmon3/";
    files.write(hwmon + "name", "amdgpu\n");
    files.write(hwmon + "temp2_label", "junction\n");
    files.write(hwmon + "temp2_input", "65000\n");
    files.write(hwmon + "temp2_crit", "100000\n");
    files.write(hwmon + "temp3_label", "mem\n");
    files.write(hwmon + "temp3_input", "55000\n");
    files.write(hwmon + "power1_input", "550000000\n");
  }
  add_kfd_node(files, 2, 0x500, "hive_id 1\nunique_id 170\n");
  add_kfd_node(files, 3, 0x501, "hive_id 1\nunique_id 170\n");
  add_kfd_node(files, 4, 0xb00, "hive_id 1\nunique_id 187\n");
  files.write("/sys/class/kfd/kfd/topology/nodes/2/io_links/0/properties", "type 11\nnode_to 4\n");
  files.write("/sys/class/kfd/kfd/topology/nodes/2/mem_banks/0/properties",
              "heap_type 1\nsize_in_bytes 103079215104\n");
  files.write("/sys/class/kfd/kfd/topology/nodes/4/io_links/0/properties", "type 11\nnode_to 2\n");
  files.write("/sys/class/kfd/kfd/topology/nodes/4/io_links/1/properties", "type 11\nnode_to 3\n");
}

/// The accelerators' metrics, with two partitions; `ticks` moves what counts.
inline void write_accelerator_metrics(MemoryFiles& files, std::uint32_t ticks) {
  files.write(card_folder(0) + "/device/gpu_metrics", GpuMetricsBytes(1, 7, 2208)
                                                          .set16(4, 65)
                                                          .set16(12, 88)
                                                          .set64(24, 65536ull * (100 + ticks))
                                                          .set32(44, 0)
                                                          .set32(48, 5 + ticks)
                                                          .set64(112, 9)
                                                          .set64(136, 1000 + 1024ull * ticks)
                                                          .set64(200, 5000)
                                                          .set16(264, 1)
                                                          .set16(266, 0)
                                                          .set16(338, 2)
                                                          .set32(344, 30)
                                                          .set32(348, 50)
                                                          .set32(344 + 232, 90)
                                                          .bytes());
}

}  // namespace amdgpu_machines
}  // namespace gpukeeper
