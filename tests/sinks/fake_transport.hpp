#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "sinks/transport.hpp"

namespace gpukeeper {

/// Answers what a test told it, and remembers what was sent.
class FakeTransport final : public Transport {
 public:
  void answer(int status, std::string body = "") {
    const std::scoped_lock lock(mutex_);
    answer_ = HttpAnswer{status, std::move(body)};
  }
  /// Of every answer from here on, until another is told.
  void ask_to_wait(std::chrono::seconds time) {
    const std::scoped_lock lock(mutex_);
    if (answer_) answer_->retry_after = time;
  }
  void fail(Errc code, std::string message) {
    const std::scoped_lock lock(mutex_);
    answer_ = gpukeeper::fail(code, std::move(message));
  }
  /// Called before each answer: time that passes, say.
  void before_answers(std::function<void()> act) {
    const std::scoped_lock lock(mutex_);
    before_ = std::move(act);
  }
  std::vector<HttpPost> take_posts() {
    const std::scoped_lock lock(mutex_);
    return std::exchange(posts_, {});
  }
  std::vector<MailPost> take_mails() {
    const std::scoped_lock lock(mutex_);
    return std::exchange(mails_, {});
  }

  Result<HttpAnswer> post(const HttpPost& post, const std::stop_token&) override {
    const std::scoped_lock lock(mutex_);
    if (before_) before_();
    posts_.push_back(post);
    return answer_;
  }
  Result<void> mail(const MailPost& post, const std::stop_token&) override {
    const std::scoped_lock lock(mutex_);
    mails_.push_back(post);
    if (!answer_) return tl::make_unexpected(answer_.error());
    return {};
  }

 private:
  std::mutex mutex_;
  std::function<void()> before_;
  Result<HttpAnswer> answer_ = HttpAnswer{200, "ok"};
  std::vector<HttpPost> posts_;
  std::vector<MailPost> mails_;
};

}  // namespace gpukeeper
