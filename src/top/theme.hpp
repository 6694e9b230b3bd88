#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

// What things mean on the screen, and in which colours that is shown.
namespace gpukeeper::top {

/// What a character is. Colour is never the only sign of it: a word or another sign stands beside it.
enum class Role : std::uint8_t {
  text,
  faint,    ///< what explains the rest: headings of columns, units, rules
  strong,   ///< names
  accent,   ///< keys, and the pane that takes them
  optimal,  ///< the states of a GPU, in the agreed colours: green, blue, orange, red, gray
  normal,
  throttled,
  critical,
  other,
  lease,      ///< memory that leases use
  unmanaged,  ///< memory in use without a lease
  reserved,   ///< memory that the driver keeps
  track,      ///< the empty part of a meter
};
inline constexpr std::size_t kRoles = 13;

/// A colour of a terminal, -1 for its own.
struct RoleColour {
  short of_256 = -1;
  short of_16 = -1;
  bool bold = false;
  bool dim = false;  ///< where there are no colours
};

struct Theme {
  std::string_view name;  ///< "standard"
  std::string_view help;
  RoleColour colours[kRoles];
  short selected_256 = 237;  ///< background of the cursor's row; with less colours it is reversed
};

/// All there are, the usual first.
std::span<const Theme> themes();
/// The one of that name; null when there is none.
const Theme* find_theme(std::string_view name);
/// The one after it, in a circle.
const Theme& next_theme(const Theme& theme);

}  // namespace gpukeeper::top
