#pragma once

#include <optional>
#include <string>
#include <string_view>

// Addresses of databases: postgresql://USER:PASSWORD@HOST:PORT/NAME?sslmode=verify-full (libpq's
// documentation, 34.1.1.2).
namespace gpukeeper::postgres {

/// Why that is no address of a PostgreSQL server, in words that follow "database.url: "; nothing when it is one. Never
/// holds any of it.
std::optional<std::string> refusal_of_url(std::string_view url);

/// The address as it may be shown: without a password, wherever one may stand, and without all that follows a '?'.
/// "postgresql://gpukeeper:…@db.example:5432/metrics"
std::string shown_database(std::string_view url);

/// The same address without what names a driver of Python: "postgresql+psycopg2://…" is "postgresql://…".
std::string without_driver(std::string_view url);

/// The parts of an address that come one by one.
struct DatabaseParts {
  std::string host;
  std::string port;
  std::string name;
  std::string user;
  std::string password;
};

/// Of those, what is empty is left out. Escapes what must be.
std::string make_database_url(const DatabaseParts& parts);

}  // namespace gpukeeper::postgres
