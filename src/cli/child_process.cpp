#include "cli/child_process.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <string_view>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include "core/display_text.hpp"
#include "core/files.hpp"

namespace gpukeeper::cli {
namespace {

// SIGTTIN and SIGTTOU are held so that we may hand the terminal over and take it back from the background.
constexpr std::array kHeld = {SIGCHLD, SIGINT,   SIGTERM, SIGHUP,  SIGQUIT, SIGUSR1,
                              SIGUSR2, SIGWINCH, SIGTSTP, SIGCONT, SIGTTIN, SIGTTOU};

bool ends_a_program(int signal) {
  return signal == SIGINT || signal == SIGTERM || signal == SIGHUP || signal == SIGQUIT;
}

// Our environment with these changes: NAME=value, a line each.
std::vector<std::string> environment_of(const ChildCall& call) {
  std::vector<std::string> result;
  const auto changed = [&](std::string_view entry) {
    const auto name = entry.substr(0, entry.find('='));
    return std::ranges::find(call.unset, name) != call.unset.end() ||
           std::ranges::any_of(call.set, [&](const auto& pair) { return pair.first == name; });
  };
  for (char** entry = environ; *entry != nullptr; ++entry) {
    if (!changed(*entry)) result.emplace_back(*entry);
  }
  for (const auto& [name, value] : call.set) result.push_back(name + "=" + value);
  return result;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (std::string& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

// All that a child needs, made before it is born: between fork and exec nothing may be allocated.
struct Preparation {
  std::vector<char*> argv;
  std::vector<char*> environment;
  const sigset_t* mask = nullptr;
  int terminal = -1;  // to be taken at once; -1 for none
  int group = -1;     // its cgroup.procs; -1 for none
  int trouble = -1;   // where errno goes when there is no such program
};

[[noreturn]] void become(const Preparation& prepared) {
  ::setpgid(0, 0);
  if (prepared.terminal >= 0) ::tcsetpgrp(prepared.terminal, ::getpid());
  // Where the group does not take it, it stays in ours.
  if (prepared.group >= 0) static_cast<void>(::write(prepared.group, "0", 1) < 0);
  ::signal(SIGPIPE, SIG_DFL);  // which we ignore
  ::pthread_sigmask(SIG_SETMASK, prepared.mask, nullptr);
  ::execvpe(prepared.argv.front(), prepared.argv.data(), prepared.environment.data());
  const int error = errno;
  static_cast<void>(::write(prepared.trouble, &error, sizeof error) < 0);
  ::_exit(127);
}

// What the child says before it is the command: nothing, or errno.
int read_trouble(int from) {
  int error = 0;
  for (;;) {
    const auto got = ::read(from, &error, sizeof error);
    if (got < 0 && errno == EINTR) continue;
    return got == sizeof error ? error : 0;
  }
}

// At once only where nobody else uses the terminal: who reads our output through a pager, or has us in a script, keeps
// it until the command asks for it.
bool hands_over_at_once(int terminal) {
  return terminal >= 0 && ::isatty(STDIN_FILENO) != 0 && ::isatty(STDOUT_FILENO) != 0 && ::getpgrp() == ::getpid() &&
         ::tcgetpgrp(terminal) == ::getpgrp();
}

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return number_; }
  void close() {
    ::close(number_);
    number_ = -1;
  }

 private:
  int number_;
};

}  // namespace

HeldSignals::HeldSignals() {
  ::pthread_sigmask(SIG_BLOCK, &held(), &before_);
}

HeldSignals::~HeldSignals() {
  // What came meanwhile is dropped: it was for the command.
  const timespec now{};
  while (::sigtimedwait(&held(), nullptr, &now) > 0) {
  }
  ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

const sigset_t& HeldSignals::held() {
  static const sigset_t set = [] {
    sigset_t all;
    ::sigemptyset(&all);
    for (const int signal : kHeld) ::sigaddset(&all, signal);
    return all;
  }();
  return set;
}

ChildProcess::ChildProcess(pid_t pid, int terminal, std::string cgroup)
    : pid_(pid), terminal_(terminal), cgroup_(std::move(cgroup)) {}

ChildProcess::~ChildProcess() {
  take_terminal();
  if (terminal_ >= 0) ::close(terminal_);
}

Result<std::unique_ptr<ChildProcess>> ChildProcess::start(const ChildCall& call, const HeldSignals& signals) {
  auto words = call.words;
  auto environment = environment_of(call);
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return fail(Errc::resource_exhausted, fmt::format("make a pipe: {}", std::strerror(errno)));
  }
  const Descriptor trouble(ends[0]);
  Descriptor trouble_of_child(ends[1]);
  const std::string procs = call.cgroup + "/cgroup.procs";
  const Descriptor group(call.cgroup.empty() ? -1 : ::open(procs.c_str(), O_WRONLY | O_CLOEXEC));
  const int terminal = ::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
  const bool at_once = hands_over_at_once(terminal);
  const Preparation prepared{.argv = pointers(words),
                             .environment = pointers(environment),
                             .mask = &signals.before(),
                             .terminal = at_once ? terminal : -1,
                             .group = group.get(),
                             .trouble = trouble_of_child.get()};
  const pid_t pid = ::fork();
  if (pid == 0) become(prepared);
  if (pid < 0) {
    const int error = errno;
    if (terminal >= 0) ::close(terminal);
    return fail(errc_from_errno(error), fmt::format("start a process: {}", std::strerror(error)));
  }
  trouble_of_child.close();
  ::setpgid(pid, pid);  // by whichever of the two comes first
  std::unique_ptr<ChildProcess> child(new ChildProcess(pid, terminal, group.get() < 0 ? "" : call.cgroup));
  if (at_once) child->give_terminal();
  if (const int error = read_trouble(trouble.get()); error != 0) {
    while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
    }
    return fail(errc_from_errno(error), fmt::format("{}: {}", harmless(call.words.front()), std::strerror(error)));
  }
  return child;
}

