#include "doctor/system_machine.hpp"

#include <array>
#include <climits>
#include <cstdlib>

#include <dlfcn.h>
#include <link.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "core/text.hpp"

namespace gpukeeper::doctor {

std::optional<Machine::Node> SystemMachine::node(const std::string& path) const {
  struct stat facts {};
  if (::stat(path.c_str(), &facts) != 0) return std::nullopt;
  return Node{.gid = facts.st_gid,
              .mode = facts.st_mode & 07777u,
              .readable = ::access(path.c_str(), R_OK) == 0,
              .writable = ::access(path.c_str(), W_OK) == 0};
}

// Loading it calls nothing of it that speaks to a driver; that begins with nvmlInit.
Result<std::string> SystemMachine::library(const std::string& name) const {
  void* handle = ::dlopen(name.c_str(), RTLD_LAZY | RTLD_LOCAL);
  if (handle == nullptr) {
    const char* why = ::dlerror();
    return fail(Errc::not_found, why != nullptr ? why : "no reason was given");
  }
  link_map* map = nullptr;
  std::string path = name;
  if (::dlinfo(handle, RTLD_DI_LINKMAP, &map) == 0 && map != nullptr) path = map->l_name;
  std::array<char, PATH_MAX> real{};
  if (::realpath(path.c_str(), real.data()) != nullptr) path = real.data();
  ::dlclose(handle);
  return path;
}

std::optional<std::string> SystemMachine::program(const std::string& name) const {
  for (const auto folder : split(path_, ':')) {
    std::string full = fmt::format("{}/{}", folder, name);
    if (folder.starts_with('/') && ::access(full.c_str(), X_OK) == 0) return full;
  }
  return std::nullopt;
}

}  // namespace gpukeeper::doctor
