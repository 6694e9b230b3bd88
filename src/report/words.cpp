#include "report/words.hpp"

#include <cmath>

#include <fmt/format.h>

#include "core/display_text.hpp"
#include "report/report.hpp"

namespace gpukeeper::report {
namespace {

std::string with_commas(double value) {
  std::string text = fmt::format("{:.0f}", value);
  const std::size_t first = text.starts_with('-') ? 1 : 0;
  for (std::size_t at = text.size(); at > first + 3;) {
    at -= 3;
    text.insert(at, ",");
  }
  return text;
}

}  // namespace

std::string amount(double value) {
  if (!std::isfinite(value)) return "–";
  const double size = std::abs(value);
  if (size < 0.005) return "0";
  if (size < 1) return fmt::format("{:.2f}", value);
  return size < 100 ? fmt::format("{:.1f}", value) : with_commas(value);
}

std::string hours_text(double seconds) {
  if (seconds >= 3600) return amount(seconds / 3600) + " h";
  return seconds >= 60 ? fmt::format("{:.0f} min", seconds / 60) : fmt::format("{:.0f} s", seconds);
}

std::string energy_text(double joules) {
  const double energy = kwh(joules);
  return energy < 0.1 ? amount(energy * 1000) + " Wh" : amount(energy) + " kWh";
}

std::string energy_with_cost(double joules, const account::Tariff& tariff) {
  std::string more;
  if (const auto money = cost(joules, tariff)) {
    more = amount(*money) + (tariff.currency.empty() ? "" : " " + harmless(tariff.currency));
  }
  if (const auto carbon = carbon_kg(joules, tariff)) {
    more += fmt::format("{}{} kg CO2", more.empty() ? "" : ", ", amount(*carbon));
  }
  return more.empty() ? energy_text(joules) : fmt::format("{} ({})", energy_text(joules), more);
}

std::string hoarder_name(const account::Party& party) {
  const std::string user = party.user.empty() ? "no name is known" : harmless(party.user);
  return party.service.empty() ? user : fmt::format("{}, {}", user, harmless(party.service));
}

std::string share_text(double part, double whole) {
  return whole > 0 ? fmt::format("{:.0f} %", 100 * part / whole) : "–";
}

}  // namespace gpukeeper::report
