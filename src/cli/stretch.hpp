#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/context.hpp"
#include "engine/playback.hpp"

// For commands that judge a stretch of time and find no daemon that has watched one for them.
namespace gpukeeper::cli {

/// How much of a simulated machine's time is played unless somebody says otherwise.
inline constexpr auto kUsualPlayed = std::chrono::minutes(10);

struct StretchOptions {
  std::vector<std::string> sources;  ///< as given to --source; empty for auto
  /// How much of their time; else the whole of a recording, 10 minutes of a simulated machine, 10 s of one that lives.
  std::optional<std::chrono::nanoseconds> length = {};
  bool attribute = false;                 ///< say who the processes are (Snapshot::who)
  std::vector<std::string> metrics = {};  ///< that are stored, whether that is configured or not
  /// Sees every snapshot; false ends the stretch.
  std::function<bool(const Snapshot&, Session&)> each = [](const Snapshot&, Session&) { return true; };
};

/// The commands that watch a stretch, unless they are to go on: their sources are played as fast as it goes where
/// --speed does not say otherwise.
bool watches_stretch(std::string_view command);

/// Whether all sources are made up or recorded, so that their time can be played.
bool is_played(const std::vector<std::string>& sources);

/// Watches, and returns what has come together: the engine's latest snapshot, its history, its journal. A machine that
/// lives is watched in real time, and a remark says so; another where time that is played takes long. Ctrl-C
/// ends the watching; what is known by then is returned. With a length of zero that is what came before it begins: of a
/// moment of a recording.
/// Errors: those of config::session_options and Session::open.
Result<std::unique_ptr<Session>> watch_stretch(StretchOptions options, Context& context);

}  // namespace gpukeeper::cli
