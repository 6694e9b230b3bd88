#include "embed/subscriptions.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace gpukeeper::embed {

std::uint64_t Subscriptions::add(ListenerThread::Body body, Listener listener) {
  const Threads over = take_those_that_left();  // waited for without the lock
  std::scoped_lock lock(mutex_);
  all_[++last_] = std::make_shared<ListenerThread>(std::move(body), std::move(listener));
  return last_;
}

Result<void> Subscriptions::end(std::uint64_t number) {
  std::shared_ptr<ListenerThread> ended;  // waited for without the lock, where it goes
  std::scoped_lock lock(mutex_);
  const auto found = all_.find(number);
  if (found == all_.end()) return fail(Errc::not_found, fmt::format("there is no subscription {}", number));
  ended = std::move(found->second);
  all_.erase(found);
  ended->ask_to_stop();
  if (ended->is_this()) leaving_.push_back(std::move(ended));
  return {};
}

void Subscriptions::end_all() {
  Threads all = take_those_that_left();
  std::scoped_lock lock(mutex_);
  for (auto& [number, thread] : all_) {
    thread->ask_to_stop();
    all.push_back(std::move(thread));
  }
  all_.clear();
}

bool Subscriptions::is_one_of_ours() const {
  std::scoped_lock lock(mutex_);
  const auto is_this = [](const auto& thread) { return thread->is_this(); };
  return std::ranges::any_of(all_, is_this, [](const auto& each) { return each.second; }) ||
         std::ranges::any_of(leaving_, is_this);
}

Subscriptions::Threads Subscriptions::take_those_that_left() {
  Threads over;
  std::scoped_lock lock(mutex_);
  for (auto& thread : leaving_) {
    if (!thread->is_this()) over.push_back(std::move(thread));
  }
  std::erase(leaving_, nullptr);
  return over;
}

}  // namespace gpukeeper::embed
