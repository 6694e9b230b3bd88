#pragma once

#include <cstddef>
#include <string>

#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/result.hpp"
#include "yaml/tree.hpp"

namespace gpukeeper::config {

/// A sentence on one key: "temp_throttle: 'hot' is no number".
struct Mistake {
  yaml::Mark mark;  ///< where it stands, when it stands in a file
  std::string text;
};

/// Everything that is wrong, found in one go: who mends a file wants to see it all.
class Mistakes {
 public:
  template <class... Args>
  void say(yaml::Mark mark, fmt::format_string<Args...> format, Args&&... args) {
    found_.push_back({mark, fmt::format(format, std::forward<Args>(args)...)});
  }

  void take_over(Mistakes& others) {
    for (Mistake& each : others.take()) found_.push_back(std::move(each));
  }

  bool empty() const { return found_.empty(); }
  std::size_t size() const { return found_.size(); }
  std::vector<Mistake> take() { return std::exchange(found_, {}); }

 private:
  std::vector<Mistake> found_;
};

/// One error of several sentences: the only one as it is, else a heading and a line each.
Error refusal(const std::vector<std::string>& sentences);

}  // namespace gpukeeper::config
