#include "proc/pid_namespace.hpp"

#include <string>
#include <string_view>

#include <unistd.h>

#include "proc/process_stat.hpp"

namespace gpukeeper {

bool in_the_hosts_pid_namespace(const Files& files) {
  constexpr std::string_view kHostNamespace = "pid:[4026531836]";  // PROC_PID_INIT_INO of the kernel
  const auto link = files.read_link("/proc/self/ns/pid");
  return !link || *link == kHostNamespace;
}

bool pids_are_the_hosts(const Files& files) {
  if (in_the_hosts_pid_namespace(files)) return true;
  // Our own namespace is another one; but this /proc may be of the host's all the same. There pid 2 is the kernel's
  // thread that makes all others, which no process can feign, as nobody sets PF_KTHREAD.
  const auto second = files.read("/proc/2/stat");
  const auto stat = second ? parse_process_stat(*second) : std::nullopt;
  return stat && stat->name == "kthreadd" && stat->kernel_thread();
}

bool pids_are_our_own(const Files& files) {
  const auto self = files.read_link("/proc/self");
  return self && *self == std::to_string(::getpid());
}

}  // namespace gpukeeper
