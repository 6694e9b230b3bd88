#include "core/program.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include "core/files.hpp"
#include "core/text.hpp"

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;
// A deadline on another program is kept by the kernel's poll, so it is the kernel's clock and not an injected one.
using KernelClock = std::chrono::steady_clock;

constexpr auto kPatienceAfterKill = 500ms;
constexpr auto kStopCheck = 100ms;    // how late a stop request may be noticed
constexpr auto kNoPidfdCheck = 10ms;  // where the kernel has no pidfd_open (before Linux 5.3, some sandboxes)

class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  ~Descriptor() { close(); }
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  int get() const { return fd_; }
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

 private:
  int fd_;
};

struct Pipe {
  Descriptor read_end;
  Descriptor write_end;
};

std::optional<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return std::nullopt;
  ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
  return Pipe{Descriptor(ends[0]), Descriptor(ends[1])};
}

// A file of this text, in memory: unlike a pipe it holds any amount, and a program that never reads it harms nobody.
// -1 with errno where the kernel has no memory for it.
Descriptor file_of(const std::string& text) {
  Descriptor file(::memfd_create("input", MFD_CLOEXEC));
  for (std::size_t done = 0; file.get() >= 0 && done < text.size();) {
    const auto written = ::write(file.get(), text.data() + done, text.size() - done);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return Descriptor();
    done += static_cast<std::size_t>(written);
  }
  if (file.get() >= 0) ::lseek(file.get(), 0, SEEK_SET);
  return file;
}

// Reads what is there. False when there will be no more.
bool drain(const Descriptor& from, std::string& into, std::size_t limit) {
  std::array<char, 16384> buffer{};
  while (into.size() <= limit) {
    const auto got = ::read(from.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno == EAGAIN;
    if (got == 0) return false;
    into.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return true;
}

bool reap(pid_t pid, int& status) {
  for (;;) {
    const pid_t got = ::waitpid(pid, &status, WNOHANG);
    if (got < 0 && errno == EINTR) continue;
    return got == pid || (got < 0 && errno == ECHILD);
  }
}

// Kills the whole process group. False when the program does not end even so: it hangs inside the kernel.
bool kill_and_reap(pid_t pid, const Descriptor& pidfd) {
  ::kill(-pid, SIGKILL);
  int status = 0;
  const auto until = KernelClock::now() + kPatienceAfterKill;
  while (!reap(pid, status)) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - KernelClock::now());
    if (left <= 0ms) return false;
    pollfd end{pidfd.get(), POLLIN, 0};
    ::poll(
        &end, 1,
        static_cast<int>((pidfd.get() < 0 ? std::min<std::chrono::milliseconds>(left, kNoPidfdCheck) : left).count()));
  }
  return true;
}

// Starts the program in a process group of its own, with default signals. 0, or an errno.
int spawn(const ProgramCall& call, const Descriptor& input, const Pipe& out, const Pipe& err, pid_t& pid) {
  std::vector<char*> argv;
  std::string path = call.path;
  std::vector<std::string> arguments = call.arguments;
  argv.push_back(path.data());
  for (auto& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);

  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&files);
  ::posix_spawnattr_init(&attributes);
  if (input.get() >= 0) {
    ::posix_spawn_file_actions_adddup2(&files, input.get(), STDIN_FILENO);
  } else {
    ::posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  }
  ::posix_spawn_file_actions_adddup2(&files, out.write_end.get(), STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&files, err.write_end.get(), STDERR_FILENO);
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setsigdefault(&attributes, &all);
  ::posix_spawnattr_setpgroup(&attributes, 0);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  const int error = ::posix_spawn(&pid, path.c_str(), &files, &attributes, argv.data(), environ);
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&files);
  return error;
}

std::string command_line(const ProgramCall& call) {
  std::string line = call.path.substr(call.path.rfind('/') + 1);
  for (const auto& argument : call.arguments) line += " " + argument;
  return line;
}

std::string in_words(std::chrono::milliseconds time) {
  return time % 1s == 0ms ? fmt::format("{} s", time / 1s) : fmt::format("{} ms", time.count());
}

// 0, or why it cannot be run.
int executable(const std::string& path) {
  struct stat about {};
  if (::stat(path.c_str(), &about) != 0 || ::access(path.c_str(), X_OK) != 0) return errno;
  return S_ISREG(about.st_mode) ? 0 : EACCES;
}

}  // namespace

