#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "cli/context.hpp"
#include "cli/top_board.hpp"

namespace gpukeeper::cli {

/// Feeds the view from the sources of the command line, live or played, until stopped. What cannot be opened is
/// News::failed.
void feed_from_session(TopBoard& board, const std::vector<std::string>& devices, Context& context,
                       const std::stop_token& stop);

/// Sends the signal to the process, if it is still the one that was meant, and says how that went.
/// Errors: not_found when it is gone; as the kernel refuses it.
Result<void> send_signal(const top::Deed& deed, const Files& machine);

}  // namespace gpukeeper::cli
