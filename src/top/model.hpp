#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "diagnosis/diagnosis.hpp"
#include "format/process_list.hpp"
#include "top/lease_book.hpp"
#include "top/news.hpp"
#include "top/preferences.hpp"
#include "top/trail.hpp"

namespace gpukeeper::top {

/// A GPU or a partition as a row.
struct GpuRow {
  const DeviceSnapshot* device = nullptr;  ///< never null
  const DeviceSnapshot* parent = nullptr;  ///< of a partition
};

/// What is shown: the latest news, and what follows from them. Points into its snapshot.
/// Threads: the view's.
class Model {
 public:
  Model();

  /// Takes what is new. While the picture is held, only what it does not show is taken.
  void take(News news);
  /// The time at which the picture is looked at; by both clocks.
  void look_at(MonotonicTime now, WallTime wall, std::chrono::seconds utc_offset);
  /// Holds the picture still, of what is live, or lets it go on.
  void hold(bool on);
  bool held() const { return held_; }

  const News& news() const { return news_; }
  const Snapshot& snapshot() const { return *snapshot_; }
  bool has_snapshot() const { return news_.snapshot != nullptr; }
  const std::vector<GpuRow>& gpus() const { return gpus_; }
  /// All processes of all GPUs.
  const std::vector<ProcessRow>& processes() const { return processes_; }
  const Trail& trail() const { return trail_; }
  const DiagnosisReport& why() const;
  /// How old the picture is.
  std::chrono::nanoseconds age() const;
  /// The time that it shows, and that its ages count from.
  WallTime now() const;
  std::chrono::seconds utc_offset() const { return utc_offset_; }

  /// What is booked of it; null where nobody says.
  const BookedDevice* account_of(const DeviceId& device) const;
  /// Those that fire, then those that pend; what is over is left out.
  std::vector<const Alert*> alerts() const;
  std::size_t firing(AlertLevel level) const;

 private:
  void show(std::shared_ptr<const Snapshot> snapshot);

  News news_;
  std::shared_ptr<const Snapshot> snapshot_ = std::make_shared<const Snapshot>();  // what is shown
  std::uint64_t jumps_ = 0;
  bool held_ = false;
  std::vector<GpuRow> gpus_;
  std::vector<ProcessRow> processes_;
  Trail trail_;
  mutable std::shared_ptr<const DiagnosisReport> why_;  // null: not asked for yet
  MonotonicTime monotonic_{};
  WallTime wall_{};
  std::chrono::seconds utc_offset_{0};
  MonotonicTime shown_came_{};
};

}  // namespace gpukeeper::top
