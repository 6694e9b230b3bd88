#pragma once

#include <cstdint>
#include <cstdio>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "gpukeeper/error.hpp"
#include "gpukeeper/gpukeeper.h"

namespace gpukeeper {
inline namespace v0 {

/// Something that happened. Valid while the handler runs.
struct Event {
  std::uint64_t sequence = 0;
  std::string_view type = {};                ///< "throttle", "alert.fired", … (docs/embedding.md)
  std::optional<std::uint32_t> device = {};  ///< absent where it is of none
  std::string_view json = {};                ///< all of it
};

/// Gets events until it goes; then its handler is not running and never called again. It keeps its keeper open.
///
/// The handler runs on a thread of the keeper's, one event after another. What it is slow to take is dropped, and the
/// next event says so. It may do everything, end its own subscription too, but it must not be the last that keeps the
/// keeper open. What it throws is said on standard error.
class Subscription {
 public:
  using Handler = std::function<void(const Event&)>;

  Subscription(Subscription&& other) noexcept
      : keeper_(std::move(other.keeper_)), number_(other.number_), handler_(std::move(other.handler_)) {}
  Subscription& operator=(Subscription&& other) noexcept {
    if (this != &other) {
      end();
      keeper_ = std::move(other.keeper_);
      number_ = other.number_;
      handler_ = std::move(other.handler_);
    }
    return *this;
  }
  ~Subscription() { end(); }

  void end() noexcept {
    if (const auto keeper = std::exchange(keeper_, nullptr)) gk_unsubscribe(keeper.get(), number_);
    handler_ = nullptr;
  }

 private:
  friend class Keeper;
  using Shared = std::shared_ptr<const Handler>;

  /// `types`: which, with commas between; empty for all.
  Subscription(std::shared_ptr<gk_keeper> keeper, const std::string& types, Handler handler)
      : keeper_(std::move(keeper)),
        handler_(std::make_unique<Shared>(std::make_shared<const Handler>(std::move(handler)))) {
    const auto result =
        gk_subscribe(keeper_.get(), types.empty() ? nullptr : types.c_str(), &call, handler_.get(), &number_);
    if (result != GK_OK) keeper_ = nullptr;  // there is nothing to end
    throw_if_failed(result);
  }

  static void call(const gk_event* event, void* user) noexcept {
    const Shared handler = *static_cast<Shared*>(user);  // it may end its own subscription
    try {
      (*handler)({.sequence = event->sequence,
                  .type = event->type,
                  .device = event->device < 0 ? std::nullopt : std::optional(static_cast<std::uint32_t>(event->device)),
                  .json = event->json});
    } catch (const std::exception& e) {
      std::fprintf(stderr, "gpukeeper: a handler of the event %s threw: %s\n", event->type, e.what());
    } catch (...) {
      std::fprintf(stderr, "gpukeeper: a handler of the event %s threw\n", event->type);
    }
  }

  std::shared_ptr<gk_keeper> keeper_;  // null: ended
  std::uint64_t number_ = 0;
  std::unique_ptr<Shared> handler_;
};

}  // namespace v0
}  // namespace gpukeeper
