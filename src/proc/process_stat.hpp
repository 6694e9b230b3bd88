#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gpukeeper {

/// The line of /proc/PID/stat, as far as anybody here asks (proc(5), proc_pid_stat(5)).
struct ProcessStat {
  std::int64_t pid = 0;
  std::string name;  ///< comm: at most 15 bytes of anything, blanks, parentheses and line ends too
  char state = '?';
  std::int64_t parent = 0;        ///< 0: of pid 1, of kernel threads, and of one whose parent is outside the namespace
  std::uint32_t terminal = 0;     ///< device number of the controlling terminal; 0 for none
  std::uint64_t flags = 0;        ///< PF_* of the kernel
  std::uint64_t cpu_ticks = 0;    ///< user and system time, of all its threads
  std::uint64_t start_ticks = 0;  ///< after boot; with the pid it names a process for as long as the machine is up
  std::uint64_t resident_pages = 0;
  /// Where its program lies in memory: another one after each exec, as addresses are drawn by lot. The kernel shows it
  /// only to who may trace the process, and else the same to all.
  std::string image;

  bool kernel_thread() const { return (flags & 0x00200000u) != 0; }  // PF_KTHREAD, include/linux/sched.h
};

/// Nothing for a text that is no such line: one that was cut, or anything else.
std::optional<ProcessStat> parse_process_stat(std::string_view text);

/// The name of a terminal from its device number: "pts/3", "tty1", "ttyS0"; "204:64" for a kind without a name here and
/// empty for 0.
std::string terminal_name(std::uint32_t device);

}  // namespace gpukeeper
