#include "embed/c/handle.hpp"

#include <chrono>
#include <cstdlib>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include <pthread.h>

#include "embed/c/last_error.hpp"

namespace gpukeeper::embed::c {
namespace {

using namespace std::chrono_literals;
using State = gk_keeper::State;

constexpr auto kLook = 1ms;           // from look to look of who waits for calls to end
constexpr auto kExitPatience = 1000;  // looks: at exit() a thread of the program may stand still in a call for ever

// Never destroyed: whoever runs at the very end of the process may still ask.
struct Handles {
  std::mutex mutex;
  std::vector<gk_keeper*> all;  // guarded by mutex
  std::atomic<std::uint64_t> forks = 0;
};

Handles& handles() {
  static Handles* const made = new Handles;
  return *made;
}

// Other threads are not there in the child, and may have held the lock.
void before_fork() {
  handles().mutex.lock();
  for (gk_keeper* const handle : handles().all) {
    ++handle->calls;  // it is not closed meanwhile
    const bool open = handle->state == State::open && !is_of_parent(*handle);
    if (open) handle->keeper->before_fork();
    handle->forking = open;
    if (!open) --handle->calls;
  }
}

void after_fork_in_parent() {
  for (gk_keeper* const handle : handles().all) {
    if (!std::exchange(handle->forking, false)) continue;
    handle->keeper->after_fork();
    --handle->calls;
  }
  handles().mutex.unlock();
}

void after_fork_in_child() {
  ++handles().forks;
  handles().mutex.unlock();
}

void survive_forks() {
  ::pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
}

// Whether there are none any more.
bool wait_for_calls(const gk_keeper& handle, int most_looks) {
  for (int looks = 0; handle.calls.load() > 0; ++looks) {
    if (looks == most_looks) return false;
    std::this_thread::sleep_for(kLook);
  }
  return true;
}

// Threads of ours must not run while what they use is destroyed.
void close_all() {
  std::vector<gk_keeper*> open;
  {
    std::scoped_lock lock(handles().mutex);
    open = handles().all;
  }
  for (gk_keeper* const handle : open) {
    State expected = State::open;
    if (is_of_parent(*handle) || !handle->state.compare_exchange_strong(expected, State::closing)) continue;
    handle->keeper->interrupt();
    if (wait_for_calls(*handle, kExitPatience)) handle->keeper.reset();
  }
}

}  // namespace

bool is_of_parent(const gk_keeper& handle) {
  return handle.forks != handles().forks.load(std::memory_order_relaxed);
}

bool is_calling_listener(gk_keeper& handle) {
  const Call call(&handle);
  return call && call.keeper().is_calling_listener();
}

gk_keeper* make_handle(std::unique_ptr<Keeper> keeper) {
  static std::once_flag once;
  std::call_once(once, [] {
    survive_forks();
    std::atexit(close_all);
  });
  std::scoped_lock lock(handles().mutex);
  gk_keeper* handle = nullptr;
  for (gk_keeper* const each : handles().all) {
    if (each->state == State::closed && each->calls == 0 && !each->keeper) handle = each;
  }
  if (!handle) {
    handle = handles().all.emplace_back(new gk_keeper);
  }
  handle->host = keeper->host();
  handle->keeper = std::move(keeper);
  handle->forks = handles().forks;
  handle->state = State::open;
  return handle;
}

void close(gk_keeper& handle) {
  if (is_of_parent(handle)) return;
  State expected = State::open;
  if (!handle.state.compare_exchange_strong(expected, State::closing)) return;
  handle.keeper->interrupt();
  static_cast<void>(wait_for_calls(handle, -1));
  handle.keeper.reset();
  handle.state = State::closed;
}

gk_result Call::refuse() const {
  if (!handle_) return fail_with(GK_INVALID, "keeper is NULL: give one that gk_open() made");
  if (is_of_parent(*handle_)) {
    return fail_with(GK_FORKED,
                     "this keeper was opened before fork(), and its threads are the parent's: open another "
                     "in the child");
  }
  return fail_with(GK_INVALID, "this keeper is closed");
}

void Call::leave() {
  handle_->calls.fetch_sub(1);
}

}  // namespace gpukeeper::embed::c
