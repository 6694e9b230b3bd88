// Lines as drivers write them: the wording is from the kernel's and NVIDIA's sources and from users' reports.
#include "backend/kernel/messages.hpp"

#include <span>

#include <gtest/gtest.h>

#include <fmt/format.h>

namespace gpukeeper {
namespace {

// "kind code @address xcount pid process", or "-" for a line without news.
std::string read(std::string_view text) {
  const auto found = read_message(text);
  if (!found) return "-";
  const DeviceEvent& event = found->event;
  std::string result = found->names_process ? "process" : std::string(to_string(event.kind));
  if (event.code) result += fmt::format(" {}", event.code);
  if (event.pci) result += fmt::format(" @{}", event.pci->to_string());
  if (event.count != 1) result += fmt::format(" x{}", event.count);
  if (event.pid) result += fmt::format(" {} '{}'", *event.pid, event.process);
  if (found->of_pci) result += " of pci";
  if (found->awaits_process) result += " …";
  return result;
}

struct Case {
  const char* text;
  const char* expected;
};

void check(std::span<const Case> cases) {
  for (const Case& c : cases) EXPECT_EQ(read(c.text), c.expected) << c.text;
}

TEST(KernelMessagesTest, Nvidia) {
  const Case cases[] = {
      {"NVRM: Xid (PCI:0000:01:00): 79, pid='<unknown>', name=<unknown>, GPU has fallen off the bus.",
       "xid 79 @0000:01:00.0"},
      {"NVRM: Xid (PCI:0000:c6:00): 79, pid=1101234, name=nvc:[driver], GPU has fallen off the bus.",
       "xid 79 @0000:c6:00.0 1101234 'nvc:[driver]'"},
      {"NVRM: Xid (PCI:0000:cb:00): 109, pid=1797828, name=pt_main_thread, Ch 00000008, errorString CTX SWITCH "
       "TIMEOUT, "
       "Info 0x58005",
       "xid 109 @0000:cb:00.0 1797828 'pt_main_thread'"},
      {"NVRM: Xid (PCI:0000:97:00): 45, pid=1818987, name=python3, Ch 00000003 caused by previous Xid 145",
       "xid 45 @0000:97:00.0 1818987 'python3'"},
      {"NVRM: Xid (PCI:0000:03:00): 31, pid=4711, Ch 00000008, intr 10000000. MMU Fault: ENGINE GRAPHICS",
       "xid 31 @0000:03:00.0 4711 ''"},
      {"NVRM: Xid (PCI:0000:03:00): 31, pid='4711', name=a b, Ch 00000008", "xid 31 @0000:03:00.0 4711 'a b'"},
      {"NVRM: Xid (PCI:0000:41:00): 13, Graphics SM Warp Exception on (GPC 1, TPC 0, SM 0): Illegal Instruction "
       "Encoding",
       "xid 13 @0000:41:00.0"},
      {"NVRM: Xid (PCI:0000:41:00 GPU-I:05): 13, pid=77, name=python3, Graphics Exception: ESR 0x5067b0=0x9",
       "xid 13 @0000:41:00.0 77 'python3'"},
      {"NVRM: Xid (0000:01:00): 31, Ch 0000000b, engmask 00000120, intr 10000000", "xid 31 @0000:01:00.0"},
      {"NVRM: Xid (0000:03:00): 14, Channel 00000001", "xid 14 @0000:03:00.0"},
      {"NVRM: Xid (PCI:0000:0a:00.0): 48, pid=1, name=x, DBE", "xid 48 @0000:0a:00.0 1 'x'"},
      {"NVRM: Xid (PCI:00010000:01:00): 119, pid=0, name=x, Timeout after 6s of waiting for RPC response from GPU0 "
       "GSP!",
       "xid 119 @10000:01:00.0"},
      {"NVRM: Xid (PCI:0000:00:00): 149, NETIR_LINK_EVT Fatal XC0 i0 Link 00 (0x026001c6 0x00000000)",
       "xid 149 @0000:00:00.0"},
      {"NVRM: GPU 0000:01:00.0: GPU has fallen off the bus.", "lost @0000:01:00.0"},
      {"NVRM: GPU at PCI:0000:01:00: has fallen off the bus.", "lost @0000:01:00.0"},
      {"NVRM: GPU 0000:01:00.0: RmInitAdapter failed! (0x26:0xffff:1290)", "driver @0000:01:00.0"},
      {"NVRM: loading NVIDIA UNIX x86_64 Kernel Module  580.105.08  Wed Oct 29 23:15:11 UTC 2025", "driver_reload"},
      {"NVRM: loading NVIDIA UNIX Open Kernel Module for x86_64  570.86.15  Release Build", "driver_reload"},
      {"NVRM: API mismatch: the client 'nvidia-smi' (pid 812) has the version 580.105.08, but this kernel module has "
       "the "
       "version 570.86.15.",
       "driver"},
      // No news, or no such line.
      {"NVRM: GPU at PCI:0000:01:00: GPU-b850f46d-d5ea-c752-ddf3-c4453e44d3f7", "-"},
      {"NVRM: A GPU crash dump has been created.", "-"},
      {"NVRM: Xid (PCI:0000:01:00)", "-"},
      {"NVRM: Xid (PCI:0000:01:00): seventy-nine, x", "-"},
      {"NVRM: Xid (PCI:0000:01:00): 99999999999999999999, x", "-"},
      {"NVRM: Xid (PCI:zz:01:00): 79, x", "-"},
      {"NVRM: Xid (PCI:0000:01:00): 79x", "-"},
      {"NVRM: ", "-"},
      {"my NVRM: Xid (PCI:0000:01:00): 79, x", "-"},
      {"NVRM: Xid (PCI[812]: segfault at 0 ip 0 sp 0 error 4 in libc.so.6", "-"},  // a process that calls itself so
  };
  check(cases);
}

TEST(KernelMessagesTest, Amdgpu) {
  const Case cases[] = {
      {"amdgpu 0000:03:00.0: amdgpu: ring gfx_0.0.0 timeout, signaled seq=7292300, emitted seq=7292304",
       "gpu_hang @0000:03:00.0 …"},
      {"amdgpu 0000:28:00.0: ring gfx_0.0.0 timeout, signaled seq=57638, emitted seq=57641",
       "gpu_hang @0000:28:00.0 …"},
      {"[drm:amdgpu_job_timedout [amdgpu]] *ERROR* ring sdma0 timeout, signaled seq=121570, emitted seq=121572",
       "gpu_hang …"},
      {"[drm:amdgpu_job_timedout [amdgpu]] *ERROR* Process information: process cosmic-comp pid 3503 thread "
       "cosmic-com:cs0 pid 3539",
       "process 3503 'cosmic-comp'"},
      {"amdgpu 0000:03:00.0: amdgpu:  Process WoWClassic.exe pid 47714 thread dxvk-submit pid 47850",
       "process @0000:03:00.0 47714 'WoWClassic.exe'"},
      {"amdgpu 0000:03:00.0: amdgpu:  Process Web pid x y pid 12 thread a pid 13",
       "process @0000:03:00.0 12 'Web pid x y'"},
      {"amdgpu 0000:33:00.0: amdgpu: Process information: process  pid 0 thread  pid 0", "process @0000:33:00.0"},
      {"[drm:amdgpu_job_timedout [amdgpu]] *ERROR* ring gfx timeout, but soft recovered", "engine_reset …"},
      {"amdgpu 0000:03:00.0: amdgpu: Ring gfx_0.0.0 reset failed", "engine_reset @0000:03:00.0"},
      {"amdgpu 0000:03:00.0: amdgpu: Ring gfx_0.0.0 reset failure", "engine_reset @0000:03:00.0"},
      {"amdgpu 0000:03:00.0: amdgpu: Ring gfx_0.0.0 reset succeeded", "engine_reset @0000:03:00.0"},
      {"amdgpu 0000:08:00.0: amdgpu: GPU reset(2) succeeded!", "gpu_reset @0000:08:00.0"},
      {"amdgpu 0000:08:00.0: amdgpu: GPU reset(4) failed", "gpu_reset @0000:08:00.0"},
      {"amdgpu 0000:08:00.0: amdgpu: GPU reset end with ret = -110", "gpu_reset @0000:08:00.0"},
      {"amdgpu 0000:08:00.0: amdgpu: GPU Recovery Failed: -110", "gpu_reset @0000:08:00.0"},
      {"amdgpu 0000:c1:00.0: amdgpu: 2 uncorrectable hardware errors detected in umc block", "ras @0000:c1:00.0 x2"},
      {"amdgpu 0000:c1:00.0: amdgpu: socket: 4, die: 0, 3 new correctable hardware errors detected in gfx block",
       "ras @0000:c1:00.0 x3"},
      {"amdgpu 0000:c1:00.0: amdgpu: uncorrectable hardware error(ERREVENT_ATHUB_INTERRUPT) detected!",
       "ras @0000:c1:00.0"},
      {"amdgpu 0000:c1:00.0: amdgpu: RAS poison consumption, unmap queue flow succeeded: client id 32",
       "ras @0000:c1:00.0"},
      {"amdgpu 0000:03:00.0: amdgpu: [gfxhub] page fault (src_id:0 ring:24 vmid:2 pasid:32779)",
       "driver @0000:03:00.0 …"},
      {"amdgpu 0000:0c:00.0: amdgpu: [gfxhub0] no-retry page fault (src_id:0 ring:24 vmid:3 pasid:32769, for process "
       "Xorg pid 1037 thread Xorg:cs0 pid 1046)",
       "driver @0000:0c:00.0 1037 'Xorg'"},
      {"amdgpu 0000:03:00.0: amdgpu: device lost from bus!", "lost @0000:03:00.0"},
      {"amdgpu 0000:03:00.0: [drm] device wedged, needs recovery", "wedged @0000:03:00.0"},
      {"amdgpu 0000:03:00.0: amdgpu: Fatal error during GPU init", "driver @0000:03:00.0"},
      {"[drm] Initialized amdgpu 3.54.0 20150101 for 0000:08:00.0 on minor 1", "driver_reload @0000:08:00.0"},
      // Steps, sums and what is said at every start.
      {"amdgpu 0000:08:00.0: amdgpu: GPU reset begin!", "-"},
      {"amdgpu 0000:08:00.0: amdgpu: GPU reset succeeded, trying to resume", "-"},
      {"amdgpu 0000:08:00.0: amdgpu: GPU reset end with ret = 0", "-"},
      {"amdgpu 0000:03:00.0: [drm] device wedged, but recovered through reset", "-"},
      {"amdgpu 0000:c1:00.0: amdgpu: socket: 4, die: 0 1 correctable hardware errors detected in total in gfx block, "
       "no "
       "user action is needed.",
       "-"},
      {"amdgpu 0000:c1:00.0: amdgpu: 0 correctable hardware errors detected in umc block", "-"},
      {"amdgpu 0000:08:00.0: amdgpu: RAS: optional ras ta ucode is not available", "-"},
      {"amdgpu 0000:c1:00.0: amdgpu: RAS INFO: poison mode is enabled", "-"},
      {"amdgpu 0000:33:00.0: amdgpu: ring gfx_0.0.0 uses VM inv eng 0 on hub 0", "-"},
      {"amdgpu 0000:33:00.0: amdgpu: SMU is resumed successfully!", "-"},
      {"[drm] Initialized simpledrm 1.0.0 20200625 for simple-framebuffer.0 on minor 0", "-"},
  };
  check(cases);
}

TEST(KernelMessagesTest, Intel) {
  const Case cases[] = {
      {"i915 0000:00:02.0: [drm] GPU HANG: ecode 12:1:0020fffe, in xdg-desktop-por [1676]",
       "gpu_hang @0000:00:02.0 1676 'xdg-desktop-por'"},
      {"[drm] GPU HANG: ecode 9:0:0x85dffffb, in Compositor [100955], reason: Hang on rcs0, action: reset",
       "gpu_hang 100955 'Compositor'"},
      {"[drm] GPU HANG: ecode 7:0:0x87c3ffff, reason: Ring hung, action: reset", "gpu_hang"},
      {"i915 0000:00:02.0: [drm] GPU HANG: ecode 12:1:0, in a [1] in b [2]", "gpu_hang @0000:00:02.0 2 'a [1] in b'"},
      {"i915 0000:00:02.0: [drm] Resetting chip for stopped heartbeat on rcs0", "gpu_reset @0000:00:02.0"},
      {"i915 0000:00:02.0: [drm] Resetting rcs0 for preemption time out", "engine_reset @0000:00:02.0"},
      {"i915 0000:00:02.0: Resetting chip after gpu hang", "gpu_reset @0000:00:02.0"},
      {"i915 0000:00:02.0: [drm] *ERROR* GT0: GUC: Engine reset failed on 0:0 (rcs0) because 0x00000000",
       "engine_reset @0000:00:02.0"},
      {"i915 0000:00:02.0: [drm] *ERROR* Failed to reset chip", "wedged @0000:00:02.0"},
      {"i915 0000:00:02.0: [drm] GPU recovery timed out, cancelling all in-flight rendering.", "wedged @0000:00:02.0"},
      {"xe 0000:03:00.0: [drm] GT0: Timedout job: seqno=4294967169, lrc_seqno=4294967169, guc_id=4, flags=0x0 in "
       "glxgears "
       "[2501]",
       "gpu_hang @0000:03:00.0 2501 'glxgears'"},
      {"xe 0000:03:00.0: [drm] Tile0: GT1: Timedout job: seqno=1, lrc_seqno=1, guc_id=4, flags=0x0 in no process [-1]",
       "gpu_hang @0000:03:00.0"},
      {"xe 0000:03:00.0: [drm] GT0: Engine reset: engine_class=rcs, logical_mask: 0x1, guc_id=2",
       "engine_reset @0000:03:00.0"},
      {"xe 0000:03:00.0: [drm] GT0: reset done", "gpu_reset @0000:03:00.0"},
      {"xe 0000:03:00.0: [drm] *ERROR* GT0: reset failed (-ETIMEDOUT)", "gpu_reset @0000:03:00.0"},
      {"xe 0000:03:00.0: [drm] *ERROR* CRITICAL: Xe has declared device 0000:03:00.0 as wedged.",
       "wedged @0000:03:00.0"},
      {"xe 0000:03:00.0: [drm] device wedged, needs recovery", "wedged @0000:03:00.0"},
      {"[drm] Initialized i915 1.6.0 20230929 for 0000:00:02.0 on minor 0", "driver_reload @0000:00:02.0"},
      {"xe 0000:03:00.0: [drm] Xe device coredump has been created", "-"},
      {"xe 0000:03:00.0: [drm] GT0: trying reset from guc_exec_queue_timedout_job [xe]", "-"},
      {"i915 0000:00:02.0: [drm] GT0: GUC: submission enabled", "-"},
      {"[drm] GPU HANG:[812]: segfault at 0 ip 0 sp 0 error 4", "-"},  // a process that calls itself so
  };
  check(cases);
}

TEST(KernelMessagesTest, Nouveau) {
  const Case cases[] = {
      {"nouveau 0000:01:00.0: fifo: fault 00 [READ] at 0000000000a10000 engine 00 [GR] client 0f [GPC0/PROP_0] reason "
       "02 "
       "[PTE] on channel 5 [00ff85c000 Xorg[1234]]",
       "driver @0000:01:00.0"},
      {"nouveau 0000:01:00.0: fifo: SCHED_ERROR 0a [CTXSW_TIMEOUT]", "gpu_hang @0000:01:00.0"},
      {"nouveau 0000:01:00.0: Xorg[1234]: channel 5 killed!", "engine_reset @0000:01:00.0"},
      {"nouveau 0000:01:00.0: bios: version 84.04.1f.00.02", "-"},
  };
  check(cases);
}

TEST(KernelMessagesTest, PciCore) {
  const Case cases[] = {
      {"nvidia 0000:01:00.0: PCIe Bus Error: severity=Corrected, type=Physical Layer, (Receiver ID)",
       "pcie_error @0000:01:00.0 of pci"},
      {"amdgpu 0000:03:00.0: PCIe Bus Error: severity=Uncorrectable (Non-Fatal), type=Transaction Layer, (Requester "
       "ID)",
       "pcie_error @0000:03:00.0 of pci"},
      {"pcieport 0000:00:01.0: AER: PCIe Bus Error: severity=Correctable, type=Data Link Layer, (Transmitter ID)",
       "pcie_error @0000:00:01.0 of pci"},
      {"pcieport 0000:00:01.0: DPC: containment event, status:0x1f01 source:0x0000", "pcie_error @0000:00:01.0 of pci"},
      {"pcieport 0000:00:01.0: pciehp: Slot(1): Link Down", "pcie_error @0000:00:01.0 of pci"},
      {"pcieport 0000:00:01.0: AER: Corrected error received: 0000:01:00.0", "-"},  // the device says it again
      {"pcieport 0000:00:01.0: pciehp: Slot(1): Link Up", "-"},
      {"pci 0000:01:00.0: BAR 0: assigned", "-"},
      {"usb 1-1: new high-speed USB device", "-"},
  };
  check(cases);
}

TEST(KernelMessagesTest, TheDetailIsTheDriversWordsOnOnePrintableLine) {
  const auto found =
      read_message("NVRM: Xid (PCI:0000:01:00): 31, pid=9, name=\x1b[31mred\n\xff, Ch 1" + std::string(5000, 'x'));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->event.process, " [31mred ?");
  EXPECT_TRUE(found->event.detail.starts_with("Xid (PCI:0000:01:00): 31, pid=9, name= [31mred ?, Ch 1xxx"));
  EXPECT_TRUE(found->event.detail.ends_with("x…"));
  EXPECT_EQ(found->event.detail.size(), kMaxDetail - 1 + 3);
}

TEST(KernelMessagesTest, WhatTheRecordSaysOfItsDeviceStandsInForTheText) {
  const auto found = read_message("[drm:amdgpu_job_timedout [amdgpu]] *ERROR* ring gfx timeout, signaled seq=1",
                                  PciAddress::parse("0000:03:00.0"));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->event.pci, PciAddress::parse("0000:03:00.0"));
}

}  // namespace
}  // namespace gpukeeper
