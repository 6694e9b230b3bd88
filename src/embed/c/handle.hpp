#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "embed/keeper.hpp"
#include "gpukeeper/gpukeeper.h"

/// What a caller of the C interface holds. It is never freed, only used again for another keeper: a call that comes too
/// late finds that it is closed.
struct gk_keeper {
  enum class State : std::uint8_t { closed, open, closing };

  std::atomic<State> state = State::closed;
  std::atomic<std::uint32_t> calls = 0;  // under way
  std::uint64_t forks = 0;               // of this process' line when it was opened
  bool forking = false;                  // guarded by the lock of all handles
  std::string host;
  std::unique_ptr<gpukeeper::embed::Keeper> keeper;
};

namespace gpukeeper::embed::c {

/// A handle for that keeper, valid until close(). From then on keepers that are open at exit() are closed then.
gk_keeper* make_handle(std::unique_ptr<Keeper> keeper);

/// Ends what waits in it, waits for calls that are under way, and frees the keeper. In a child after fork(): nothing.
void close(gk_keeper& handle);

/// Whether the calling thread is one on which a listener of it is called.
bool is_calling_listener(gk_keeper& handle);

/// Whether it was opened before fork(), and this is the child.
bool is_of_parent(const gk_keeper& handle);

/// A call that is under way: close() waits for it.
class Call {
 public:
  explicit Call(gk_keeper* handle) : handle_(handle) {
    if (!handle) return;
    handle->calls.fetch_add(1);
    entered_ = handle->state.load() == gk_keeper::State::open && !is_of_parent(*handle);
    if (!entered_) leave();
  }
  ~Call() {
    if (entered_) leave();
  }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  explicit operator bool() const { return entered_; }
  Keeper& keeper() const { return *handle_->keeper; }

  /// Why it may not go on.
  gk_result refuse() const;

 private:
  void leave();

  gk_keeper* const handle_;
  bool entered_ = false;
};

}  // namespace gpukeeper::embed::c
