#pragma once

#include <string_view>

namespace gpukeeper {

/// Whether what this names is a secret: "--db-password", "HF_TOKEN", "apiKey", "Authorization"; not "--tokenizer",
/// "--password-file" or "--keyboard". Leading dashes do not matter, nor does case.
bool names_a_secret(std::string_view name);

/// Whether this names a number of tokens rather than a token, as language models do: "--max-tokens".
bool counts_tokens(std::string_view name);

}  // namespace gpukeeper
