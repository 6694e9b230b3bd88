#pragma once

#include <optional>
#include <string>
#include <utility>

#include "doctor/doctor.hpp"

namespace gpukeeper::doctor {

/// The machine that this process runs on, as this process sees it.
/// Threads: any.
class SystemMachine final : public Machine {
 public:
  /// `path`: as the variable PATH, folders with colons between them.
  explicit SystemMachine(std::string path) : path_(std::move(path)) {}

  std::optional<Node> node(const std::string& path) const override;
  Result<std::string> library(const std::string& name) const override;
  std::optional<std::string> program(const std::string& name) const override;

 private:
  const std::string path_;
};

}  // namespace gpukeeper::doctor
