#pragma once

#include <cstdint>
#include <stop_token>
#include <string_view>
#include <vector>

#include "core/program.hpp"
#include "core/result.hpp"

namespace gpukeeper::reclaim {

/// The pids in a list that MPS' control prints: one in a line, what follows it left out; nothing of other lines.
std::vector<std::int64_t> parse_mps_pids(std::string_view text);

/// Takes a client out of its MPS server: its work ends and its memory is given back, while the server and its other
/// clients go on. The process itself goes on, too, but can use the GPU no more.
/// Errors: not_found when there is no MPS control, or it knows no such client; deadline_exceeded when it does not
/// answer, as a server that hangs does: then nobody may be killed, and MPS is to be started anew.
Result<void> drain_mps_client(Programs& programs, std::int64_t pid, const std::stop_token& stop);

}  // namespace gpukeeper::reclaim
