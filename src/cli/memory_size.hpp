#pragma once

#include <string>
#include <string_view>

#include "core/result.hpp"
#include "core/units.hpp"

namespace gpukeeper::cli {

/// An amount of memory as people write it: "6144" is MiB, as the documents have it; "6GiB", "6144MiB", and "6GB", which
/// counts in thousands.
/// Errors: invalid_argument for anything else, for nothing at all and for more than any machine has.
Result<Bytes> parse_memory(std::string_view text);

/// A sentence for who wrote a unit that counts in thousands and may have meant the other: "6GB are 5722 MiB; 6GiB are
/// 6144 MiB". Empty for all else.
std::string memory_remark(std::string_view text);

/// Bytes as they stand in a page: "6144 MiB", and below one MiB what they are.
std::string memory_text(Bytes bytes);

}  // namespace gpukeeper::cli
