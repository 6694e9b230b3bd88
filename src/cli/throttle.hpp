#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/context.hpp"
#include "cli/render.hpp"
#include "format/throttle_report.hpp"

namespace gpukeeper::cli {

struct ThrottleOptions {
  enum class Form { page, json, schema };
  enum class Action { show, set, clear };
  Form form = Form::page;
  Action action = Action::show;
  double speed_multiplier = 0.5;  ///< of set
  std::optional<std::chrono::nanoseconds> length =
      {};                                 ///< of set; of a simulated machine: how much of its time to play
  std::vector<std::string> devices = {};  ///< selectors; empty for all
  bool wait = false;
  std::vector<std::string> sources = {};  ///< as given to --source
  bool here = false;          ///< look with this process, as a source was named; else a daemon that runs is asked
  bool daemon_named = false;  ///< no answer of the daemon is an error; else this process looks
};

/// Asks the daemon: method, target and JSON; its answer. Errors: as client::Daemon::ask.
using AskDaemon =
    std::function<Result<std::string>(std::string_view method, std::string_view target, std::string_view json)>;
/// Errors: as client::Daemon::find.
using FindDaemon = std::function<Result<AskDaemon>()>;

/// The exit status when work should go at half speed or less: what a script asks for.
inline constexpr int kShouldThrottle = 3;

/// `gpukeeper throttle`: how fast work may go on the GPUs, why, and how long still; with --wait, once it may go on.
/// `throttle set` and `throttle clear`: an operator's request, which a running daemon holds.
/// Exit: 0 when work may go on, kShouldThrottle when it should slow down or pause.
Exit throttle(const ThrottleOptions& options, const FindDaemon& find_daemon, Context& context);

/// The page of a report. `note` stands below it; empty for none.
std::string render_throttle(const ThrottleReport& report, std::string_view note, const RenderOptions& options);

}  // namespace gpukeeper::cli
