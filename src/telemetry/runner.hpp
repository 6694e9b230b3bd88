#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <span>
#include <thread>
#include <utility>

namespace gpukeeper {

/// A piece of work that may hang in a driver.
class Task {
 public:
  virtual ~Task() = default;

  /// Called once a start, on some thread. What it writes may be read by others once done() is true.
  virtual void run() = 0;

  /// Whether the last start has ended.
  bool done() const { return done_.load(std::memory_order_acquire); }

  /// How long the one who starts it is willing to wait, counted from when it began to run.
  std::chrono::nanoseconds patience{0};

 private:
  friend class Runner;
  std::atomic<bool> done_{true};
};

/// Runs tasks beside each other, so that one which hangs delays no other. An interface so that tests decide which
/// hangs.
class Runner {
 public:
  virtual ~Runner() = default;

  /// Starts every task and returns when each has ended or has run out of patience. One that goes on keeps running; its
  /// done() tells later. Tasks must not be in flight already.
  virtual void run(std::span<const std::shared_ptr<Task>> tasks) = 0;

  /// Lets those that go on end, where what they waited for has come meanwhile. For a runner over time that stands still
  /// while work is done; where time runs by itself there is nothing to do.
  virtual void settle() {}

 protected:
  static void begin(Task& task) { task.done_.store(false, std::memory_order_release); }
  static void execute(Task& task) {
    task.run();
    task.done_.store(true, std::memory_order_release);
  }
};

/// Runner over as few threads as the drivers allow.
///
/// A thread a device would wake all of them for every tick: eight wake-ups where the drivers need some microseconds in
/// all. So one collector thread takes the tasks in turn. Only when it makes no progress for kHedge is another one woken
/// (or made) to go on with the rest, and so on: a hung driver call costs the others at most that time once, and holds
/// one thread.
///
/// Where no thread can be made (a container's limit of processes), those that there are do all the work; without any,
/// run() does it itself, and then a call that hangs does hold it up.
///
/// The destructor joins the threads that are idle. One that hangs in a driver cannot be joined and is let go; the tasks
/// it runs, and what they own, live on until it returns.
class ThreadRunner final : public Runner {
 public:
  /// Makes a thread that runs a function; throws std::system_error when the machine gives no more of them.
  using MakeThread = std::function<std::thread(std::function<void()>)>;

  ThreadRunner() : ThreadRunner([](std::function<void()> body) { return std::thread(std::move(body)); }) {}
  explicit ThreadRunner(MakeThread make_thread);
  ~ThreadRunner() override;
  ThreadRunner(const ThreadRunner&) = delete;
  ThreadRunner& operator=(const ThreadRunner&) = delete;

  void run(std::span<const std::shared_ptr<Task>> tasks) override;

  /// Threads made so far that have not been let go; for tests and for the program's own figures.
  std::size_t threads() const;

  /// Long enough that a healthy call (NVML: 2 to 150 µs, monitoring research 7a) ends within it.
  static constexpr std::chrono::microseconds kHedge{200};

 private:
  struct State;
  void add_collector(State& state);

  const MakeThread make_thread_;
  std::shared_ptr<State> state_;
};

}  // namespace gpukeeper
