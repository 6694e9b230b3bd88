#pragma once

#include <cstddef>
#include <optional>
#include <variant>

#include "core/clock.hpp"
#include "top/canvas.hpp"
#include "top/keys.hpp"

namespace gpukeeper::top {

/// What happened at the terminal.
struct Happening {
  enum class Kind { nothing, key, news, resized, suspend, stop };
  Kind kind = Kind::nothing;  ///< nothing: the time is over
  Key key;
};

struct Size {
  std::size_t width = 80, height = 24;
  friend bool operator==(const Size&, const Size&) = default;
};

/// Where the picture is shown and keys come from.
class Terminal {
 public:
  virtual ~Terminal() = default;
  virtual Size size() const = 0;
  /// Shows it: only what has changed since the picture before.
  virtual void show(const Canvas& canvas, const Theme& theme) = 0;
  /// Waits until something happens, or until then. `news`: a descriptor that becomes readable when there are any.
  virtual Happening wait(MonotonicTime until, int news) = 0;
  /// Gives the terminal back, stops this process as Ctrl-Z does, and takes it again when it is continued.
  virtual void suspend() = 0;
};

}  // namespace gpukeeper::top
