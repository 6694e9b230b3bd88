#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gpukeeper::classify {

/// What a command line says of a mining pool. Facts that a glob cannot tell.
struct PoolFacts {
  std::string address;   ///< "pool.example:3333": host and port alone; empty when none is named
  bool stratum = false;  ///< the address has a scheme that only miners speak, such as stratum+tcp://
  bool wallet = false;   ///< something that looks like a wallet stands as user; it is never kept
};

/// Looks for `stratum+tcp://user@host:port`, for `-o host:port` and for its many variants.
PoolFacts find_pool(const std::vector<std::string_view>& arguments);

}  // namespace gpukeeper::classify
