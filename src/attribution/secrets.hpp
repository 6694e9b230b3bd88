#pragma once

#include <span>
#include <string>
#include <string_view>

namespace gpukeeper {

/// The command line made of these arguments, separated by blanks, with "***" where a secret stands.
///
/// Every user of a machine may read the arguments of every process, and people put passwords there all the same. What
/// we show travels further: to screens, files and over the network. So what looks like a secret is hidden, and in doubt
/// more than that: from the sign of a secret on, the rest of its argument goes. Hidden is
///   the value of an option, a variable, a header or a key whose name speaks of a password, token, key or credential:
///     --password X, --api-key=X, HF_TOKEN=X, {"secret": "X"}, Authorization: Bearer X
///   what programs are known to take as a password without such a name: mysql -pX, sshpass -p X, curl -u user:X
///   the password in a URL: postgres://user:X@host
///   tokens that are known by their look: hf_…, sk-…, ghp_…, AKIA…, xoxb-…, eyJ… (JWT), private keys
/// What remains is a secret without any sign: one that stands alone as an argument.
///
/// Text for a shell (`sh -c TEXT`) is looked at word by word, and so is a line that is one argument only: programs that
/// rename themselves leave one.
std::string masked_command_line(std::span<const std::string_view> arguments);

inline constexpr std::string_view kMask = "***";

}  // namespace gpukeeper
