#pragma once

#include <atomic>
#include <cstdint>

#include "device/backend.hpp"

namespace gpukeeper {

/// A Backend whose n-th call (1 is the first) of list, read or processes fails; all others are passed on. A test that
/// counts n up until failed() stays false has walked every error path.
class FailAfter final : public Backend {
 public:
  FailAfter(Backend& backend, std::uint64_t n, Error error = {Errc::internal, "injected failure"})
      : backend_(backend), n_(n), error_(std::move(error)) {}

  /// Whether the n-th call has come.
  bool failed() const { return calls_ >= n_; }

  std::string_view name() const override { return backend_.name(); }
  Result<std::vector<Device>> list() override {
    if (due()) return tl::make_unexpected(error_);
    return backend_.list();
  }
  Result<Reading> read(const DeviceId& id) override {
    if (due()) return tl::make_unexpected(error_);
    return backend_.read(id);
  }
  Result<std::vector<GpuProcess>> processes(const DeviceId& id) override {
    if (due()) return tl::make_unexpected(error_);
    return backend_.processes(id);
  }
  DriverCost cost() const override { return backend_.cost(); }

 private:
  bool due() { return ++calls_ == n_; }

  Backend& backend_;
  const std::uint64_t n_;
  const Error error_;
  std::atomic<std::uint64_t> calls_ = 0;
};

}  // namespace gpukeeper
