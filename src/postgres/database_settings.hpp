#pragma once

#include <chrono>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include "core/units.hpp"
#include "telemetry/history_settings.hpp"

namespace gpukeeper::postgres {

/// The section `database` of the configuration: the PostgreSQL database that readings are written into.
struct DatabaseSettings {
  std::string url;            ///< postgresql://USER@HOST:PORT/NAME?…, as libpq takes it; may hold a password
  std::string url_file;       ///< a file whose first line it is; stands above url
  std::string password_file;  ///< a file whose first line is the password
  std::string host;           ///< the name of this machine there; empty: the machine's own
  std::chrono::nanoseconds interval = std::chrono::seconds(10);  ///< from reading to reading
  std::chrono::nanoseconds timeout = std::chrono::seconds(10);   ///< for one step of a conversation
  /// How long rows are kept at the least: a month goes as a whole. Nothing: for ever.
  std::optional<std::chrono::nanoseconds> keep = std::chrono::hours(30 * 24);
  Bytes spool = 32_MiB;  ///< of rows that wait for the database; above it the oldest go
  /// Names of the metric table; numbers only. A column each.
  std::vector<std::string> metrics{std::begin(kDefaultStoredMetrics), std::end(kDefaultStoredMetrics)};

  bool on() const { return !url.empty() || !url_file.empty(); }
  friend bool operator==(const DatabaseSettings&, const DatabaseSettings&) = default;
};

/// What is wrong with them, a sentence each that begins with the key. Looks at no file.
std::vector<std::string> check(const DatabaseSettings& settings);

}  // namespace gpukeeper::postgres
