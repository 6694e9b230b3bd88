#pragma once

#include <functional>
#include <string>
#include <vector>

#include "sinks/transport.hpp"

namespace gpukeeper {

/// A server that answers what a test told it, and remembers what it was asked.
class FakeTransport final : public Transport {
 public:
  Result<HttpAnswer> post(const HttpPost& post, const std::stop_token&) override {
    asked.push_back((post.reads_only ? "GET " : "POST ") + post.url + (post.body.empty() ? "" : " " + post.body));
    posts.push_back(post);
    return answer(post);
  }
  Result<void> mail(const MailPost&, const std::stop_token&) override { return fail(Errc::internal, "no mail here"); }

  std::function<Result<HttpAnswer>(const HttpPost&)> answer = [](const HttpPost&) { return HttpAnswer{200, ""}; };
  std::vector<std::string> asked;
  std::vector<HttpPost> posts;
};

}  // namespace gpukeeper
