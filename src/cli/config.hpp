#pragma once

#include <string>
#include <vector>

#include "cli/context.hpp"
#include "config/live_config.hpp"

namespace gpukeeper::cli {

struct ConfigOptions {
  std::string action;              ///< show, get, set, check, schema, example or diff
  std::vector<std::string> words;  ///< what follows it
  bool json = false;
  bool origin = false;    ///< show where each value comes from
  bool save = false;      ///< of set: the daemon writes its file, too
  bool markdown = false;  ///< of schema: the page of keys
  std::string daemon;     ///< as for client::Daemon::find
  bool local = false;     ///< a file or a value was named: a running daemon is not asked
  config::Sources sources;
};

/// `gpukeeper config`: what is set, and sets it: that of a running daemon, else that of the file.
Exit config(const ConfigOptions& options, Context& context);

}  // namespace gpukeeper::cli
