#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "gpukeeper/error.hpp"
#include "gpukeeper/gpukeeper.h"

namespace gpukeeper {
inline namespace v0 {

/// What is asked of the ledger: so much memory of a GPU.
struct LeaseRequest {
  std::uint64_t bytes = 0;                   ///< guaranteed
  std::uint64_t max_bytes = 0;               ///< with bursts; 0: as guaranteed
  std::string service = {};                  ///< whose it is; empty: "default"
  std::string name = {};                     ///< the program's own name for it, unique on a GPU; empty: none
  std::optional<std::uint32_t> device = {};  ///< the GPU that is preferred; absent: where it fits best
  bool require = false;                      ///< that GPU or none
  bool exclusive = false;                    ///< nobody else on it
  std::int32_t priority = 0;                 ///< greater is served first in the queue
  bool standing = false;                     ///< it outlives this process, and the Lease does not release it
  std::chrono::duration<double> ttl{};       ///< it ends unless it is renewed in time; 0: it does not
  std::chrono::duration<double> wait{};      ///< in the queue where there is no room; 0: not at all
  std::string request_id = {};               ///< the same twice gets the same lease; empty: none
  std::string metadata_json = {};            ///< an object of texts; empty: none
};

/// Booked memory, released when this goes. It keeps its keeper open.
///
/// Threads: a Lease is one owner's; two of them may be used at once.
class Lease {
 public:
  Lease(Lease&& other) noexcept : keeper_(std::move(other.keeper_)), lease_(other.lease_), standing_(other.standing_) {}
  Lease& operator=(Lease&& other) noexcept {
    if (this != &other) {
      end();
      keeper_ = std::move(other.keeper_);
      lease_ = other.lease_;
      standing_ = other.standing_;
    }
    return *this;
  }
  ~Lease() { end(); }

  std::uint64_t id() const { return lease_.id; }  ///< of this ledger, never used again
  std::uint64_t bytes() const { return lease_.bytes; }
  std::uint32_t device() const { return static_cast<std::uint32_t>(lease_.device); }
  bool fell_back() const { return lease_.fell_back != 0; }  ///< not the GPU that was preferred
  std::uint64_t fence() const { return lease_.fence; }      ///< who has a greater one came later

  /// Whether this still holds it: not after release(), detach(), and being moved from. The ledger may have ended it
  /// meanwhile, by its time or an operator; renew() finds that out.
  bool held() const { return keeper_ != nullptr; }

  /// Gives it back now, and says by Error what a destructor cannot. Again does nothing.
  void release() {
    if (const auto keeper = std::exchange(keeper_, nullptr)) throw_if_failed(gk_release(keeper.get(), lease_.id));
  }

  /// Before its time is over. Throws Error GK_NOT_FOUND where it has ended.
  void renew() { throw_if_failed(gk_renew(keeper(), lease_.id)); }

  /// Takes more or gives some back. Throws Error GK_REFUSED where there is no room; then it is as it was.
  void resize(std::uint64_t bytes) {
    throw_if_failed(gk_resize(keeper(), lease_.id, bytes));
    lease_.bytes = bytes;
  }

  /// Leaves it to itself: it ends with this process, or as it was asked for. Answers its id.
  std::uint64_t detach() {
    keeper_ = nullptr;
    return lease_.id;
  }

 private:
  friend class Keeper;
  Lease(std::shared_ptr<gk_keeper> keeper, const gk_lease& lease, bool standing)
      : keeper_(std::move(keeper)), lease_(lease), standing_(standing) {}

  gk_keeper* keeper() const {
    if (!keeper_) throw Error(GK_INVALID, "lease " + std::to_string(lease_.id) + " is not held any more");
    return keeper_.get();
  }
  void end() noexcept {
    if (keeper_ && !standing_) gk_release(keeper_.get(), lease_.id);  // what fails here ends with the process
    keeper_ = nullptr;
  }

  std::shared_ptr<gk_keeper> keeper_;  // null: not held
  gk_lease lease_;
  bool standing_;
};

}  // namespace v0
}  // namespace gpukeeper
