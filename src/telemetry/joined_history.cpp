#include "telemetry/joined_history.hpp"

#include <utility>

namespace gpukeeper {
namespace {

struct Piece {
  std::size_t metric;
  WallTime at;
  HistoryBucket bucket;
};

}  // namespace

Result<void> JoinedHistory::read(const Query& query, const Take& take) const {
  const auto begin = near_->oldest();
  if (!begin || *begin >= query.to) return far_->read(query, take);
  std::vector<Piece> pieces;  // where it breaks off in the middle, the other tells all of it
  const auto well = near_->read(query, [&](std::size_t metric, WallTime at, const HistoryBucket& bucket) {
    pieces.push_back({metric, at, bucket});
  });
  if (!well) return far_->read(query, take);
  Result<void> before;
  if (query.from < *begin) {
    Query earlier = query;
    earlier.to = *begin;
    before = far_->read(earlier, take);
  }
  for (const Piece& piece : pieces) take(piece.metric, piece.at, piece.bucket);
  return before;
}

std::optional<WallTime> JoinedHistory::oldest() const {
  const auto near = near_->oldest();
  const auto far = far_->oldest();
  return near && far ? std::min(*near, *far) : near ? near : far;
}

}  // namespace gpukeeper
