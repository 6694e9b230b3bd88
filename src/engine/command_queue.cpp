#include "engine/command_queue.hpp"

#include <exception>
#include <utility>

namespace gpukeeper {

bool CommandQueue::post(Command command) {
  std::scoped_lock lock(mutex_);
  if (waiting_.size() >= kMost) return false;
  waiting_.push_back(std::move(command));
  return true;
}

void CommandQueue::run() {
  std::vector<Command> commands;
  {
    std::scoped_lock lock(mutex_);
    commands.swap(waiting_);
  }
  for (const Command& command : commands) {
    try {
      command();
    } catch (const std::exception&) {
      continue;  // see the header
    }
  }
}

}  // namespace gpukeeper
