#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "core/program.hpp"

namespace gpukeeper {

/// Programs that answer what a test told them, and remember every run.
class FakePrograms final : public Programs {
 public:
  /// What every later run answers.
  void answer(ProgramOutput output) {
    std::scoped_lock lock(mutex_);
    answer_ = [output](const ProgramCall&, const std::stop_token&) -> Result<ProgramOutput> { return output; };
  }
  void answer_with(std::function<Result<ProgramOutput>(const ProgramCall&, const std::stop_token&)> answer) {
    std::scoped_lock lock(mutex_);
    answer_ = std::move(answer);
  }
  void fail(Errc code, std::string message) {
    std::scoped_lock lock(mutex_);
    answer_ = [code, message](const ProgramCall&, const std::stop_token&) -> Result<ProgramOutput> {
      return gpukeeper::fail(code, message);
    };
  }
  /// From now on no program is found.
  void uninstall() {
    std::scoped_lock lock(mutex_);
    installed_ = false;
  }
  /// The command lines since the last call, in order.
  std::vector<std::string> take_runs() {
    std::scoped_lock lock(mutex_);
    return std::exchange(runs_, {});
  }

  Result<std::string> find(std::string_view name, const std::vector<std::string>&) const override {
    std::scoped_lock lock(mutex_);
    if (installed_) return "/usr/bin/" + std::string(name);
    return gpukeeper::fail(Errc::not_found, "the program " + std::string(name) + " was not found in PATH");
  }

  Result<ProgramOutput> run(const ProgramCall& call, std::stop_token stop) override {
    std::function<Result<ProgramOutput>(const ProgramCall&, const std::stop_token&)> answer;
    {
      std::scoped_lock lock(mutex_);
      std::string line = call.path;
      for (const auto& argument : call.arguments) line += " " + argument;
      runs_.push_back(std::move(line));
      answer = answer_;
    }
    return answer(call, stop);
  }

 private:
  mutable std::mutex mutex_;
  bool installed_ = true;
  std::vector<std::string> runs_;
  std::function<Result<ProgramOutput>(const ProgramCall&, const std::stop_token&)> answer_ =
      [](const ProgramCall&, const std::stop_token&) -> Result<ProgramOutput> { return ProgramOutput{}; };
};

}  // namespace gpukeeper
