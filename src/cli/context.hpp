#pragma once

#include <functional>
#include <memory>

#include "cli/feed.hpp"
#include "cli/signals.hpp"
#include "cli/terminal.hpp"
#include "config/settings.hpp"
#include "core/clock.hpp"
#include "core/files.hpp"
#include "engine/playback.hpp"

namespace gpukeeper::cli {

/// What a subcommand may touch of the world. main's run() fills it with the real one, a test with fakes.
struct Context {
  Clock& clock;
  const Files& files;  ///< this machine's
  Output& out;
  Environment environment;
  config::Settings settings = {};  ///< of this command; by themselves where it goes by none
  std::function<Screen()> screen;  ///< as it is now: a terminal's size changes
  ColourChoice colour = ColourChoice::automatic;
  std::function<Result<std::unique_ptr<Feed>>()> open_feed;  ///< from the sources of the command line
  /// The same sources, for who steps through their time by itself: with options out of config::session_options, to
  /// which the command line's own are added. Its clock is `clock`.
  std::function<Result<std::unique_ptr<Session>>(SessionOptions)> open_session = {};
  std::function<std::unique_ptr<Interrupts>()> interrupts;  ///< made before the feed, whose threads inherit the mask
  /// Says a sentence beside the output: on standard error.
  std::function<void(std::string_view)> remark = [](std::string_view) {};
  /// Writes a text beside the output as it is: on standard error.
  std::function<void(std::string_view)> aside = [](std::string_view) {};
};

/// How a page for people is to be made now.
RenderOptions render_options(const Context& context);

/// The same for what comes from that feed: of another machine, whose clock may be another, it is read when it was
/// taken.
RenderOptions render_options(const Context& context, const Feed& feed, const Snapshot& snapshot);

/// A subcommand's answer: the exit status, or an error. invalid_argument is a matter of usage (2), any other a failure
/// (1).
using Exit = Result<int>;

/// Writes the text; a reader that has gone is a success.
Exit print(Context& context, std::string_view text, int status = 0);

}  // namespace gpukeeper::cli
