#pragma once

#include <optional>
#include <string>

namespace gpukeeper::account {

/// What energy costs. Nothing is assumed: without a price there is no cost, without a factor no CO2.
struct Tariff {
  std::optional<double> price_per_kwh;
  std::string currency;                    ///< as it stands behind an amount: "EUR"; may be empty
  std::optional<double> carbon_g_per_kwh;  ///< grams of CO2 (equivalents) for each kWh
  friend bool operator==(const Tariff&, const Tariff&) = default;
};

constexpr double kJoulesPerKwh = 3.6e6;

}  // namespace gpukeeper::account
