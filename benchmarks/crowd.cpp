#include "crowd.hpp"

#include <array>
#include <csignal>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace gpukeeper::bench {
namespace {

// Never returns. The end of the pipe is closed when the descriptors are as they shall be.
[[noreturn]] void sleep_with(int descriptors, int pipe) {
  constexpr int kAside = 100;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::prctl(PR_SET_NAME, "crowd");
  ::dup2(pipe, kAside);
  ::close_range(3, kAside - 1, 0);
  ::close_range(kAside + 1, ~0U, 0);
  for (int fd = 3; fd < descriptors; ++fd) ::open("/dev/null", O_RDONLY);
  ::close(kAside);
  for (;;) ::pause();
}

}  // namespace

Crowd::Crowd(int processes, int descriptors) {
  std::array<int, 2> ready{};
  if (::pipe(ready.data()) != 0) return;
  for (int i = 0; i < processes; ++i) {
    const pid_t pid = ::fork();
    if (pid == 0) sleep_with(descriptors, ready[1]);
    if (pid < 0) break;
    pids_.push_back(pid);
  }
  ::close(ready[1]);
  char nothing = 0;
  while (::read(ready[0], &nothing, 1) > 0) {
  }
  ::close(ready[0]);
}

Crowd::~Crowd() {
  for (const pid_t pid : pids_) ::kill(pid, SIGKILL);
  for (const pid_t pid : pids_) ::waitpid(pid, nullptr, 0);
}

}  // namespace gpukeeper::bench
