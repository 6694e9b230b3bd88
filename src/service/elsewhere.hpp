#pragma once

#include <functional>

#include "service/http.hpp"

namespace gpukeeper::service {

using Answer = std::function<Response(const Request&)>;

/// Runs something on another thread; whether it was taken.
using Run = std::function<bool(std::function<void()>)>;

/// The answer, made on another thread: 503 when too much waits there. What it throws is thrown again on the server's
/// thread, which knows what to say. With a null `run`: made here and at once.
Answer elsewhere(Answer answer, Run run);

}  // namespace gpukeeper::service
