#pragma once

#include <functional>
#include <memory>

#include "core/clock.hpp"
#include "desk/own_book.hpp"
#include "embed/interrupt.hpp"
#include "embed/leases.hpp"
#include "ledger/lease.hpp"

namespace gpukeeper::embed {

/// Leases of a book in this process: what a client of the daemon says in JSON is said to the book itself.
class OwnLeases final : public Leases {
 public:
  using Look = std::function<Result<std::shared_ptr<const Snapshot>>()>;

  /// `book` outlives this. `look`: what the drivers say, no older than a second.
  OwnLeases(desk::OwnBook& book, Look look, std::shared_ptr<Interrupt> interrupt);

  Answered<GrantedLease> allocate(const LeaseWishes& wishes) override;
  Answered<void> release(std::uint64_t id) override;
  Answered<void> release_named(const std::string& name, std::uint32_t device) override;
  Answered<void> renew(std::uint64_t id) override;
  Answered<void> resize(std::uint64_t id, Bytes bytes) override;
  Answered<Bytes> available(std::uint32_t device) override;

 private:
  Answered<GrantedLease> try_to_allocate(const LeaseRequest& request, std::optional<std::uint32_t> device,
                                         bool& may_come);
  template <class T, class Work>
  Answered<T> with_book(const Work& work);

  desk::OwnBook& book_;
  const Look look_;
  const std::shared_ptr<Interrupt> interrupt_;
  const std::uint32_t uid_;
  const ProcessOwner self_;
  SystemClock clock_;
};

}  // namespace gpukeeper::embed
