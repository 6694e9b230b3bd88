#include "cli/terminal.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <fmt/format.h>

#include "core/text.hpp"

namespace gpukeeper::cli {
namespace {

constexpr std::size_t kNarrowest = 20;   // below that no table means anything
constexpr std::size_t kWidest = 10'000;  // beyond that COLUMNS is a mistake

}  // namespace

Environment system_environment() {
  return [](std::string_view name) -> std::optional<std::string> {
    const char* value = std::getenv(std::string(name).c_str());
    return value != nullptr ? std::optional<std::string>(value) : std::nullopt;
  };
}

Result<bool> FileOutput::write(std::string_view text) {
  while (!text.empty()) {
    const auto written = ::write(descriptor_, text.data(), text.size());
    if (written >= 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
      continue;
    }
    if (errno == EINTR) continue;
    if (errno == EPIPE) return false;
    if (errno == EAGAIN) {  // someone else made the descriptor non-blocking
      pollfd ready{descriptor_, POLLOUT, 0};
      ::poll(&ready, 1, -1);
      continue;
    }
    return fail(Errc::internal, fmt::format("write to {}: {}", name_, std::strerror(errno)));
  }
  return true;
}

Screen look_at_screen(int descriptor, const Environment& environment) {
  Screen screen;
  screen.terminal = ::isatty(descriptor) != 0;
  winsize size{};
  if (screen.terminal && ::ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    screen.width = size.ws_col;
    screen.height = size.ws_row;
  } else if (const auto columns = parse_u64(environment("COLUMNS").value_or(""))) {
    if (*columns > 0 && *columns <= kWidest) screen.width = static_cast<std::size_t>(*columns);
  }
  screen.width = std::max(screen.width, kNarrowest);
  return screen;
}

bool use_colour(ColourChoice choice, bool terminal, const Environment& environment) {
  if (choice != ColourChoice::automatic) return choice == ColourChoice::always;
  return terminal && environment("NO_COLOR").value_or("").empty() && environment("TERM").value_or("dumb") != "dumb";
}

bool is_utf8(const Environment& environment) {
  for (const auto* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const auto value = to_lower(environment(name).value_or(""));
    if (value.empty()) continue;
    return value.find("utf-8") != std::string::npos || value.find("utf8") != std::string::npos;
  }
  return false;
}

std::chrono::seconds local_offset(WallTime time) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm parts{};
  if (::localtime_r(&seconds, &parts) == nullptr) return std::chrono::seconds(0);
  return std::chrono::seconds(parts.tm_gmtoff);
}

}  // namespace gpukeeper::cli
