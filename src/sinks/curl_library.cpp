#include "sinks/curl_library.hpp"

#include <dlfcn.h>

#include <array>

#include <fmt/format.h>

namespace gpukeeper::curl {
namespace {

// Debian has three builds of it; with OpenSSL it bears the plain name, and any of them will do.
constexpr std::array kUsualNames = {"libcurl.so.4", "libcurl-gnutls.so.4"};

std::string last_loader_error() {
  const char* text = ::dlerror();
  return text ? text : "unknown loader error";
}

template <class Function>
bool bind(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(::dlsym(library, name));
  return function != nullptr;
}

bool bind_all(void* so, Library& table) {
  return bind(so, "curl_global_init", table.global_init) && bind(so, "curl_easy_init", table.easy_init) &&
         bind(so, "curl_easy_setopt", table.easy_setopt) && bind(so, "curl_easy_perform", table.easy_perform) &&
         bind(so, "curl_easy_getinfo", table.easy_getinfo) && bind(so, "curl_easy_cleanup", table.easy_cleanup) &&
         bind(so, "curl_easy_strerror", table.easy_strerror) && bind(so, "curl_slist_append", table.list_append) &&
         bind(so, "curl_slist_free_all", table.list_free) && bind(so, "curl_version", table.version);
}

void* open(const std::string& path, std::string& why) {
  if (!path.empty()) {
    void* const so = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!so) why = last_loader_error();
    return so;
  }
  for (const char* name : kUsualNames) {
    if (void* const so = ::dlopen(name, RTLD_NOW | RTLD_LOCAL)) return so;
    if (why.empty()) why = last_loader_error();
  }
  return nullptr;
}

}  // namespace

Result<std::shared_ptr<const Library>> load_library(const std::string& path) {
  std::string why;
  auto table = std::make_shared<Library>();
  table->loaded = open(path, why);
  if (!table->loaded) {
    return fail(
        Errc::not_supported,
        fmt::format("libcurl cannot be loaded ({}); install the package libcurl4 (Debian 12), libcurl4t64 (Ubuntu "
                    "24.04) or libcurl (Fedora)",
                    why));
  }
  if (!bind_all(table->loaded, *table)) {
    return fail(Errc::not_supported,
                fmt::format("{} is not libcurl: {}", path.empty() ? "libcurl.so.4" : path, last_loader_error()));
  }
  if (const Code code = table->global_init(kGlobalAll); code != kOk) {
    return fail(Errc::not_supported, fmt::format("libcurl cannot be used: {}", table->easy_strerror(code)));
  }
  return table;
}

}  // namespace gpukeeper::curl
