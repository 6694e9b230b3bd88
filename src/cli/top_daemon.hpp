#pragma once

#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "cli/context.hpp"
#include "cli/feed.hpp"
#include "cli/top_board.hpp"

namespace gpukeeper::cli {

/// Takes what the daemon's feed has now; called when it has changed.
void take_snapshot(TopBoard& board, const std::vector<std::string>& devices, Feed& feed);

/// Asks the daemon for leases, history and the user's role, and tells it what is to be done, until stopped.
void ask_daemon_for_view(TopBoard& board, const std::string& named, Context& context, const std::stop_token& stop);

}  // namespace gpukeeper::cli
