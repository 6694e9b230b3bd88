#include "push/push_queue.hpp"

#include <utility>

namespace gpukeeper::push {
namespace {

std::size_t bytes_of(const Request& request) {
  return sizeof request + request.body.capacity();
}

}  // namespace

void PushQueue::put(Request request) {
  request.body.shrink_to_fit();
  bytes_ += bytes_of(request);
  waiting_.push_back(std::move(request));
  while (bytes_ > most_ && waiting_.size() > 1) {
    pop();
    ++dropped_;
  }
}

void PushQueue::pop() {
  bytes_ -= bytes_of(waiting_.front());
  waiting_.pop_front();
}

}  // namespace gpukeeper::push
