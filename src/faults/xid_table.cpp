#include "faults/xid_table.hpp"

#include <algorithm>

namespace gpukeeper {
namespace {

using enum Severity;

// What to do. Few sentences, shared by many rows: an operator learns them once.
constexpr std::string_view kRestart =
    "Restart the application; if it fails again, run it on another GPU to tell a bug from a fault of this one.";
constexpr std::string_view kDebug =
    "Debug the application with compute-sanitizer; if it fails on one GPU only, run the vendor's diagnostics "
    "(dcgmi diag -r 3) on that GPU.";
constexpr std::string_view kReset =
    "Stop all work on the GPU and reset it (nvidia-smi --gpu-reset, or restart the machine); if it happens again, "
    "contact the vendor.";
constexpr std::string_view kResetUpdate =
    "Stop all work on the GPU and reset it, or restart the machine; update the driver, and keep the output of "
    "nvidia-bug-report.sh for NVIDIA if it happens again.";
constexpr std::string_view kReplace =
    "Drain the GPU and reset it; if memory errors come back, return the card for replacement (RMA).";
constexpr std::string_view kReseat =
    "Drain the machine and restart it; check that the card sits firmly, its power cables and supply, and its cooling; "
    "if it happens again, return the card for replacement (RMA).";
constexpr std::string_view kReport =
    "Update the driver; if it happens again, send the output of nvidia-bug-report.sh to NVIDIA.";
constexpr std::string_view kWatch =
    "Watch whether it comes back; look at other errors reported at the same time first.";
constexpr std::string_view kNothing = "Take no action for this alone.";
constexpr std::string_view kLinks =
    "Drain the GPUs that share the link and reset them; if it happens again, check the NVLink bridge, cables and "
    "switches and contact the vendor.";
constexpr std::string_view kDisplay =
    "Check the monitor, its cable and its mode; update the driver if it happens again.";

// What it means, where many numbers mean the same.
constexpr std::string_view kOldPushBuffer =
    "On GPUs up to Volta: the GPU was given commands that it does not understand. An application or the driver is the "
    "likely cause; a bad bus or bad memory may be. Newer GPUs do not report this number.";
constexpr std::string_view kOldVideo =
    "On older GPUs: a video engine was given commands that it does not understand, or failed on them. An application "
    "or the driver is the likely cause. Newer GPUs do not report this number.";
constexpr std::string_view kUnused =
    "NVIDIA reserves this number and says of no current GPU that it reports it. The driver is the likely cause.";
constexpr std::string_view kOldDriver =
    "On older GPUs: the driver programmed the GPU wrongly or waited for it in vain. The driver is the likely cause.";
constexpr std::string_view kCopyEngine =
    "An engine that copies memory for applications failed on its commands; the application that used it has lost its "
    "work. The application or the driver is the likely cause, rarely the hardware.";
constexpr std::string_view kDecoder =
    "A video decoder failed; the application that used it has lost its work. A damaged video, the application or the "
    "driver is the likely cause, rarely the hardware.";
constexpr std::string_view kEncoder =
    "A video encoder failed; the application that used it has lost its work. The application or the driver is the "
    "likely cause, rarely the hardware.";
constexpr std::string_view kJpeg =
    "A JPEG decoder failed; the application that used it has lost its work. A damaged picture, the application or the "
    "driver is the likely cause, rarely the hardware.";
constexpr std::string_view kOpticalFlow =
    "The optical flow engine failed; the application that used it has lost its work. The application or the driver is "
    "the likely cause, rarely the hardware.";
constexpr std::string_view kPowerState =
    "On older GPUs: the driver changed or locked a power state because of an error, heat or power. Heat, the power "
    "supply or the driver is the likely cause.";
constexpr std::string_view kDisplayEngine =
    "The display engine was set up in a way that it refuses, or could not keep up. The driver, the cable or the "
    "monitor's mode is the likely cause; computing is not affected.";
constexpr std::string_view kController =
    "The controller that manages power and clocks inside the GPU stopped or failed. Its firmware, which comes with the "
    "driver, or the hardware is the likely cause.";
constexpr std::string_view kInfoRom =
    "The driver could not read or write the small storage on the card that keeps its settings and its history of "
    "errors. The hardware is the likely cause; running work is not affected.";
constexpr std::string_view kNvlink5 =
    "A part of the NVLink interface reported an error; depending on the part, traffic between GPUs was lost or only "
    "delayed, and applications that use several GPUs may have failed. The link, a switch or the driver is the likely "
    "cause.";
constexpr std::string_view kDla =
    "The deep learning accelerator beside the GPU failed or did not answer. The application or the driver is the "
    "likely cause.";
constexpr std::string_view kSmoothing =
    "A circuit that smooths the board's power draw changed its state or is worn out. The hardware is the cause; "
    "computing goes on.";
constexpr std::string_view kSecureLink =
    "In confidential computing, an NVLink reported an error or carried traffic before it was set up to encrypt. The "
    "driver or the set-up of the virtual machine is the likely cause.";

constexpr XidRow kXids[] = {
    {1, warning, "invalid command stream", kOldPushBuffer, kRestart},
    {2, warning, "invalid command stream", kOldPushBuffer, kRestart},
    {3, warning, "invalid command stream", kOldPushBuffer, kRestart},
    {4, warning, "invalid command stream or semaphore timeout", kOldPushBuffer, kRestart},
    {5, warning, "command queue overflow (unused number)", kUnused, kReport},
    {6, warning, "invalid command stream", kOldPushBuffer, kRestart},
    {7, warning, "invalid address of a command stream", kOldPushBuffer, kRestart},
    {8, error, "the GPU stopped processing",
     "A command queue made no progress for too long and was stopped. An application with an endless kernel, the driver "
     "or an overheated or failing GPU is the likely cause.",
     kRestart},
    {9, warning, "driver error while programming the GPU", kOldDriver, kReport},
    {10, warning, "single step error (unused number)", kUnused, kReport},
    {11, warning, "invalid command stream",
     "The graphics engine was given commands that it does not understand. An application or the driver is the likely "
     "cause; a bad bus or bad memory may be.",
     kRestart},
    {12, warning, "driver error while handling an exception", kOldDriver, kReport},
    {13, warning, "graphics engine exception",
     "A program running on the GPU did something illegal, mostly an access out of an array's bounds or an illegal "
     "instruction, and was stopped. The application is the likely cause, rarely the hardware.",
     kDebug},
    {14, info, "test error (unused number)",
     "A made-up error that the driver uses to test its own reporting. It says nothing of the hardware.", kNothing},
    {15, warning, "scan line timeout (unused number)", kUnused, kReport},
    {16, warning, "the display engine hung", kDisplayEngine, kDisplay},
    {17, warning, "display parameter error (unused number)", kUnused, kReport},
    {18, error, "bus mastering is disabled",
     "On older GPUs: the GPU may no longer read the machine's memory, as bus mastering is off in its PCI "
     "configuration. Another driver, the firmware of the machine or the virtualisation is the likely cause.",
     kReseat},
    {19, warning, "display engine error", kDisplayEngine, kDisplay},
    {20, warning, "invalid MPEG command stream", kOldVideo, kRestart},
    {21, warning, "invalid motion estimation command stream", kOldVideo, kRestart},
    {22, warning, "invalid video processor command stream", kOldVideo, kRestart},
    {23, info, "error logging was switched on (unused number)",
     "The driver says that it logs errors of its command queues. It says nothing of the hardware.", kNothing},
    {24, warning, "semaphore timeout", kOldPushBuffer, kRestart},
    {25, warning, "illegal command stream",
     "The graphics engine was given a stream of commands that is illegal. An application or the driver is the likely "
     "cause; a bad bus or bad memory may be.",
     kRestart},
    {26, warning, "frame buffer timeout", kOldDriver, kReport},
    {27, warning, "video processor exception", kOldVideo, kRestart},
    {28, warning, "video processor exception", kOldVideo, kRestart},
    {29, warning, "video processor exception", kOldVideo, kRestart},
    {30, warning, "semaphore access error", kOldDriver, kReport},
    {31, warning, "GPU memory page fault",
     "A program on the GPU read or wrote an address that is not its own, and was stopped. The application is the "
     "likely "
     "cause (a wild pointer, memory freed too early), rarely the driver or the hardware.",
     kDebug},
    {32, warning, "invalid command stream",
     "The part that feeds commands to the GPU found a stream damaged. An application or the driver is the likely "
     "cause; "
     "errors on the PCIe link may be.",
     kRestart},
    {33, warning, "security engine error", kOldVideo, kRestart},
    {34, warning, "video decoder error", kOldVideo, kRestart},
    {35, warning, "video decoder error", kOldVideo, kRestart},
    {36, warning, "video post-processor error", kOldVideo, kRestart},
    {37, info, "firmware refused a method",
     "The firmware that switches contexts was asked for something that it does not know. The driver or the application "
     "is the likely cause; work goes on.",
     kWatch},
    {38, warning, "firmware watchdog timeout",
     "The firmware that switches between applications did not finish in time. The driver is the likely cause, or a GPU "
     "that hangs.",
     kReport},
    {39, warning, "copy engine 0 exception", kCopyEngine, kRestart},
    {40, warning, "copy engine 1 exception", kCopyEngine, kRestart},
    {41, warning, "copy engine 2 exception", kCopyEngine, kRestart},
    {42, warning, "video compositor exception", kOldVideo, kRestart},
    {43, warning, "an application's work was stopped",
     "A program on the GPU hit an error of its own and its work was stopped; the GPU itself is well. The application "
     "is "
     "the likely cause.",
     kDebug},
    {44, warning, "graphics engine fault during a context switch",
     "The graphics engine failed while it changed from one application to another. The driver is the likely cause, "
     "rarely the hardware.",
     kWatch},
    {45, info, "an application's work was cleaned up",
     "The driver removed the work of an application: it ended or was killed while it computed, or an earlier error "
     "took "
     "it along. By itself it is harmless and appears whenever jobs are cancelled.",
     "Look for another error reported just before it and act on that; alone, take no action."},
    {46, error, "the GPU stopped processing",
     "The GPU did not answer in time and its work was stopped. The driver or the hardware is the likely cause, and "
     "heat "
     "or power may be.",
     kReset},
    {47, warning, "video encoder 0 exception", kEncoder, kRestart},
    {48, critical, "uncorrectable memory error (double-bit ECC)",
     "Memory of the GPU lost data that ECC could not repair, and applications that used it were stopped. The hardware "
     "is the likely cause; single events do happen from radiation.",
     kReplace},
    {49, info, "power state was fixed by a setting (unused number)", kPowerState, kNothing},
    {50, warning, "power state changed after an error (unused number)", kPowerState, kWatch},
    {51, warning, "power state changed after a stress test (unused number)", kPowerState, kWatch},
    {52, warning, "power state changed because of heat (unused number)", kPowerState,
     "Check the cooling: fans, dust, the temperature of the room."},
    {53, warning, "clocks were lowered because of heat (unused number)", kPowerState,
     "Check the cooling: fans, dust, the temperature of the room."},
    {54, critical, "auxiliary power is not connected",
     "The card's own power connector gives no power, so it runs with too little or not at all. A loose or missing "
     "cable "
     "or the power supply is the likely cause.",
     "Shut the machine down and check the card's power cables and the power supply."},
    {55, warning, "temperature could not be read (unused number)", kPowerState, kReport},
    {56, warning, "display engine error", kDisplayEngine, kDisplay},
    {57, critical, "memory interface training failed",
     "On older GPUs: the connection between the GPU and its memory could not be set up. The hardware is the likely "
     "cause, or the card's firmware.",
     kReplace},
    {58, critical, "memory interface error",
     "On older GPUs: the connection between the GPU and its memory failed. The hardware is the likely cause.",
     kReplace},
    {59, error, "power controller error", kController, kResetUpdate},
    {60, warning, "security engine exception",
     "An engine that handles protected video and signatures failed; the application that used it has lost its work. "
     "The "
     "driver or the application is the likely cause.",
     kRestart},
    {61, error, "power controller breakpoint", kController, kResetUpdate},
    {62, critical, "power controller halted", kController, kResetUpdate},
    {63, info, "memory was taken out of use",
     "A row or page of GPU memory that had errors was recorded to be replaced by a spare one; the replacement takes "
     "effect at the next reset. The GPU repairs itself as designed.",
     "Reset the GPU when its work allows; watch whether such events become frequent."},
    {64, critical, "memory could not be taken out of use",
     "A row or page of GPU memory has errors and could not be recorded for replacement: the spares or the record are "
     "used up, or the record cannot be written. The hardware is the cause.",
     kReplace},
    {65, warning, "video encoder 1 exception", kEncoder, kRestart},
    {66, warning, "illegal access by the driver",
     "The firmware that switches contexts was told to use a register that it must not. The driver is the likely cause.",
     kReport},
    {67, warning, "illegal access by the driver",
     "The firmware that switches contexts refused a command as not allowed. The driver is the likely cause.", kReport},
    {68, warning, "video decoder 0 exception", kDecoder, kRestart},
    {69, warning, "graphics engine class error",
     "The graphics engine refused a command for one of its classes; the application was stopped. The application or "
     "the "
     "driver is the likely cause, rarely the hardware.",
     kDebug},
    {70, warning, "copy engine 3 error", kCopyEngine, kRestart},
    {71, warning, "copy engine 4 error", kCopyEngine, kRestart},
    {72, warning, "copy engine 5 error", kCopyEngine, kRestart},
    {73, warning, "video encoder 2 exception", kEncoder, kRestart},
    {74, critical, "NVLink error",
     "A link between GPUs, or to a switch, failed; applications that use several GPUs have lost their work and the "
     "link "
     "may be down. The hardware of either end or the connection is the likely cause.",
     kLinks},
    {75, warning, "copy engine 6 error", kCopyEngine, kRestart},
    {76, warning, "copy engine 7 error", kCopyEngine, kRestart},
    {77, warning, "copy engine 8 error", kCopyEngine, kRestart},
    {78, error, "a virtual GPU could not start",
     "The host could not start a virtual GPU for a virtual machine. Versions of the driver in host and guest that do "
     "not fit, or the licence, are the likely cause.",
     "Install versions of the vGPU driver in host and guest that belong together, and check the licence."},
    {79, critical, "the GPU has fallen off the bus",
     "The driver can no longer reach the GPU over PCIe; all its work is lost and nothing on it can be read. The "
     "hardware "
     "is the likely cause: the card, its seat, its power or its cooling, or the PCIe link.",
     kReseat},
    {80, error, "corrupted commands reached the GPU",
     "The checksum of a command buffer was wrong when it reached the GPU. Errors on the PCIe link, bad memory of the "
     "machine or the application is the likely cause.",
     kReseat},
    {81, warning, "VGA subsystem error", kDisplayEngine, kDisplay},
    {82, warning, "JPEG decoder 0 error", kJpeg, kRestart},
    {83, warning, "video decoder 1 error", kDecoder, kRestart},
    {84, warning, "video decoder 2 error", kDecoder, kRestart},
    {85, warning, "copy engine 9 error", kCopyEngine, kRestart},
    {86, warning, "optical flow engine 0 error", kOpticalFlow, kRestart},
    {87, info, "driver telemetry report (unused number)", kUnused, kNothing},
    {88, warning, "video decoder 3 error", kDecoder, kRestart},
    {89, warning, "video decoder 4 error", kDecoder, kRestart},
    {90, error, "level 2 cache error (unused number)", kUnused, kReset},
    {91, info, "reserved number", kUnused, kReport},
    {92, warning, "many corrected memory errors",
     "ECC corrects single-bit errors at an unusual rate; no data was lost. Ageing memory or heat is the likely cause.",
     "Watch the ECC counters and check the cooling; if uncorrected errors follow, drain the GPU and return it (RMA)."},
    {93, warning, "the card's settings storage is worn",
     "The small storage on the card that keeps its settings and its history of errors was written more often than it "
     "is made for. Running work is not affected.",
     kWatch},
    {94, error, "contained memory error",
     "Memory lost data that ECC could not repair, and the damage was kept to the applications that used it: they were "
     "stopped, others go on. The hardware is the likely cause.",
     "Restart the applications that were stopped and reset the GPU when its other work is done; return the card (RMA) "
     "if such errors repeat."},
    {95, critical, "uncontained memory error",
     "Memory lost data that ECC could not repair, and the damage could not be kept to one application: any result of "
     "this GPU may be wrong. The hardware is the likely cause.",
     kReplace},
    {96, warning, "video decoder 5 error", kDecoder, kRestart},
    {97, warning, "video decoder 6 error", kDecoder, kRestart},
    {98, warning, "video decoder 7 error", kDecoder, kRestart},
    {99, warning, "JPEG decoder 1 error", kJpeg, kRestart},
    {100, warning, "JPEG decoder 2 error", kJpeg, kRestart},
    {101, warning, "JPEG decoder 3 error", kJpeg, kRestart},
    {102, warning, "JPEG decoder 4 error", kJpeg, kRestart},
    {103, warning, "JPEG decoder 5 error", kJpeg, kRestart},
    {104, warning, "JPEG decoder 6 error", kJpeg, kRestart},
    {105, warning, "JPEG decoder 7 error", kJpeg, kRestart},
    {106, info, "test message of the management bus",
     "A test of the reporting from the GPU to the machine's management controller. It says nothing of the hardware.",
     kNothing},
    {107, info, "silent test message of the management bus",
     "A test of the reporting from the GPU to the machine's management controller. It says nothing of the hardware.",
     kNothing},
    {108, warning, "remote NVLink address could not be translated",
     "Another GPU asked over NVLink for an address that this one does not know. The application is the likely cause, "
     "as "
     "with a page fault.",
     kDebug},
    {109, error, "context switch timeout",
     "The GPU did not change from one application to another in time. A kernel that cannot be interrupted, the driver "
     "or the hardware is the likely cause.",
     kResetUpdate},
    {110, critical, "security fault",
     "The GPU's security hardware reported a violation and the GPU no longer works. The firmware or the driver is the "
     "likely cause, or damaged hardware.",
     kResetUpdate},
    {111, warning, "bundle error (unused number)", kUnused, kReport},
    {112, warning, "display supervisor error", kDisplayEngine, kDisplay},
    {113, warning, "DisplayPort link training failed", kDisplayEngine, kDisplay},
    {114, warning, "display underflow", kDisplayEngine, kDisplay},
    {115, warning, "display core channel error", kDisplayEngine, kDisplay},
    {116, warning, "display window channel error", kDisplayEngine, kDisplay},
    {117, warning, "display cursor channel error", kDisplayEngine, kDisplay},
    {118, warning, "display head error", kDisplayEngine, kDisplay},
    {119, critical, "the GPU's system processor does not answer",
     "The processor inside the GPU that does the driver's work (GSP) did not answer a request in time; calls to the "
     "driver may hang. Its firmware, which comes with the driver, or the hardware is the likely cause.",
     kResetUpdate},
    {120, critical, "the GPU's system processor failed",
     "The processor inside the GPU that does the driver's work (GSP) crashed or reported an error. Its firmware, which "
     "comes with the driver, or the hardware is the likely cause.",
     kResetUpdate},
    {121, warning, "chip-to-chip link error",
     "The link between the GPU and the CPU beside it (NVLink-C2C) had an error that was corrected or is minor. The "
     "hardware is the likely cause.",
     "Watch whether it comes back; reset the GPU when its work allows, and contact the vendor if it repeats."},
    {122, warning, "settings storage could not be read", kInfoRom, kReport},
    {123, warning, "settings storage could not be written", kInfoRom, kReport},
    {124, warning, "settings storage could not be erased", kInfoRom, kReport},
    {125, warning, "settings storage is damaged", kInfoRom, kReport},
    {126, warning, "copy engine 10 error", kCopyEngine, kRestart},
    {127, warning, "copy engine 11 error", kCopyEngine, kRestart},
    {128, warning, "copy engine 12 error", kCopyEngine, kRestart},
    {129, warning, "copy engine 13 error", kCopyEngine, kRestart},
    {130, warning, "copy engine 14 error", kCopyEngine, kRestart},
    {131, warning, "copy engine 15 error", kCopyEngine, kRestart},
    {132, warning, "copy engine 16 error", kCopyEngine, kRestart},
    {133, warning, "copy engine 17 error", kCopyEngine, kRestart},
    {134, warning, "copy engine 18 error", kCopyEngine, kRestart},
    {135, warning, "copy engine 19 error", kCopyEngine, kRestart},
    {136, critical, "NVLink training failed",
     "A link between GPUs, or to a switch, could not be brought up. The connection, a switch or the hardware of either "
     "end is the likely cause.",
     kLinks},
    {137, warning, "NVLink access was refused",
     "A GPU asked another one over NVLink for memory that it may not use, mostly because the other side's application "
     "ended or freed it. The application is the likely cause.",
     kDebug},
    {138, warning, "deep learning accelerator error", kDla, kRestart},
    {139, warning, "optical flow engine 1 error", kOpticalFlow, kRestart},
    {140, critical, "unrecovered memory error",
     "Memory or a cache lost data that ECC could not repair, and the driver could not tell where: results of this GPU "
     "may be wrong. The hardware is the likely cause.",
     kReplace},
    {141, warning, "CUDA fast path error",
     "A shortcut by which CUDA hands work to the GPU failed. The driver or the application is the likely cause.",
     kReport},
    {142, warning, "video encoder 3 error", kEncoder, kRestart},
    {143, critical, "the GPU could not be initialised",
     "The GPU did not start when the driver set it up. Its firmware, power, the PCIe link or the hardware is the "
     "likely "
     "cause.",
     kReseat},
    {144, error, "NVLink error (SAW)", kNvlink5, kLinks},
    {145, error, "NVLink error (RLW)", kNvlink5, kLinks},
    {146, error, "NVLink error (TLW)", kNvlink5, kLinks},
    {147, error, "NVLink error (TREX)", kNvlink5, kLinks},
    {148, error, "NVLink error (NVLPW_CTRL)", kNvlink5, kLinks},
    {149, error, "NVLink error (NETIR)", kNvlink5, kLinks},
    {150, error, "NVLink error (MSE)", kNvlink5, kLinks},
    {151, error, "encryption key rotation failed",
     "In confidential computing, the keys for the traffic between machine and GPU could not be changed. The driver or "
     "the set-up of the virtual machine is the likely cause.",
     "Restart the virtual machine; update the driver in it if it happens again."},
    {152, warning, "deep learning accelerator memory fault", kDla, kRestart},
    {153, warning, "deep learning accelerator timeout", kDla, kRestart},
    {154, warning, "the recommended recovery action changed",
     "The driver now recommends another way to recover this GPU (none, a reset, a restart, draining); the message "
     "names "
     "it. It follows another error.",
     "Do what the message names: drain the GPU, reset it or restart the machine; look for the error just before it."},
    {155, error, "NVLink error reported by software",
     "The driver declared a link between GPUs failed by a rule of its own, such as a link that stayed down. The "
     "connection, a switch or the driver is the likely cause.",
     kLinks},
    {156, warning, "a faulty unit will be taken out of use",
     "A unit of the GPU with errors was recorded to be replaced by a spare one at the next reset. The GPU repairs "
     "itself "
     "as designed.",
     "Reset the GPU when its work allows."},
    {157, error, "a faulty unit could not be taken out of use",
     "A unit of the GPU has errors and no spare one is left, or the record could not be written. The hardware is the "
     "cause.",
     kReplace},
    {158, critical, "fatal GPU timeout",
     "The GPU did not answer the driver in time and cannot be used any more. The hardware or the driver is the likely "
     "cause.",
     kResetUpdate},
    {159, warning, "coherent link protocol error",
     "A transaction without data failed on the coherent link between CPU and GPU. Another error or the driver is the "
     "likely cause.",
     kWatch},
    {160, info, "a memory channel will be taken out of use",
     "A channel of the GPU's memory with errors was recorded to be replaced or left out at the next reset. The GPU "
     "repairs itself as designed.",
     "Reset the GPU when its work allows; watch whether errors come back."},
    {161, error, "a memory channel could not be taken out of use",
     "A channel of the GPU's memory has errors and could not be recorded for replacement. The hardware is the cause.",
     kReplace},
    {162, info, "power smoothing works again", kSmoothing, kNothing},
    {163, warning, "power smoothing was switched off", kSmoothing, kWatch},
    {164, warning, "power smoothing is nearly worn out", kSmoothing,
     "Plan the replacement of the board with its vendor."},
    {165, error, "power smoothing is worn out", kSmoothing, "Plan the replacement of the board with its vendor."},
    {166, error, "encrypted NVLink traffic came too early", kSecureLink, kResetUpdate},
    {167, critical, "fatal PCIe timeout",
     "A request over PCIe was never answered and the GPU cannot be used any more. The card's seat, the PCIe link or "
     "the "
     "hardware is the likely cause.",
     kReseat},
    {168, warning, "less GPU memory than usual",
     "Errors were found in memory that is reserved for the GPU's firmware, and the GPU goes on with less memory. The "
     "hardware is the cause.",
     "Plan to drain the GPU and return the card for replacement (RMA); until then, expect less memory."},
    {169, critical, "security processor halted",
     "The processor inside the GPU that guards its firmware stopped. The firmware, the driver or the hardware is the "
     "likely cause.",
     kResetUpdate},
    {170, error, "encrypted NVLink error", kSecureLink, kResetUpdate},
    {171, critical, "uncorrectable error in GPU memory",
     "DRAM of the GPU lost data that ECC could not repair; it comes with XID 48 and says where. The hardware is the "
     "likely cause.",
     kReplace},
    {172, critical, "uncorrectable error in a GPU cache",
     "SRAM inside the GPU (caches, registers) lost data that ECC could not repair; it comes with XID 48 and says "
     "where. "
     "The hardware is the likely cause.",
     kReplace},
};

}  // namespace

std::span<const XidRow> xid_table() {
  return kXids;
}

const XidRow* find_xid(std::uint64_t number) {
  const auto found = std::ranges::lower_bound(kXids, number, {}, &XidRow::number);
  return found != std::end(kXids) && found->number == number ? &*found : nullptr;
}

}  // namespace gpukeeper
