#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string_view>

#include <fmt/format.h>

#include "backend/sysfs/drm_card.hpp"
#include "core/files.hpp"
#include "device/device.hpp"

namespace gpukeeper {

/// The cards of a backend by their ids: what list() found, for read() to go on with. A card that is still the one it
/// was keeps what is remembered of it (the counters of its last reading, the labels of its sensors).
///
/// `Card` is made from (files, DrmCard) and tells with is(DrmCard) whether it is that card.
/// Threads: every member may be called from any thread; a card that was handed out lives on when it is forgotten here.
template <class Card>
class KnownCards {
 public:
  /// `kind` completes the message about an unknown id: "no such Intel GPU is in the list of cards".
  explicit KnownCards(std::string_view kind) : kind_(kind) {}

  void keep(const Files& files, std::span<const DrmCard> cards) {
    std::scoped_lock lock(mutex_);
    std::map<DeviceId, std::shared_ptr<Card>> known;
    for (const DrmCard& card : cards) {
      auto& entry = known[card.id()];
      if (const auto old = cards_.find(card.id()); old != cards_.end() && old->second->is(card)) entry = old->second;
      if (!entry) entry = std::make_shared<Card>(files, card);
    }
    cards_ = std::move(known);
  }

  /// Errors: not_found, naming the operation and the id.
  Result<std::shared_ptr<Card>> find(const DeviceId& id, std::string_view operation) {
    std::scoped_lock lock(mutex_);
    if (const auto found = cards_.find(id); found != cards_.end()) return found->second;
    return fail(Errc::not_found, fmt::format("{} {}: no such {} is in the list of cards; it may have left the bus",
                                             operation, id.text, kind_));
  }

 private:
  const std::string_view kind_;
  std::mutex mutex_;
  std::map<DeviceId, std::shared_ptr<Card>> cards_;  // guarded by mutex_
};

}  // namespace gpukeeper
