#include "desk/lease_desk.hpp"

#include "client/exchange.hpp"

namespace gpukeeper::desk {

Errc code_of(unsigned status) {
  constexpr unsigned kConflict = 409;  // of a lease: there is no room for it
  return status == kConflict ? Errc::resource_exhausted : client::code_of(status);
}

}  // namespace gpukeeper::desk
