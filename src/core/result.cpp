#include "core/result.hpp"

namespace gpukeeper {

std::string_view to_string(Errc code) {
  switch (code) {
    case Errc::invalid_argument: return "invalid argument";
    case Errc::not_found: return "not found";
    case Errc::already_exists: return "already exists";
    case Errc::resource_exhausted: return "resource exhausted";
    case Errc::unauthenticated: return "unauthenticated";
    case Errc::not_permitted: return "not permitted";
    case Errc::not_supported: return "not supported";
    case Errc::deadline_exceeded: return "deadline exceeded";
    case Errc::unavailable: return "unavailable";
    case Errc::internal: return "internal";
  }
  return "internal";
}

}  // namespace gpukeeper
