#pragma once

#include <string>
#include <string_view>

#include "core/result.hpp"
#include "gpukeeper/gpukeeper.h"

// What the latest call of a thread that failed has to say.
namespace gpukeeper::embed::c {

/// Keeps it and gives the code that fits.
gk_result fail_with(const Error& error);
gk_result fail_with(gk_result code, std::string_view message);

/// Keeps a refusal: a problem document (RFC 9457) and its status. The message is its detail where none is given.
gk_result fail_with_problem(unsigned status, std::string document, std::string_view message = {});

const char* last_error();
const char* last_problem();

}  // namespace gpukeeper::embed::c
