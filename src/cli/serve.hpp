#pragma once

#include <memory>
#include <optional>
#include <string>

#include "cli/context.hpp"
#include "config/live_config.hpp"
#include "engine/playback.hpp"

namespace gpukeeper::cli {

struct ServeOptions {
  std::shared_ptr<config::LiveConfig> config;  ///< never null
  std::string machine_root;                    ///< as in FeedOptions
  std::optional<Speed> speed;                  ///< as for clock_for
  std::optional<std::string> at;               ///< of a recording: where to begin
  bool check = false;                          ///< say whether all that it would start with is well, and end
  bool restore = false;                        ///< give back what an ended one left of the GPUs, and end
  bool sign_in_link = false;                   ///< print a link that signs a browser in
};

/// `gpukeeper serve`: watches, and answers over HTTP, until it is told to end.
///
/// SIGTERM and SIGINT end it within two seconds: answers that were begun are finished, sockets removed. A second one
/// ends it at once. SIGHUP reads the configuration again, and certificates, and opens the log file anew.
Exit serve(const ServeOptions& options, Context& context);

}  // namespace gpukeeper::cli
