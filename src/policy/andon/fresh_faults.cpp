#include "policy/andon/fresh_faults.hpp"

#include <algorithm>

namespace gpukeeper {

void FreshFaults::look(const std::shared_ptr<const FaultList>& journal, WallTime now) {
  const WallTime since = now - kFresh;
  if (journal == journal_ && (faults_.empty() || oldest_ > since)) return;
  journal_ = journal;
  faults_.clear();
  if (!journal_) return;
  for (const auto& fault : journal_->records) {
    if (fault->severity == Severity::info || fault->last <= since) continue;
    oldest_ = faults_.empty() ? fault->last : std::min(oldest_, fault->last);
    faults_[fault->device].push_back(fault);
  }
  for (auto& [device, list] : faults_) {
    std::ranges::stable_sort(list, std::greater<>(), [](const auto& fault) { return fault->last; });
  }
}

std::span<const std::shared_ptr<const FaultRecord>> FreshFaults::of(const DeviceId& device) const {
  if (faults_.empty()) return {};
  const auto found = faults_.find(device);
  if (found == faults_.end()) return {};
  return found->second;
}

}  // namespace gpukeeper
