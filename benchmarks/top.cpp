#include "top.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include "core/text.hpp"
#include "fakes/temporary_folder.hpp"
#include "figures.hpp"
#include "machine.hpp"

namespace gpukeeper::bench {
namespace {

using namespace std::chrono_literals;
using Steady = std::chrono::steady_clock;

constexpr int kProcesses = 50;
constexpr auto kSettling = 3s;
constexpr auto kTime = 20s;
constexpr int kStarts = 20;

// A program on a terminal of its own, 200 by 50, whose every byte is read.
class OnTerminal {
 public:
  /// `sign`: what its first picture with figures has in it.
  OnTerminal(std::vector<std::string> words, std::string sign, const std::string& folder) : sign_(std::move(sign)) {
    winsize size{.ws_row = 50, .ws_col = 200, .ws_xpixel = 0, .ws_ypixel = 0};
    begin_ = Steady::now();
    pid_ = ::forkpty(&terminal_, nullptr, nullptr, &size);
    if (pid_ == 0) {
      ::setenv("TERM", "xterm-256color", 1);
      ::setenv("LC_ALL", "C.UTF-8", 1);
      ::setenv("XDG_CONFIG_HOME", folder.c_str(), 1);
      std::vector<char*> arguments;
      for (std::string& word : words) arguments.push_back(word.data());
      arguments.push_back(nullptr);
      ::execvp(arguments[0], arguments.data());
      ::_exit(127);
    }
    reader_ = std::jthread([this] { read(); });
  }
  ~OnTerminal() {
    ::kill(pid_, SIGTERM);
    ::waitpid(pid_, nullptr, 0);
    reader_.join();
    ::close(terminal_);
  }
  OnTerminal(const OnTerminal&) = delete;
  OnTerminal& operator=(const OnTerminal&) = delete;

  /// Until its first picture; negative when there was none within 5 s.
  double first_paint_ms() const {
    for (int i = 0; i < 5000 && painted_ == 0; ++i) std::this_thread::sleep_for(1ms);
    return painted_ == 0 ? -1 : static_cast<double>(painted_) / 1e6;
  }
  std::chrono::nanoseconds cpu() const {
    std::ifstream in(fmt::format("/proc/{}/stat", pid_));
    const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    const auto words = split(std::string_view(text).substr(std::min(text.rfind(')') + 2, text.size())), ' ');
    if (words.size() < 13) return {};
    const auto ticks = parse_u64(words[11]).value_or(0) + parse_u64(words[12]).value_or(0);
    return std::chrono::nanoseconds(ticks * 1'000'000'000 / static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK)));
  }
  double resident_mib() const {
    std::ifstream in(fmt::format("/proc/{}/status", pid_));
    for (std::string line; std::getline(in, line);) {
      if (line.starts_with("VmRSS:")) return leading_number(trim(std::string_view(line).substr(6))).value_or(0) / 1024;
    }
    return 0;
  }
  std::uint64_t written() const { return written_; }

 private:
  void read() {
    char buffer[65536];
    std::string begin;  // of the output, until the sign is seen
    for (ssize_t size; (size = ::read(terminal_, buffer, sizeof buffer)) > 0;) {
      written_ += static_cast<std::uint64_t>(size);
      if (painted_ != 0) continue;
      begin.append(buffer, static_cast<std::size_t>(size));
      if (begin.find(sign_) != std::string::npos) painted_ = (Steady::now() - begin_).count();
    }
  }

  const std::string sign_;
  int terminal_ = -1;
  pid_t pid_ = -1;
  Steady::time_point begin_;
  std::atomic<std::int64_t> painted_ = 0;  // ns after the begin
  std::atomic<std::uint64_t> written_ = 0;
  std::jthread reader_;
};

void measure(BusyMachine& machine, std::string_view name, const std::vector<std::string>& command,
             const std::string& sign, bool ours) {
  const TemporaryFolder folder;
  std::vector<double> paints;
  for (int i = 0; i < kStarts; ++i) {
    paints.push_back(OnTerminal(command, sign, folder.path().string()).first_paint_ms());
    if (paints.back() < 0) return fmt::print("  {}: no picture came\n", name);
  }
  std::ranges::sort(paints);
  const auto goal = [&](double at_most) { return ours ? std::optional(at_most) : std::nullopt; };
  figure(fmt::format("{}: first picture with figures, median of {}", name, kStarts), paints[paints.size() / 2], "ms",
         goal(50));
  const OnTerminal program(command, sign, folder.path().string());
  std::this_thread::sleep_for(kSettling);
  machine.nvml().reset_counters();
  const auto cpu = program.cpu();
  const auto written = program.written();
  std::this_thread::sleep_for(kTime);
  const double seconds = std::chrono::duration<double>(kTime).count();
  const auto driver = std::chrono::duration<double>(machine.nvml().total_time_inside()).count();
  const auto spent = std::chrono::duration<double>(program.cpu() - cpu).count();
  figure(fmt::format("{}: CPU above the driver's, share of a core", name), 100 * (spent - driver) / seconds, "%",
         goal(0.5));
  figure(fmt::format("{}: CPU in the (fake) driver", name), 100 * driver / seconds, "%");
  figure(fmt::format("{}: resident memory", name), program.resident_mib(), "MiB", goal(20));
  figure(fmt::format("{}: written to the terminal a second", name),
         static_cast<double>(program.written() - written) / seconds / 1024, "KiB");
}

}  // namespace

void top() {
  heading(fmt::format("The terminal view at 1 Hz, 200x50, 8 GPUs, {} processes, for {} s", kProcesses, kTime.count()));
  BusyMachine machine(kProcesses, BusyMachine::Spread::one_each);
  measure(machine, "gpukeeper top", {GPUKEEPER_BINARY, "top", "--source", BusyMachine::source()}, "live", true);
  // Its own pace is 1 Hz, too.
  if (std::system("command -v nvtop >/dev/null") != 0)
    return fmt::print("  nvtop: not on this machine (Debian has it in contrib)\n");
  ::setenv("LD_LIBRARY_PATH", FakeNvml::library_folder().c_str(), 1);
  measure(machine, "nvtop", {"nvtop"}, "%", false);
  ::unsetenv("LD_LIBRARY_PATH");
}

}  // namespace gpukeeper::bench
