#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace boost::asio::ssl {
class context;
}

namespace gpukeeper::client {

/// What a client of TLS goes by: whose certificate it expects, who may vouch for it, and what it shows of itself.
struct Trust {
  std::string name;                                     ///< the machine as it was asked for: a name, or an address
  std::shared_ptr<const boost::asio::ssl::context> of;  ///< never null
};

/// As the environment says: $GPUKEEPER_CA is a PEM file of the authorities that are believed, in place of the
/// machine's; $GPUKEEPER_CERTIFICATE and $GPUKEEPER_KEY are PEM files of the client's own certificate and its key.
/// Errors: invalid_argument for a file that cannot be used, or one of the latter two without the other.
Result<Trust> open_trust(std::string name,
                         const std::function<std::optional<std::string>(std::string_view)>& environment);

}  // namespace gpukeeper::client