Result<std::string> RealPrograms::find(std::string_view name, const std::vector<std::string>& also_in) const {
  if (name.find('/') != std::string_view::npos) {
    const std::string path(name);
    const int error = executable(path);
    if (error == 0) return path;
    return fail(errc_from_errno(error), fmt::format("run {}: {}", path, std::strerror(error)));
  }
  const char* const path_variable = std::getenv("PATH");  // NOLINT(concurrency-mt-unsafe): nothing here sets it
  const std::string folders = path_variable != nullptr ? path_variable : "/usr/local/bin:/usr/bin:/bin";
  std::string looked = "PATH";
  for (const auto folder : split(folders, ':')) {
    if (folder.empty()) continue;
    const auto path = fmt::format("{}/{}", folder, name);
    if (executable(path) == 0) return path;
  }
  for (const auto& folder : also_in) {
    const auto path = fmt::format("{}/{}", folder, name);
    if (executable(path) == 0) return path;
    looked += " and " + folder;
  }
  return fail(Errc::not_found, fmt::format("the program {} was not found in {}", name, looked));
}

Result<ProgramOutput> RealPrograms::run(const ProgramCall& call, std::stop_token stop) {
  {
    std::scoped_lock lock(mutex_);
    int status = 0;
    std::erase_if(hanging_, [&status](const Hanging& one) { return reap(one.pid, status); });
    for (const auto& one : hanging_) {
      if (one.path != call.path) continue;
      return fail(Errc::unavailable, fmt::format("{} was killed but still hangs in the kernel (process {}): the driver "
                                                 "does not answer",
                                                 command_line(call), one.pid));
    }
  }

  auto out = make_pipe();
  auto err = make_pipe();
  if (!out || !err)
    return fail(Errc::resource_exhausted, fmt::format("run {}: make a pipe: {}", call.path, std::strerror(errno)));
  Descriptor input;
  if (!call.input.empty()) {
    input = file_of(call.input);
    if (input.get() < 0) {
      return fail(Errc::resource_exhausted,
                  fmt::format("run {}: keep its input in memory: {}", call.path, std::strerror(errno)));
    }
  }
  pid_t pid = 0;
  if (const int error = spawn(call, input, *out, *err, pid); error != 0) {
    return fail(errc_from_errno(error), fmt::format("run {}: {}", call.path, std::strerror(error)));
  }
  out->write_end.close();
  err->write_end.close();
  const Descriptor pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));

  ProgramOutput output;
  const auto give_up = [&](Errc code, std::string why) {
    if (!kill_and_reap(pid, pidfd)) {
      std::scoped_lock lock(mutex_);
      hanging_.push_back({call.path, pid});
    }
    return fail(code, fmt::format("{} {}", command_line(call), why));
  };

  const auto until = KernelClock::now() + call.deadline;
  int status = 0;
  for (;;) {
    const bool ended = reap(pid, status);
    if (out->read_end.get() >= 0 && !drain(out->read_end, output.out, call.output_limit)) out->read_end.close();
    if (err->read_end.get() >= 0 && !drain(err->read_end, output.err, call.output_limit)) err->read_end.close();
    if (output.out.size() > call.output_limit || output.err.size() > call.output_limit) {
      const auto why = fmt::format("printed more than {} bytes and was killed", call.output_limit);
      // Reaped already: its number may be another's by now, so nothing is killed.
      if (ended) return fail(Errc::resource_exhausted, fmt::format("{} {}", command_line(call), why));
      return give_up(Errc::resource_exhausted, why);
    }
    if (ended) break;  // what a child of its own may still print is not waited for
    if (stop.stop_requested()) return give_up(Errc::unavailable, "was stopped");
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - KernelClock::now());
    if (left <= 0ms)
      return give_up(Errc::deadline_exceeded,
                     fmt::format("did not end within {} and was killed", in_words(call.deadline)));
    std::array<pollfd, 3> ends{
        {{out->read_end.get(), POLLIN, 0}, {err->read_end.get(), POLLIN, 0}, {pidfd.get(), POLLIN, 0}}};
    const auto pause = std::min<std::chrono::milliseconds>(left, pidfd.get() < 0 ? kNoPidfdCheck : kStopCheck);
    ::poll(ends.data(), ends.size(), static_cast<int>(pause.count()));
  }
  output.exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return output;
}

}  // namespace gpukeeper
