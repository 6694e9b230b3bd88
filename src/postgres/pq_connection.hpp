#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "core/files.hpp"
#include "postgres/connection.hpp"
#include "postgres/pq_library.hpp"

namespace gpukeeper::postgres {

/// Where the database is, and who we are there.
struct DatabaseAddress {
  std::string url;
  std::string url_file;       ///< where its first line is that, instead
  std::string password_file;  ///< whose first line stands above a password in the address
  std::chrono::nanoseconds timeout = std::chrono::seconds(10);  ///< to be connected, and for each answer
};

/// Talks through libpq, without ever waiting longer than the timeout or a stop: but for the name server, for which
/// libpq itself waits. The library is loaded when first somebody connects, and looked for again as long as it is not
/// there; files are read anew each time.
class PqConnector final : public Connector {
 public:
  /// `library`: as for pq::load_library. `files` outlives this.
  PqConnector(DatabaseAddress address, const Files& files, std::string library = "")
      : address_(std::move(address)), files_(files), path_(std::move(library)) {}

  Result<std::unique_ptr<Connection>> connect(const std::stop_token& stop) override;

 private:
  Result<std::string> secret(const std::string& file, std::string_view key) const;

  const DatabaseAddress address_;
  const Files& files_;
  const std::string path_;
  std::shared_ptr<const pq::Library> library_;  // null until it is loaded
};

}  // namespace gpukeeper::postgres
