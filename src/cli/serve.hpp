#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/context.hpp"
#include "engine/playback.hpp"

namespace gpukeeper::cli {

struct ServeOptions {
  std::vector<std::string> sources;           ///< as given on the command line
  std::vector<std::string> fallback_sources;  ///< of GPUKEEPER_SOURCE: where neither that nor the file names any
  std::string machine_root;                   ///< as in FeedOptions
  std::vector<std::string> listen;
  bool insecure_listen = false;
  std::string config;  ///< a file; empty for none
  std::string state_dir;
  std::string rules;
  std::string log_file;
  std::string log_level;
  std::string log_format;
  std::optional<Speed> speed;     ///< as for clock_for
  std::optional<std::string> at;  ///< of a recording: where to begin
  bool check_config = false;      ///< read the file, say whether it is well, and end
};

/// `gpukeeper serve`: watches, and answers over HTTP, until it is told to end.
///
/// SIGTERM and SIGINT end it within two seconds: answers that were begun are finished, sockets removed. A second one
/// ends it at once. SIGHUP reads the configuration again and opens the log file anew. The command line stands above the
/// configuration file, and that above the environment.
Exit serve(const ServeOptions& options, Context& context);

}  // namespace gpukeeper::cli
