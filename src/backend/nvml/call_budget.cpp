#include "backend/nvml/call_budget.hpp"

#include <algorithm>
#include <chrono>

namespace gpukeeper::nvml {
namespace {

constexpr double kBurst = 1.5;        // seconds' worth of room that may gather
constexpr double kDebtPayment = 1.0;  // calls a second

}  // namespace

void CallBudget::borrow(int calls) {
  std::scoped_lock lock(mutex_);
  debt_ += calls;
}

void CallBudget::begin(MonotonicTime now) {
  std::scoped_lock lock(mutex_);
  debt_ += std::max(0.0, spent_.exchange(0, std::memory_order_relaxed) - rate_);
  room_ = 0;
  at_ = now;
}

bool CallBudget::has_room(MonotonicTime now) {
  std::scoped_lock lock(mutex_);
  if (now > at_) {
    const double seconds = std::chrono::duration<double>(now - at_).count();
    at_ = now;
    const double payment = std::min(debt_, seconds * kDebtPayment);
    debt_ -= payment;
    room_ = std::min(room_ + seconds * rate_ - payment, rate_ * kBurst);
  }
  room_ -= spent_.exchange(0, std::memory_order_relaxed);
  return room_ >= 1;
}

}  // namespace gpukeeper::nvml
