#pragma once

#include <memory>

#include "telemetry/older_history.hpp"

namespace gpukeeper {

/// What lies further back, out of two places: out of the one that is near, and where that keeps nothing, cannot be read
/// or does not reach as far back, out of another.
///
/// Threads: as the two.
class JoinedHistory final : public OlderHistory {
 public:
  /// Neither is null.
  JoinedHistory(std::shared_ptr<const OlderHistory> near, std::shared_ptr<const OlderHistory> far)
      : near_(std::move(near)), far_(std::move(far)) {}

  /// Errors: those of the one that was to tell.
  Result<void> read(const Query& query, const Take& take) const override;
  std::optional<WallTime> oldest() const override;

 private:
  const std::shared_ptr<const OlderHistory> near_;
  const std::shared_ptr<const OlderHistory> far_;
};

}  // namespace gpukeeper
