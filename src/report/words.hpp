#pragma once

#include <string>

#include "account/party.hpp"
#include "account/tariff.hpp"

// Amounts as people read them.
namespace gpukeeper::report {

/// A number with as many digits as matter: "1,234", "56.7", "0.42", "0".
std::string amount(double value);

/// "12.3 h"; below an hour "5 min" or "12 s".
std::string hours_text(double seconds);

/// "4.2 kWh", "120 Wh".
std::string energy_text(double joules);

/// "4.2 kWh (1.26 EUR, 1.6 kg CO2)", as far as the tariff says.
std::string energy_with_cost(double joules, const account::Tariff& tariff);

/// "mara, job 4711"; harmless for a terminal.
std::string hoarder_name(const account::Party& party);

/// "12 %" of a whole; "–" where there is no whole.
std::string share_text(double part, double whole);

}  // namespace gpukeeper::report
