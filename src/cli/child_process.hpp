#pragma once

#include <csignal>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <sys/types.h>

#include "core/clock.hpp"
#include "core/result.hpp"

// A command that runs in our place, as a shell runs one: it gets the terminal, the signals are its own, and when it is
// stopped so are we.
namespace gpukeeper::cli {

/// Keeps the signals that end, stop or tell a program for a child that is to get them. They are blocked while this
/// lives. Threads: make it before any thread that lives as long, for threads inherit the block.
class HeldSignals {
 public:
  HeldSignals();
  ~HeldSignals();
  HeldSignals(const HeldSignals&) = delete;
  HeldSignals& operator=(const HeldSignals&) = delete;

  /// What was blocked before: a child's mask.
  const sigset_t& before() const { return before_; }
  static const sigset_t& held();

 private:
  sigset_t before_;
};

/// What to run.
struct ChildCall {
  std::vector<std::string> words;  ///< the program, looked for in PATH as a shell does, and its arguments
  std::vector<std::pair<std::string, std::string>> set = {};  ///< variables above those of our environment
  std::vector<std::string> unset = {};                        ///< variables that it shall not inherit
  std::string cgroup = {};  ///< the folder of a control group in which it starts; empty for ours
};

/// How it ended.
struct ChildEnd {
  int status = 0;  ///< as a shell counts: 128 and the signal's number for one that a signal ended
  int signal = 0;  ///< that ended it; 0 for none
  friend bool operator==(const ChildEnd&, const ChildEnd&) = default;
};

/// A command in a process group of its own.
///
/// It has the terminal while we would have it: at once where we lead the foreground's group and both standard input and
/// output are the terminal (then nobody else reads there), else as soon as it wants it. What a user types then, Ctrl-C
/// and Ctrl-Z, reaches it and not us. When Ctrl-Z stops it, we take the terminal back and stop as well, so that the
/// shell goes on; `fg` continues both. Signals that we get are passed on to its group.
///
/// Threads: one.
class ChildProcess {
 public:
  /// Starts it. `signals` must outlive it.
  /// Errors: not_found when there is no such program, not_permitted when it may not be run, others as the kernel says.
  static Result<std::unique_ptr<ChildProcess>> start(const ChildCall& call, const HeldSignals& signals);

  /// Takes the terminal back. A command that still runs is left alone.
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  /// Its pid, and the number of its process group.
  pid_t pid() const { return pid_; }

  /// Passes on signals until it has ended, or until that time: then nothing.
  std::optional<ChildEnd> wait_until(const Clock& clock, MonotonicTime until);

  /// Has it stand still, and go on. While it stands still the terminal is ours: Ctrl-C reaches us, has it go on and is
  /// passed on, so that it can end. Once it was asked to end it is not held up any more.
  void pause();
  void go_on();
  bool paused() const { return paused_; }

  /// Whether it had the terminal at some time: then who typed Ctrl-C meant it alone.
  bool had_terminal() const { return had_terminal_; }

 private:
  ChildProcess(pid_t pid, int terminal, std::string cgroup);
  void take_signal(int signal);
  void look();
  void stopped(int signal);
  bool in_foreground() const;
  void give_terminal();
  void take_terminal();
  void hold(bool still) const;

  const pid_t pid_;
  const int terminal_;  // a descriptor of the controlling terminal; -1 where there is none
  const std::string cgroup_;
  bool has_terminal_ = false;
  bool had_terminal_ = false;
  bool paused_ = false;
  bool asked_to_end_ = false;
  std::optional<ChildEnd> end_;
};

}  // namespace gpukeeper::cli
