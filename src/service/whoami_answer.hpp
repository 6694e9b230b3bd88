#pragma once

#include "service/router.hpp"

namespace gpukeeper::service {

/// GET /api/v1/whoami: for whom the asker is taken, what he may do, and how that is known. A page leaves out what its
/// user may not do, and asks him for a token where he may nothing: so it is answered to everybody.
Route whoami_route();

}  // namespace gpukeeper::service
