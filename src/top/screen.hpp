#pragma once

#include <memory>
#include <string>

#include "core/result.hpp"
#include "top/terminal.hpp"

namespace gpukeeper::top {

struct ScreenOptions {
  std::string term;    ///< $TERM
  bool colour = true;  ///< else only bold and reversed
  bool utf8 = true;    ///< else only ASCII will be shown
  bool mouse = true;
};

/// The terminal on standard input and output, by ncurses, which nobody else knows. While it lives, the terminal is
/// ours; its destructor gives it back as it was, and so do the signals that end a program by its own mistake.
///
/// SIGINT, SIGTERM, SIGHUP, SIGWINCH and SIGTSTP are blocked while it lives, and come out of wait(). Threads: make it
/// before any thread that lives as long, for threads inherit the block; use it from one.
///
/// Errors: not_supported where there is no terminal, or one that cannot place characters (TERM unset, dumb, unknown);
/// the message says what to use instead.
Result<std::unique_ptr<Terminal>> open_screen(const ScreenOptions& options);

}  // namespace gpukeeper::top
