#include "embed/c/last_error.hpp"

#include <memory>
#include <utility>

#include <pthread.h>

#include <fmt/format.h>

#include "format/json_text.hpp"

namespace gpukeeper::embed::c {
namespace {

struct Said {
  std::string message;
  std::string problem;
};

// Not thread_local: glibc destroys those of the main thread before it calls what atexit() was given, which may call us.
class PerThread {
 public:
  PerThread() {
    valid_ = ::pthread_key_create(&key_, [](void* said) { delete static_cast<Said*>(said); }) == 0;
  }

  Said* find() const { return valid_ ? static_cast<Said*>(::pthread_getspecific(key_)) : nullptr; }
  Said* make() const {
    if (Said* const there = find()) return there;
    auto made = std::make_unique<Said>();
    if (!valid_ || ::pthread_setspecific(key_, made.get()) != 0) return nullptr;
    return made.release();
  }

 private:
  pthread_key_t key_{};
  bool valid_ = false;
};

const PerThread& per_thread() {
  static const PerThread kept;  // trivially destructible, so that it is there until the very end
  return kept;
}

void keep(std::string_view message, std::string problem) {
  Said* const said = per_thread().make();
  if (!said) return;
  said->message = message;
  said->problem = std::move(problem);
}

gk_result code_of(Errc code) {
  switch (code) {
    case Errc::invalid_argument: return GK_INVALID;
    case Errc::not_found: return GK_NOT_FOUND;
    case Errc::already_exists: return GK_EXISTS;
    case Errc::unauthenticated:
    case Errc::not_permitted: return GK_DENIED;
    case Errc::deadline_exceeded: return GK_TIMEOUT;
    case Errc::unavailable: return GK_UNAVAILABLE;
    case Errc::resource_exhausted:
    case Errc::not_supported:
    case Errc::internal: break;
  }
  return GK_FAILED;
}

std::string member(const Json& document, const char* name) {
  const auto found = document.is_object() ? document.find(name) : document.end();
  return found != document.end() && found->is_string() ? found->get<std::string>() : std::string();
}

gk_result code_of(unsigned status, std::string_view code) {
  switch (status) {
    case 400: return GK_INVALID;
    case 401: return GK_DENIED;
    case 403: return code == "quota_exceeded" ? GK_REFUSED : GK_DENIED;
    case 404:
    case 410: return GK_NOT_FOUND;
    case 409: return code == "name_taken" ? GK_EXISTS : GK_REFUSED;
    case 503: return GK_UNAVAILABLE;
    case 504: return GK_TIMEOUT;
    default: return GK_FAILED;
  }
}

}  // namespace

gk_result fail_with(const Error& error) {
  return fail_with(code_of(error.code), error.message);
}

gk_result fail_with(gk_result code, std::string_view message) {
  keep(message, {});
  return code;
}

gk_result fail_with_problem(unsigned status, std::string document, std::string_view message) {
  const Json json = Json::parse(document, nullptr, false);
  std::string detail = message.empty() ? member(json, "detail") : std::string(message);
  if (detail.empty()) detail = member(json, "error");  // of the documented GPU manager's answers
  if (detail.empty()) detail = fmt::format("it was answered with the status {}", status);
  const gk_result code = code_of(status, member(json, "code"));
  keep(detail, std::move(document));
  return code;
}

const char* last_error() {
  const Said* const said = per_thread().find();
  return said ? said->message.c_str() : "";
}

const char* last_problem() {
  const Said* const said = per_thread().find();
  return said ? said->problem.c_str() : "";
}

}  // namespace gpukeeper::embed::c
