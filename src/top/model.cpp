#include "top/model.hpp"

#include <algorithm>
#include <utility>

namespace gpukeeper::top {

Model::Model() = default;

void Model::take(News news) {
  const bool fresh = news.snapshot && news.snapshot != news_.snapshot;
  if (std::exchange(jumps_, news.jumps) != news.jumps) trail_.clear();
  news_ = std::move(news);
  if (!fresh) return;
  trail_.add(*news_.snapshot);
  if (!held_) show(news_.snapshot);
}

void Model::show(std::shared_ptr<const Snapshot> snapshot) {
  snapshot_ = std::move(snapshot);
  shown_came_ = news_.came;
  why_.reset();
  gpus_.clear();
  for (const DeviceSnapshot& device : snapshot_->devices) {
    gpus_.push_back({&device, nullptr});
    for (const DeviceSnapshot& partition : device.partitions) gpus_.push_back({&partition, &device});
  }
  processes_ = process_rows(*snapshot_);
}

void Model::look_at(MonotonicTime now, WallTime wall, std::chrono::seconds utc_offset) {
  monotonic_ = now;
  wall_ = wall;
  utc_offset_ = utc_offset;
}

void Model::hold(bool on) {
  held_ = on;
  if (!on && news_.snapshot) show(news_.snapshot);
}

const DiagnosisReport& Model::why() const {
  if (!why_) why_ = std::make_shared<const DiagnosisReport>(diagnose(*snapshot_));
  return *why_;
}

std::chrono::nanoseconds Model::age() const {
  const auto since = std::max(monotonic_ - shown_came_, MonotonicTime::duration::zero());
  if (!news_.here || news_.way == Way::replay) return since;
  return std::max<std::chrono::nanoseconds>(since, wall_ - snapshot_->taken_at);
}

WallTime Model::now() const {
  return news_.here && news_.way != Way::replay ? wall_ : snapshot_->taken_at;
}

const BookedDevice* Model::account_of(const DeviceId& device) const {
  if (!snapshot_->booked) return nullptr;
  const auto& accounts = snapshot_->booked->devices;
  const auto found = std::ranges::find(accounts, device, &BookedDevice::id);
  return found == accounts.end() ? nullptr : &*found;
}

std::vector<const Alert*> Model::alerts() const {
  std::vector<const Alert*> rows;
  for (const Alert& alert : *snapshot_->alerts) {
    if (alert.phase != AlertPhase::resolved) rows.push_back(&alert);
  }
  return rows;
}

std::size_t Model::firing(AlertLevel level) const {
  return static_cast<std::size_t>(std::ranges::count_if(*snapshot_->alerts, [&](const Alert& alert) {
    return alert.phase == AlertPhase::firing && alert.level == level && !alert.silenced;
  }));
}

}  // namespace gpukeeper::top