std::optional<ChildEnd> ChildProcess::wait_until(const Clock& clock, MonotonicTime until) {
  while (!end_) {
    const auto left = std::max(std::chrono::nanoseconds(until - clock.now()), std::chrono::nanoseconds(0));
    const auto seconds = std::chrono::floor<std::chrono::seconds>(left);
    const timespec timeout{static_cast<std::time_t>(seconds.count()), static_cast<long>((left - seconds).count())};
    const int signal = ::sigtimedwait(&HeldSignals::held(), nullptr, &timeout);
    if (signal > 0) take_signal(signal);
    if (signal < 0 && left == std::chrono::nanoseconds(0)) break;
  }
  return end_;
}

void ChildProcess::take_signal(int signal) {
  if (signal == SIGCHLD) return look();
  if (signal == SIGTTIN || signal == SIGTTOU) return;  // ours: we are in the background
  if (signal == SIGTSTP && paused_) return stopped(signal);
  if (ends_a_program(signal)) {
    asked_to_end_ = true;
    go_on();
  }
  if (signal == SIGCONT && paused_) return;
  ::kill(-pid_, signal);
}

void ChildProcess::look() {
  int status = 0;
  for (;;) {
    const pid_t got = ::waitpid(pid_, &status, WNOHANG | WUNTRACED);
    if (got < 0 && errno == EINTR) continue;
    if (got != pid_) return;
    if (WIFSTOPPED(status)) {
      stopped(WSTOPSIG(status));
      continue;
    }
    const int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    end_ = ChildEnd{.status = signal != 0 ? 128 + signal : WEXITSTATUS(status), .signal = signal};
    take_terminal();
    return;
  }
}

void ChildProcess::stopped(int signal) {
  if (signal == SIGSTOP) return;  // somebody holds it up and will have it go on: us, or a governor
  const bool wants_terminal = signal == SIGTTIN || signal == SIGTTOU;
  if (wants_terminal && in_foreground()) {
    give_terminal();
    ::kill(-pid_, SIGCONT);
    return;
  }
  const bool had = has_terminal_;
  take_terminal();
  sigset_t this_one;
  ::sigemptyset(&this_one);
  ::sigaddset(&this_one, signal);
  // We stop as it did, and go on when the shell says so; at once where no shell could.
  ::raise(signal);
  ::pthread_sigmask(SIG_UNBLOCK, &this_one, nullptr);
  ::pthread_sigmask(SIG_BLOCK, &this_one, nullptr);
  if (paused_) return;
  if ((had || wants_terminal) && in_foreground()) give_terminal();
  ::kill(-pid_, SIGCONT);
}

void ChildProcess::pause() {
  if (paused_ || asked_to_end_ || end_) return;
  paused_ = true;
  // Only where it has the terminal itself, and not a job of its own.
  if (has_terminal_ && ::tcgetpgrp(terminal_) == pid_) take_terminal();
  hold(true);
}

void ChildProcess::go_on() {
  if (!paused_) return;
  paused_ = false;
  if (had_terminal_ && !has_terminal_ && in_foreground()) give_terminal();
  hold(false);
}

// A control group holds all that descends from it; where it has none, its process group is what can be held.
void ChildProcess::hold(bool still) const {
  if (!cgroup_.empty()) {
    const Descriptor freeze(::open((cgroup_ + "/cgroup.freeze").c_str(), O_WRONLY | O_CLOEXEC));
    const bool done = freeze.get() >= 0 && ::write(freeze.get(), still ? "1" : "0", 1) == 1;
    if (done && still) return;
  }
  ::kill(-pid_, still ? SIGSTOP : SIGCONT);
}

bool ChildProcess::in_foreground() const {
  return terminal_ >= 0 && ::tcgetpgrp(terminal_) == ::getpgrp();
}

void ChildProcess::give_terminal() {
  if (::tcsetpgrp(terminal_, pid_) == 0) has_terminal_ = had_terminal_ = true;
}

void ChildProcess::take_terminal() {
  if (has_terminal_) ::tcsetpgrp(terminal_, ::getpgrp());
  has_terminal_ = false;
}

}  // namespace gpukeeper::cli
