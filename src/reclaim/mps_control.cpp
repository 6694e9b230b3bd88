#include "reclaim/mps_control.hpp"

#include <algorithm>
#include <chrono>
#include <string>

#include <fmt/format.h>

#include "core/display_text.hpp"
#include "core/text.hpp"

namespace gpukeeper::reclaim {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds kList = 5s;
constexpr std::chrono::milliseconds kTerminate = 30s;  // it waits for work that was begun

Result<std::string> tell(Programs& programs, const std::string& command, std::chrono::milliseconds deadline,
                         const std::stop_token& stop) {
  const auto path = programs.find("nvidia-cuda-mps-control", {"/usr/bin", "/usr/local/bin"});
  if (!path) return tl::make_unexpected(path.error());
  ProgramCall call{
      .path = *path, .arguments = {}, .deadline = deadline, .output_limit = 1 << 20, .input = command + "\n"};
  const auto output = programs.run(call, stop);
  if (!output) return tl::make_unexpected(output.error());
  if (output->exit_status != 0) {
    return fail(Errc::unavailable, fmt::format("MPS' control refuses '{}': {}", command,
                                               fit(harmless(trim(output->err + " " + output->out)), 200)));
  }
  return output->out;
}

}  // namespace

std::vector<std::int64_t> parse_mps_pids(std::string_view text) {
  std::vector<std::int64_t> pids;
  for (const std::string_view line : lines(text)) {
    const std::string_view first = trim(line).substr(0, trim(line).find_first_of(" \t"));
    const auto pid = parse_i64(first);
    if (pid && *pid > 1) pids.push_back(*pid);
  }
  return pids;
}

Result<void> drain_mps_client(Programs& programs, std::int64_t pid, const std::stop_token& stop) {
  const auto servers = tell(programs, "get_server_list", kList, stop);
  if (!servers) return tl::make_unexpected(servers.error());
  for (const std::int64_t server : parse_mps_pids(*servers)) {
    const auto clients = tell(programs, fmt::format("get_client_list {}", server), kList, stop);
    if (!clients) return tl::make_unexpected(clients.error());
    const auto pids = parse_mps_pids(*clients);
    if (std::ranges::find(pids, pid) == pids.end()) continue;
    const auto done = tell(programs, fmt::format("terminate_client {} {}", server, pid), kTerminate, stop);
    if (!done) return tl::make_unexpected(done.error());
    return {};
  }
  return fail(Errc::not_found, fmt::format("no MPS server has process {} as a client", pid));
}

}  // namespace gpukeeper::reclaim
