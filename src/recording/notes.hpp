#pragma once

#include <set>
#include <string>
#include <vector>

namespace gpukeeper::recording {

/// What was left out of a recording while it was read. Each thing counts once, however often it stands there.
class Notes {
 public:
  void unknown_metric(std::string name) { add(unknown_, std::move(name)); }
  void wrong_value(std::string name) { add(wrong_, std::move(name)); }
  /// A sentence.
  void say(std::string sentence);

  /// Sentences, for the operator.
  std::vector<std::string> sentences() const;

 private:
  static constexpr std::size_t kAtMost = 100;  // a hostile file could name a new one in each line
  static void add(std::set<std::string>& names, std::string name) {
    if (names.size() < kAtMost) names.insert(std::move(name));
  }

  std::set<std::string> unknown_;
  std::set<std::string> wrong_;
  std::vector<std::string> said_;
};

}  // namespace gpukeeper::recording
