#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <variant>

#include "top/model.hpp"
#include "top/ui.hpp"
#include "top/view.hpp"

namespace gpukeeper::top {

/// A key, or a click.
struct Key {
  enum class Code : std::uint8_t {
    character,
    up,
    down,
    left,
    right,
    page_up,
    page_down,
    home,
    end,
    enter,
    escape,
    tab,
    back_tab,
    backspace,
    click,
    double_click,
    wheel_up,
    wheel_down
  };
  Code code = Code::character;
  char32_t character = 0;
  std::size_t x = 0, y = 0;  ///< of the mouse
};

/// What the recording, or the picture, is to do.
struct PlayWish {
  enum class Kind : std::uint8_t { pause, step, faster, slower, seek, begin, end };
  Kind kind = Kind::pause;
  std::chrono::seconds by{0};  ///< of seek
};

/// What the keys ask of the world.
struct Wishes {
  bool quit = false;
  std::optional<PlayWish> play;
  std::optional<Deed> deed;
};

/// What follows from a key. Changes what the user looks at and chose; holds the model where that is asked.
Wishes press(const Key& key, Model& model, Ui& ui, Preferences& preferences, const Frame& frame);

/// Brings cursors back to what there is, and scrolls to where they are, before a picture of that size is drawn.
void settle(const Model& model, Ui& ui, const Preferences& preferences, std::size_t width, std::size_t height);

/// How many rows the pane's list has.
std::size_t rows_in(Pane pane, const Model& model, const Ui& ui, const Preferences& preferences);

}  // namespace gpukeeper::top
