#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "cli/context.hpp"
#include "telemetry/alert.hpp"

namespace gpukeeper::cli {

struct AlertsOptions {
  /// What stands after `alerts`: nothing, or ack ID, unack ID, silence MATCHER..., unsilence ID, silences, rules,
  /// test SINK.
  std::vector<std::string> words = {};
  bool all = false;  ///< what pends and what has ended, too
  bool json = false;
  bool schema = false;
  bool check = false;                                   ///< the exit status is the lamp's (status_of)
  std::vector<std::string> devices = {};                ///< selectors; empty for all
  std::optional<std::chrono::nanoseconds> length = {};  ///< --for: of a silence, an acknowledgement or the watching
  std::string comment = {};
  std::string daemon = {};                ///< as given to --daemon
  std::vector<std::string> sources = {};  ///< as given to --source or by the environment; empty: ask the daemon
};

/// The exit status that stands for a lamp: 0 green, 3 yellow, 4 red, 5 off: nothing is known. 1 and 2 are failures of
/// the command itself.
int status_of(Lamp lamp);

/// The words that may stand first.
std::vector<std::string> alert_actions();

/// `gpukeeper alerts`: what needs a person's attention. A running daemon is asked; where none runs, or a source is
/// named, the source is watched for a while.
Exit alerts(const AlertsOptions& options, Context& context);

}  // namespace gpukeeper::cli
