#include "desk/lease_desk.hpp"

namespace gpukeeper::desk {

Errc code_of(unsigned status) {
  switch (status) {
    case 400: return Errc::invalid_argument;
    case 401: return Errc::unauthenticated;
    case 403: return Errc::not_permitted;
    case 404: return Errc::not_found;
    case 409: return Errc::resource_exhausted;
    default: return Errc::unavailable;
  }
}

}  // namespace gpukeeper::desk
