#include "core/machine_name.hpp"

#include <array>
#include <cstdlib>

#include <unistd.h>

#include "core/text.hpp"

namespace gpukeeper {
namespace {

std::string own_name() {
  std::array<char, 256> name{};  // POSIX: at most 255 bytes
  if (::gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0') return "localhost";
  return name.data();
}

}  // namespace

std::string machine_name(const std::function<std::optional<std::string>(std::string_view)>& environment) {
  const auto said = [&](std::string_view name) { return std::string(trim(environment(name).value_or(""))); };
  if (auto name = said("GPUKEEPER_HOSTNAME"); !name.empty()) return name;
  // The kubelet sets this one in every container.
  if (!said("KUBERNETES_SERVICE_HOST").empty()) {
    if (auto name = said("NODE_NAME"); !name.empty()) return name;
  }
  return own_name();
}

std::string machine_name() {
  return machine_name([](std::string_view name) -> std::optional<std::string> {
    const char* const value = std::getenv(std::string(name).c_str());  // NOLINT(concurrency-mt-unsafe): only read
    if (!value) return std::nullopt;
    return value;
  });
}

}  // namespace gpukeeper
