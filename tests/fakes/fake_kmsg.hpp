#pragma once

#include <deque>
#include <memory>
#include <string>
#include <utility>

#include "backend/kernel/kmsg.hpp"

namespace gpukeeper {

/// A kernel's log that a test writes. Readers of it share it; each record is read once.
class FakeKmsg {
 public:
  /// A message of the kernel's at that time since boot.
  void write(const std::string& text, double seconds = 1, int priority = 4) {
    put(std::to_string(priority) + "," + std::to_string(sequence++) + "," +
        std::to_string(static_cast<long>(seconds * 1e6)) + ",-;" + text + "\n");
  }
  /// A record as it stands in the file.
  void put(std::string record) { state_->pending.push_back(std::move(record)); }
  void fail(Errc code, std::string message) { state_->pending.push_back(gpukeeper::fail(code, std::move(message))); }

  std::size_t unread() const { return state_->pending.size(); }
  std::unique_ptr<KmsgReader> reader() const { return std::make_unique<Reader>(state_); }

  std::uint64_t sequence = 100;  ///< of the next record

 private:
  struct State {
    std::deque<tl::expected<std::string, Error>> pending;
  };
  class Reader final : public KmsgReader {
   public:
    explicit Reader(std::shared_ptr<State> state) : state_(std::move(state)) {}
    Result<std::optional<std::string>> next() override {
      if (state_->pending.empty()) return std::nullopt;
      auto front = std::move(state_->pending.front());
      state_->pending.pop_front();
      if (!front) return tl::make_unexpected(front.error());
      return std::optional(*std::move(front));
    }

   private:
    const std::shared_ptr<State> state_;
  };
  const std::shared_ptr<State> state_ = std::make_shared<State>();
};

}  // namespace gpukeeper
