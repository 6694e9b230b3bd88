#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "auth/token.hpp"
#include "cli/context.hpp"

namespace gpukeeper::cli {

struct TokenOptions {
  std::string action;  ///< create, list or revoke
  std::string id;      ///< of revoke
  std::string role;    ///< of create, as below; empty: operator
  std::string service;
  std::string name;
  std::optional<std::chrono::nanoseconds> lifetime;  ///< nothing: until it is revoked
  std::string folder;                                ///< the state directory; empty when none is known
  bool json = false;
  auth::Random random = auth::system_random;
};

/// `gpukeeper token`: makes, lists and revokes the tokens of a state directory, with and without a daemon that runs
/// there; one that does takes them over within a second.
Exit token(const TokenOptions& options, Context& context);

}  // namespace gpukeeper::cli
