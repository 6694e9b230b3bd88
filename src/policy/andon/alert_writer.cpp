#include "policy/andon/alert_writer.hpp"

#include <algorithm>
#include <system_error>
#include <utility>

#include <fmt/format.h>

namespace gpukeeper {

AlertWriter::AlertWriter(std::shared_ptr<AlertStore> store) : store_(std::move(store)) {
  try {
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  } catch (const std::system_error& error) {
    message_ = fmt::format("no thread could be made to save the alerts to {} ({}); they are saved at the end",
                           store_->place(), error.what());
  }
}

AlertWriter::~AlertWriter() {
  if (thread_.joinable()) {
    thread_.request_stop();
    thread_.join();
  }
  static_cast<void>(save_waiting());
}

void AlertWriter::put(AndonMemory memory) {
  {
    std::scoped_lock lock(mutex_);
    waiting_ = std::move(memory);
  }
  changed_.notify_one();
}

std::string AlertWriter::message() const {
  std::scoped_lock lock(mutex_);
  return message_;
}

std::optional<std::chrono::nanoseconds> AlertWriter::save_waiting() {
  std::optional<AndonMemory> taken;
  {
    std::scoped_lock lock(mutex_);
    taken = std::exchange(waiting_, std::nullopt);
  }
  if (!taken) return std::nullopt;
  const auto saved = store_->save(*taken);
  std::scoped_lock lock(mutex_);
  if (saved) {
    failures_ = 0;
    message_.clear();
    return std::nullopt;
  }
  if (!waiting_) waiting_ = std::move(taken);  // else what has come meanwhile is newer
  ++failures_;
  message_ = fmt::format("the alerts cannot be saved to {}: {}; they go on in memory, and are saved when that succeeds",
                         store_->place(), saved.error().message);
  if (saved.error().code == Errc::resource_exhausted) message_ += "; free some space on that disk";
  return std::min<std::chrono::nanoseconds>(kLongestPause, kFirstPause * (1 << std::min(failures_ - 1, 6)));
}

void AlertWriter::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const auto pause = save_waiting();
    std::unique_lock lock(mutex_);
    if (pause) {
      changed_.wait_for(lock, stop, *pause, [] { return false; });
    } else {
      changed_.wait(lock, stop, [&] { return waiting_.has_value(); });
    }
  }
}

}  // namespace gpukeeper
