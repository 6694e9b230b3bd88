#pragma once

#include <string>
#include <string_view>

#include "backend/nvml/abi.hpp"
#include "core/result.hpp"
#include "device/metric.hpp"

namespace gpukeeper::nvml {

/// What a return code says, in our words. nvmlErrorString is never asked: it would go into a driver that may be sick.
std::string_view describe(abi::Code code);

/// Why a metric is absent whose function answered so.
Missing missing_from(abi::Code code);

/// The answer will not change while the device stays as it is: asking again is a wasted call.
bool never_there(abi::Code code);

/// The whole session is over: the driver was unloaded, or does not fit the library.
bool ends_session(abi::Code code);

/// The device cannot be spoken to any more; others may.
bool loses_device(abi::Code code);

/// Neither the value nor a normal "there is none": something is wrong.
bool is_trouble(abi::Code code);

/// Versions of what has to fit together; empty where unknown.
struct Versions {
  std::string library;
  std::string kernel_module;
};

/// Errc::unavailable and what to do when the driver as a whole answered so.
Error driver_error(abi::Code code, const Versions& versions);

/// Errc::unavailable and what to do when one device answered so, at its PCI address or UUID.
Error device_error(abi::Code code, std::string_view device);

}  // namespace gpukeeper::nvml
