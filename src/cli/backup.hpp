#pragma once

#include <string>

#include "cli/context.hpp"

namespace gpukeeper::cli {

struct BackupOptions {
  std::string file;           ///< the archive
  std::string folder;         ///< the state directory; empty when none is known
  std::string configuration;  ///< the file of settings; empty for none, and for one that is to be left alone
};

/// `gpukeeper backup FILE`: the settings, the leases, the faults, the alerts, the history and the account in one file,
/// beside a daemon that runs or without one.
Exit backup(const BackupOptions& options, Context& context);

/// `gpukeeper restore FILE`: the same back; not while a daemon owns the state directory.
Exit restore(const BackupOptions& options, Context& context);

}  // namespace gpukeeper::cli
