#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <tl/expected.hpp>

namespace gpukeeper {

/// Few codes, chosen by what the caller can do next.
enum class Errc {
  invalid_argument,  ///< the input is wrong: tell the user what would be right
  not_found,         ///< the thing named does not exist (any more)
  already_exists,
  resource_exhausted,
  unauthenticated,
  not_permitted,  ///< it exists, but this user may not: say how to grant it
  not_supported,  ///< this hardware, driver or kernel does not have it
  deadline_exceeded,
  unavailable,  ///< not now: retry later
  internal,
};

std::string_view to_string(Errc code);

struct Error {
  Errc code;            ///< decides: retry, skip, tell the user, exit status
  std::string message;  ///< names the operation and its object: "read power of GPU-3f2a: nvmlDeviceGetPowerUsage: Not
                        ///< Supported"

  friend bool operator==(const Error&, const Error&) = default;
};

/// tl::expected (Debian: libexpected-dev) is not [[nodiscard]]; this is, so a dropped error is a warning.
/// map and map_error convert back to it; and_then needs a lambda that returns tl::expected.
template <class T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
 public:
  using Base = tl::expected<T, Error>;
  using Base::Base;
  Result(Base base) : Base(std::move(base)) {}
};

inline tl::unexpected<Error> fail(Errc code, std::string message) {
  return tl::make_unexpected(Error{code, std::move(message)});
}

}  // namespace gpukeeper
