#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "cli/render.hpp"
#include "core/result.hpp"

namespace gpukeeper::cli {

/// The process's environment: a variable's value, nothing when it is not set.
using Environment = std::function<std::optional<std::string>(std::string_view)>;
Environment system_environment();

/// Where a command writes.
class Output {
 public:
  virtual ~Output() = default;

  /// True when all is written; false when the reader has gone (a closed pipe), which is no fault and ends the command.
  /// Errors: internal for anything else, such as a full disk.
  virtual Result<bool> write(std::string_view text) = 0;
};

class FileOutput final : public Output {
 public:
  /// `name` stands in errors: "standard output".
  FileOutput(int descriptor, std::string name) : descriptor_(descriptor), name_(std::move(name)) {}
  Result<bool> write(std::string_view text) override;

 private:
  int descriptor_;
  std::string name_;
};

/// What stands behind standard output.
struct Screen {
  bool terminal = false;
  std::size_t width = 80;
  std::size_t height = 0;  ///< 0 when it is no terminal
};

/// Asks the terminal; COLUMNS decides where there is none.
Screen look_at_screen(int descriptor, const Environment& environment);

enum class ColourChoice { automatic, always, never };

/// Whether to colour: as told; else on a terminal that is not "dumb", unless NO_COLOR holds anything (no-color.org).
bool use_colour(ColourChoice choice, bool terminal, const Environment& environment);

/// Whether the locale's characters are UTF-8, read from the environment as setlocale would, without loading a locale.
bool is_utf8(const Environment& environment);

/// The reader's offset from UTC at that time.
std::chrono::seconds local_offset(WallTime time);

}  // namespace gpukeeper::cli
