#pragma once

#include <string_view>

#include "core/result.hpp"
#include "format/json_text.hpp"
#include "reclaim/holder.hpp"

// Included by source files only: the JSON library is heavy.
namespace gpukeeper::reclaim {

/// A holder as the API and the file write it: {"kind": "ollama", "url": "http://127.0.0.1:11434"}.
Json to_json(const Holder& holder);

/// Errors: invalid_argument, what is wrong and what would be right. What check() says comes on top.
Result<Holder> holder_of(const Json& document);

/// "SIGUSR1"; nothing for a number that no holder has.
std::string_view signal_name(int signal);

}  // namespace gpukeeper::reclaim
