#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace gpukeeper::embed {

enum class LedgerPlace {
  machine,  ///< the one of this machine: a daemon's, else that of the state directory
  memory,   ///< one of its own, kept nowhere
};

/// What a keeper is opened with; empty texts say nothing.
struct KeeperOptions {
  using Variable = std::function<std::optional<std::string>(std::string_view)>;

  std::string source;     ///< as --source
  std::string host;       ///< as --host; "local" for the daemon of this machine
  std::string config;     ///< a file
  std::string state_dir;  ///< of the ledger
  LedgerPlace ledger = LedgerPlace::machine;
  bool monitoring = false;
  Variable environment;  ///< never null
};

}  // namespace gpukeeper::embed
