#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "account/tariff.hpp"
#include "account/usage.hpp"

// The figures of a report, a row each: JSON, CSV and the schema's names are made of these.
namespace gpukeeper::report {

/// Of a party. Nothing where nothing of it was measured: that is not 0.
struct UsageFigure {
  std::string_view name;
  std::optional<double> (*value)(const account::Usage& usage, const account::Tariff& tariff);
};
std::span<const UsageFigure> usage_figures();

/// Of a device.
struct DeviceFigure {
  std::string_view name;
  std::optional<double> (*value)(const account::DeviceUse& use, const account::Tariff& tariff);
};
std::span<const DeviceFigure> device_figures();

/// Of its time, in percent; nothing where the use was never measured.
std::optional<double> average_use(const account::DeviceUse& use);
std::optional<double> average_celsius(const account::DeviceUse& use);
std::optional<double> average_watts(const account::DeviceUse& use);

/// A part of a whole of which some was not measured: nothing when all of it was not.
std::optional<double> measured(double value, double unknown, double whole);

}  // namespace gpukeeper::report
