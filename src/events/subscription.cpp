#include "events/subscription.hpp"

#include <utility>

#include <fmt/format.h>

namespace gpukeeper::events {

Subscription::Subscription(EventRing& ring, EventFilter filter, Form form, std::optional<std::uint64_t> after)
    : ring_(ring), filter_(std::move(filter)), form_(form), after_(after) {}

Text Subscription::begin() {
  begun_ = true;
  const bool foreign = after_ && (*after_ < ring_.before() || *after_ > ring_.last());
  at_ = after_.value_or(ring_.before_latest_snapshot());
  if (foreign) at_ = ring_.before();
  if (!foreign) return notice(form_, "begin", fmt::format(R"({{"after":{}}})", at_));
  return notice(form_, "restarted",
                fmt::format(R"({{"after":{},"asked_after":{},"note":"the numbers are of another start of gpukeeper: )"
                            R"(what happened since then and before this start is not known here"}})",
                            at_, *after_));
}

Text Subscription::skipped() {
  const bool exactly = std::exchange(exactly_, true);
  const std::uint64_t count = std::exchange(skipped_, 0);
  return notice(form_, "skipped", fmt::format(R"({{"events":{},"of_the_filter":{},"after":{}}})", count, exactly, at_));
}

Text Subscription::next() {
  if (!begun_) return begin();
  if (at_ + 1 < ring_.first()) {  // of these not even the type is known
    skipped_ += ring_.first() - 1 - at_;
    exactly_ = false;
    at_ = ring_.first() - 1;
  }
  while (at_ < ring_.last()) {
    Event& event = ring_.at(at_ + 1);
    const bool wanted = event.fits(filter_);
    if (wanted && !event.forgotten() && skipped_ > 0) return skipped();
    ++at_;
    if (wanted && event.forgotten()) ++skipped_;
    if (wanted && !event.forgotten()) return event.text(form_, filter_);
  }
  return skipped_ > 0 ? skipped() : nullptr;
}

}  // namespace gpukeeper::events
