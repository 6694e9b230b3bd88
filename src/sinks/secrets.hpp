#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/files.hpp"
#include "core/result.hpp"
#include "sinks/sink_settings.hpp"

namespace gpukeeper {

/// Where a sink's secrets are: files and environment variables. Read anew each time, so that one that is changed holds
/// from the next message on.
/// Threads: from any, as long as the environment is not changed meanwhile.
class Secrets {
 public:
  using Environment = std::function<std::optional<std::string>(std::string_view)>;

  Secrets(const Files& files, Environment environment) : files_(files), environment_(std::move(environment)) {}

  /// The sink's address, wherever it is, checked as refusal_of_address() does; `usual` where nothing is said.
  /// Errors: not_found, not_permitted and others for one that cannot be read, invalid_argument for one that will not
  /// do. No message holds it.
  Result<std::string> url(const SinkSettings& sink, std::string_view usual = "") const;

  /// Empty where the sink has none. Errors: as above.
  Result<std::string> token(const SinkSettings& sink) const;
  Result<std::string> password(const SinkSettings& sink) const;

 private:
  Result<std::string> read(const SinkSettings& sink, std::string_view what, const std::string& file,
                           const std::string& variable) const;

  const Files& files_;
  const Environment environment_;
};

/// The text with every one of the secrets in it replaced by "…". Short ones (below 4 bytes) are no secrets.
std::string without_secrets(std::string text, const std::vector<std::string>& secrets);

}  // namespace gpukeeper
