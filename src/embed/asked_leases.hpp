#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "embed/interrupt.hpp"
#include "embed/keeper.hpp"
#include "embed/leases.hpp"

namespace gpukeeper::embed {

/// Leases of a ledger that is asked in JSON, as docs/api.md has it: a daemon's.
class AskedLeases final : public Leases {
 public:
  /// The last: how long the answer may wait for room.
  using Ask = std::function<Result<Answer>(const Question&, std::chrono::nanoseconds)>;

  AskedLeases(Ask ask, std::shared_ptr<Interrupt> interrupt) : ask_(std::move(ask)), interrupt_(std::move(interrupt)) {}

  Answered<GrantedLease> allocate(const LeaseWishes& wishes) override;
  Answered<void> release(std::uint64_t id) override;
  Answered<void> release_named(const std::string& name, std::uint32_t device) override;
  Answered<void> renew(std::uint64_t id) override;
  Answered<void> resize(std::uint64_t id, Bytes bytes) override;
  Answered<Bytes> available(std::uint32_t device) override;

 private:
  Answered<std::string> say(std::string_view method, const std::string& target, const std::string& body = {},
                            std::chrono::nanoseconds wait = {});
  Answered<GrantedLease> allocate_documented(const LeaseWishes& wishes);
  Answered<GrantedLease> find_named(const std::string& name, std::uint32_t device);

  const Ask ask_;
  const std::shared_ptr<Interrupt> interrupt_;
};

}  // namespace gpukeeper::embed
