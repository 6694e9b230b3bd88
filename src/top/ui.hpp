#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/clock.hpp"
#include "top/preferences.hpp"

namespace gpukeeper::top {

/// What the user wants done beyond this screen. Carried out only after it was confirmed.
struct Deed {
  enum class Kind { ask, signal };
  Kind kind = Kind::ask;
  std::string method;  ///< of ask: what the daemon is asked (docs/api.md)
  std::string target;
  std::string body;
  std::int64_t pid = 0;  ///< of signal
  int signal = 0;
  std::optional<std::uint64_t> start_ticks;  ///< tells the process from a later one with its pid
  std::optional<WallTime> started;           ///< the same, where only that is known
  std::string done;                          ///< a sentence for when it is done
};

/// One of the answers to a dialog's question.
struct Choice {
  std::string label;
  Deed deed;
};

/// A question over the picture.
struct Dialog {
  std::string title;
  std::vector<std::string> text;  ///< paragraphs
  std::vector<Choice> choices;    ///< empty: there is nothing to choose, any key closes it
  std::size_t chosen = 0;
  bool confirming = false;  ///< the last one: y does it
  /// A number is typed; it stands for "{}" in the body and the sentences of the only choice.
  std::optional<std::string> input;
  double least = 0, most = 0;
};

enum class Typing : std::uint8_t { nothing, search, filter };
enum class Screen : std::uint8_t { overview, gpu, process };

/// What the user looks at.
struct Ui {
  Screen screen = Screen::overview;
  bool help = false;
  std::size_t help_scroll = 0;
  std::size_t gpu = 0;  ///< the row of Model::gpus()
  std::size_t gpu_scroll = 0;
  std::size_t row[kPanes] = {};     ///< the cursor of each pane
  std::size_t scroll[kPanes] = {};  ///< its first row that is seen
  /// The process that the cursor is on: device and pid; it stays on it when the order changes.
  std::optional<std::pair<std::string, std::int64_t>> process;
  std::size_t detail_scroll = 0;
  Typing typing = Typing::nothing;
  std::string search;
  std::string filter;
  bool of_gpu = false;  ///< only processes of the chosen GPU
  std::optional<Dialog> dialog;
  std::string notice;  ///< a sentence at the foot
  bool notice_bad = false;
};

}  // namespace gpukeeper::top
