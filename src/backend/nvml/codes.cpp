#include "backend/nvml/codes.hpp"

#include <fmt/format.h>

namespace gpukeeper::nvml {

using namespace abi;

std::string_view describe(Code code) {
  switch (code) {
    case kSuccess: return "success";
    case kUninitialized: return "the library was not initialized";
    case kInvalidArgument: return "invalid argument";
    case kNotSupported: return "not supported";
    case kNoPermission: return "no permission";
    case 5: return "already initialized";
    case kNotFound: return "not found";
    case kInsufficientSize: return "buffer too small";
    case 8: return "power cables are not properly attached";
    case kDriverNotLoaded: return "driver not loaded";
    case kTimeout: return "timeout";
    case 11: return "interrupt problem";
    case 12: return "library not found";
    case kFunctionNotFound: return "function not in this library";
    case kCorruptedInforom: return "the board's infoROM is corrupted";
    case kGpuIsLost: return "GPU is lost";
    case kResetRequired: return "GPU needs a reset";
    case kOperatingSystem: return "blocked by the operating system";
    case kVersionMismatch: return "library and kernel module have different versions";
    case 19: return "in use";
    case 20: return "out of memory";
    case kNoData: return "no data";
    case 23: return "out of resources";
    case kArgumentVersionMismatch: return "structure version not known";
    case kDeprecated: return "no longer served";
    case kNotReady: return "not ready";
    case kGpuNotFound: return "GPU not found";
    case 29: return "invalid state";
    case kUnknown: return "unknown error inside the driver";
    default: return "an error code this program does not know";
  }
}

bool never_there(Code code) {
  return code == kNotSupported || code == kFunctionNotFound || code == kArgumentVersionMismatch || code == kDeprecated;
}

bool ends_session(Code code) {
  return code == kUninitialized || code == kDriverNotLoaded || code == kVersionMismatch;
}

bool loses_device(Code code) {
  return code == kGpuIsLost || code == kResetRequired || code == kOperatingSystem || code == kGpuNotFound;
}

bool is_trouble(Code code) {
  return code != kSuccess && code != kNoPermission && code != kNotFound && code != kNoData && code != kNotReady &&
         !never_there(code);
}

Missing missing_from(Code code) {
  if (never_there(code)) return Missing::not_supported;
  if (code == kNoPermission) return Missing::not_permitted;
  if (code == kNoData || code == kNotReady || code == kNotFound) return Missing::not_yet_read;
  return Missing::failed;
}

Error driver_error(Code code, const Versions& versions) {
  const auto say = [](std::string text) { return Error{Errc::unavailable, std::move(text)}; };
  switch (code) {
    case kUninitialized: return say("the NVIDIA driver was reloaded or unloaded; it is opened again by itself");
    case kDriverNotLoaded:
      return say(
          "the NVIDIA kernel driver is not loaded; load it with `sudo modprobe nvidia` (after an installation without "
          "a reboot, or when it fails, see `sudo dmesg | grep -i nvidia`)");
    case kNoPermission:
      return say(
          "this user may not open the NVIDIA device files; check the modes of /dev/nvidiactl and /dev/nvidia0, and add "
          "the user to the group that owns them (often video or render)");
    case kOperatingSystem:
      return say(
          "the operating system blocks /dev/nvidiactl and /dev/nvidia0, as a container or a cgroup does; start the "
          "container with its GPUs (docker run --gpus all) or allow the devices in the service's unit");
    case kVersionMismatch: {
      std::string which;
      if (!versions.library.empty() && !versions.kernel_module.empty()) {
        which = fmt::format(" (library {}, kernel module {})", versions.library, versions.kernel_module);
      } else if (!versions.kernel_module.empty()) {
        which = fmt::format(" (kernel module {})", versions.kernel_module);
      }
      return say(fmt::format(
          "the NVIDIA library and the loaded kernel module have different versions{}, as after an update; reboot, or "
          "stop what uses the GPUs and reload the module (`sudo rmmod nvidia_uvm nvidia && sudo modprobe nvidia`)",
          which));
    }
    case kGpuNotFound:
      return say("the NVIDIA driver finds no GPU that it can drive; see `sudo dmesg | grep -i nvidia`");
    default:
      return say(
          fmt::format("the NVIDIA driver cannot be opened: nvmlInit: {} (code {}); see `sudo dmesg | grep -i "
                      "nvidia`, and if it stays so, reboot",
                      describe(code), code));
  }
}

Error device_error(Code code, std::string_view device) {
  const auto say = [](std::string text) { return Error{Errc::unavailable, std::move(text)}; };
  switch (code) {
    case kGpuIsLost:
      return say(fmt::format(
          "{} is lost: it has fallen off the bus or no longer answers; look for Xid errors in the kernel log (dmesg), "
          "then reboot, or check its power and seating",
          device));
    case kResetRequired:
      return say(
          fmt::format("{} needs a reset before it can be used; stop its processes, then run `sudo nvidia-smi "
                      "--gpu-reset`, or reboot",
                      device));
    case kOperatingSystem:
      return say(
          fmt::format("the operating system blocks the device file of {}, as a container or a cgroup does; "
                      "allow the device",
                      device));
    case kNoPermission:
      return say(
          fmt::format("this user may not open {}; check the mode of its /dev/nvidia file, or in a container "
                      "whether it was given this GPU",
                      device));
    case kGpuNotFound:
      return say(
          fmt::format("the NVIDIA driver no longer finds {}; look for errors in the kernel log (dmesg)", device));
    case kTimeout:
      return say(fmt::format(
          "the driver does not answer for {}; look for Xid errors in the kernel log (dmesg), then reset the GPU or "
          "reboot",
          device));
    case kUnknown:
      return say(fmt::format(
          "the driver answered three times in a row with an unknown error for {}; look for Xid errors in the kernel "
          "log (dmesg), then reset the GPU or reboot",
          device));
    default:
      return say(fmt::format("{} cannot be opened: {} (code {}); look for errors in the kernel log (dmesg)", device,
                             describe(code), code));
  }
}

}  // namespace gpukeeper::nvml
