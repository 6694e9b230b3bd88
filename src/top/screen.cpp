// The only file that includes ncurses: its names are as short as they are many.
#include "top/screen.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <climits>
#include <clocale>
#include <csignal>
#include <cstdlib>
#include <utility>

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#define NCURSES_WIDECHAR 1
#define NCURSES_NOMACROS 1
#include <curses.h>

#include <fmt/format.h>

#include "core/display_text.hpp"

// Of term.h, the rest of which is macros with the names of half the language.
extern "C" int setupterm(const char* term, int descriptor, int* error);

namespace gpukeeper::top {
namespace {

constexpr int kEscapeDelay = 25;  // ms within which the rest of a key's sequence comes

sigset_t watched() {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGWINCH, SIGTSTP}) ::sigaddset(&set, signal);
  return set;
}

// What gives the terminal back when this program dies of its own mistake: kept ready, as a handler may do little.
struct LastWords {
  termios modes{};
  std::array<char, 256> text{};
  std::size_t size = 0;
};
LastWords last_words;  // NOLINT: a signal handler has no other way to know

constexpr int kMistakes[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL};

void give_back_and_die(int signal) {
  static_cast<void>(!::write(STDOUT_FILENO, last_words.text.data(), last_words.size));
  ::tcsetattr(STDOUT_FILENO, TCSANOW, &last_words.modes);
  std::signal(signal, SIG_DFL);
  ::raise(signal);
}

// What NCURSES writes when it ends: the usual cursor, no mouse, the usual colours, the other screen.
void prepare_last_words() {
  ::tcgetattr(STDOUT_FILENO, &last_words.modes);
  std::string text = "\x1b[?1000l\x1b[?1002l\x1b[?1006l";
  for (const char* each : {::tigetstr("sgr0"), ::tigetstr("cnorm"), ::tigetstr("rmkx"), ::tigetstr("rmcup")}) {
    if (each != nullptr && each != reinterpret_cast<const char*>(-1)) text += each;
  }
  last_words.size = std::min(text.size(), last_words.text.size());
  std::copy_n(text.begin(), last_words.size, last_words.text.begin());
}

std::optional<Key> key_of(int code) {
  using Code = Key::Code;
  switch (code) {
    case KEY_UP: return Key{.code = Code::up};
    case KEY_DOWN: return Key{.code = Code::down};
    case KEY_LEFT: return Key{.code = Code::left};
    case KEY_RIGHT: return Key{.code = Code::right};
    case KEY_PPAGE: return Key{.code = Code::page_up};
    case KEY_NPAGE: return Key{.code = Code::page_down};
    case KEY_HOME: return Key{.code = Code::home};
    case KEY_END: return Key{.code = Code::end};
    case KEY_ENTER: return Key{.code = Code::enter};
    case KEY_BTAB: return Key{.code = Code::back_tab};
    case KEY_BACKSPACE: return Key{.code = Code::backspace};
    case KEY_F(1): return Key{.code = Code::character, .character = U'?'};
    case KEY_F(3): return Key{.code = Code::character, .character = U'/'};
    case KEY_F(4): return Key{.code = Code::character, .character = U'f'};
    case KEY_F(5): return Key{.code = Code::character, .character = U't'};
    case KEY_F(6): return Key{.code = Code::character, .character = U's'};
    case KEY_F(9): return Key{.code = Code::character, .character = U'k'};
    case KEY_F(10): return Key{.code = Code::character, .character = U'q'};
    default: return std::nullopt;
  }
}

std::optional<Key> mouse_key() {
  MEVENT event{};
  if (::getmouse(&event) != OK || event.x < 0 || event.y < 0) return std::nullopt;
  Key key{.x = static_cast<std::size_t>(event.x), .y = static_cast<std::size_t>(event.y)};
  const auto is = [&](mmask_t buttons) { return (event.bstate & buttons) != 0; };
  if (is(BUTTON1_DOUBLE_CLICKED)) {
    key.code = Key::Code::double_click;
  } else if (is(BUTTON1_PRESSED | BUTTON1_CLICKED)) {
    key.code = Key::Code::click;
  } else if (is(BUTTON4_PRESSED)) {
    key.code = Key::Code::wheel_up;
  } else if (is(BUTTON5_PRESSED)) {
    key.code = Key::Code::wheel_down;
  } else {
    return std::nullopt;
  }
  return key;
}

class CursesScreen final : public Terminal {
 public:
  CursesScreen(SCREEN* screen, const ScreenOptions& options) : options_(options), screen_(screen) {
    const sigset_t set = watched();
    signals_ = ::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    take();
    prepare_last_words();
    for (const int signal : kMistakes) std::signal(signal, give_back_and_die);
  }
  CursesScreen(const CursesScreen&) = delete;
  CursesScreen& operator=(const CursesScreen&) = delete;

  ~CursesScreen() override {
    for (const int signal : kMistakes) std::signal(signal, SIG_DFL);
    ::endwin();
    ::delscreen(screen_);
    if (signals_ >= 0) ::close(signals_);
    const sigset_t set = watched();
    const timespec now{};  // what came meanwhile is dropped: the program ends as it was asked to
    while (::sigtimedwait(&set, nullptr, &now) > 0) {
    }
    ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
  }

  Size size() const override {
    return {static_cast<std::size_t>(std::max(COLS, 1)), static_cast<std::size_t>(std::max(LINES, 1))};
  }

  void show(const Canvas& canvas, const Theme& theme) override {
    if (theme_ != theme.name) {
      theme_ = theme.name;
      choose_colours(theme);
      shown_.reset();
    }
    const bool whole = !shown_ || shown_->width() != canvas.width() || shown_->height() != canvas.height();
    if (whole) ::erase();
    for (std::size_t y = 0; y < canvas.height(); ++y) {
      for (std::size_t x = 0; x < canvas.width(); ++x) {
        const Cell& cell = canvas.at(x, y);
        if (cell.glyph == 0 || (!whole && same(canvas, x, y))) continue;
        put(static_cast<int>(x), static_cast<int>(y), cell);
      }
    }
    shown_ = canvas;
    ::refresh();
  }

  Happening wait(MonotonicTime until, int news) override {
    if (const auto typed = read_happening()) return *typed;
    pollfd sources[3] = {{STDIN_FILENO, POLLIN, 0}, {signals_, POLLIN, 0}, {news, POLLIN, 0}};
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    const int ready =
        ::poll(sources, news >= 0 ? 3 : 2, static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 60'000)));
    if (ready <= 0) return {};
    if ((sources[1].revents & POLLIN) != 0) return signalled();
    // A terminal that has gone, or that nobody reads any more, says so for ever.
    if ((sources[0].revents & (POLLHUP | POLLERR | POLLNVAL)) != 0) return {Happening::Kind::stop, {}};
    if ((sources[0].revents & POLLIN) != 0) {
      if (const auto typed = read_happening()) return *typed;
      if (at_end()) return {Happening::Kind::stop, {}};
    }
    return {Happening::Kind::news, {}};
  }

  void suspend() override {
    ::endwin();
    ::raise(SIGSTOP);
    take_size();
    shown_.reset();
    ::clear();
    ::refresh();
  }

 private:
  void take() {
    ::set_escdelay(kEscapeDelay);
    ::raw();  // Ctrl-C and Ctrl-Z come as keys, too
    ::noecho();
    ::nonl();
    ::keypad(stdscr, true);
    ::nodelay(stdscr, true);
    ::leaveok(stdscr, true);
    ::curs_set(0);
    if (options_.mouse) {
      ::mousemask(BUTTON1_PRESSED | BUTTON1_CLICKED | BUTTON1_DOUBLE_CLICKED | BUTTON4_PRESSED | BUTTON5_PRESSED,
                  nullptr);
      ::mouseinterval(200);
    }
    if (options_.colour && ::has_colors()) {
      ::start_color();
      ::use_default_colors();
      colours_ = COLORS;
    }
  }

  // A pair for each role, and one for each on the cursor's row.
  void choose_colours(const Theme& theme) {
    for (std::size_t i = 0; i < kRoles; ++i) {
      const RoleColour& colour = theme.colours[i];
      attributes_[i] = (colour.bold ? A_BOLD : A_NORMAL) | (colour.dim && colours_ < 8 ? A_DIM : A_NORMAL);
      if (colours_ < 8) continue;
      short foreground = colours_ >= 256 ? colour.of_256 : colour.of_16;
      if (colours_ < 16 && foreground >= 8) {  // the bright ones are the others, bold; bright black is no colour here
        foreground = foreground == 8 ? static_cast<short>(-1) : static_cast<short>(foreground - 8);
      }
      ::init_pair(static_cast<short>(i + 1), foreground, -1);
      if (colours_ >= 256) ::init_pair(static_cast<short>(kRoles + i + 1), foreground, theme.selected_256);
    }
    selected_by_pair_ = colours_ >= 256 && theme.selected_256 >= 0;
    uses_colours_ = colours_ >= 8 && theme.name != "mono";
  }

  // A wide character is written with its second column.
  bool same(const Canvas& canvas, std::size_t x, std::size_t y) const {
    if (canvas.at(x, y) != shown_->at(x, y)) return false;
    return x + 1 >= canvas.width() || (canvas.at(x + 1, y).glyph == 0) == (shown_->at(x + 1, y).glyph == 0);
  }

  void put(int x, int y, const Cell& cell) {
    const auto role = static_cast<std::size_t>(cell.style.role);
    attr_t attributes = attributes_.at(role) | (cell.style.bold ? A_BOLD : A_NORMAL);
    short pair = uses_colours_ ? static_cast<short>(role + 1) : static_cast<short>(0);
    if (cell.style.selected) {
      if (uses_colours_ && selected_by_pair_) {
        pair = static_cast<short>(kRoles + role + 1);
      } else {
        attributes |= A_REVERSE;
      }
    }
    const wchar_t text[2] = {static_cast<wchar_t>(cell.glyph), L'\0'};
    cchar_t character{};
    ::setcchar(&character, text, attributes, pair, nullptr);
    ::mvadd_wch(y, x, &character);  // an error only says that the cursor cannot go on behind the last column
  }

  std::optional<Happening> read_happening() {
    const auto key = read_key();
    if (key) return Happening{Happening::Kind::key, *key};
    const auto asked = std::exchange(asked_, std::nullopt);
    return asked ? std::optional(Happening{*asked, {}}) : std::nullopt;
  }

  std::optional<Key> read_key() {
    wint_t code = 0;
    const int kind = ::get_wch(&code);
    if (kind == ERR) return std::nullopt;
    if (kind == KEY_CODE_YES) return code == KEY_MOUSE ? mouse_key() : key_of(static_cast<int>(code));
    switch (code) {
      case '\r':
      case '\n': return Key{.code = Key::Code::enter};
      case '\t': return Key{.code = Key::Code::tab};
      case 27: return Key{.code = Key::Code::escape};
      case 8:
      case 127: return Key{.code = Key::Code::backspace};
      // Not raise(): ncurses ignores SIGTSTP while it writes, and what is pending then is lost.
      case 3: asked_ = Happening::Kind::stop; return std::nullopt;
      case 26: asked_ = Happening::Kind::suspend; return std::nullopt;
      case 12:
        shown_.reset();
        ::clear();
        return std::nullopt;  // Ctrl-L: something else wrote there
      default: break;
    }
    if (code < 0x20) return std::nullopt;
    return Key{.code = Key::Code::character, .character = static_cast<char32_t>(code)};
  }

  // Readable, and nothing to read: the terminal is gone.
  static bool at_end() {
    int waiting = 0;
    return ::ioctl(STDIN_FILENO, FIONREAD, &waiting) != 0;
  }

  Happening signalled() {
    signalfd_siginfo info{};
    if (::read(signals_, &info, sizeof info) != sizeof info) return {};
    switch (info.ssi_signo) {
      case SIGWINCH: take_size(); return {Happening::Kind::resized, {}};
      case SIGTSTP: return {Happening::Kind::suspend, {}};
      default: return {Happening::Kind::stop, {}};
    }
  }

  void take_size() {
    winsize size{};
    if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) return;
    ::resizeterm(size.ws_row, size.ws_col);
    shown_.reset();
  }

  const ScreenOptions options_;
  SCREEN* const screen_;
  int signals_ = -1;
  int colours_ = 0;
  bool uses_colours_ = false;
  bool selected_by_pair_ = false;
  std::string theme_;
  std::array<attr_t, kRoles> attributes_{};
  std::optional<Canvas> shown_;
  std::optional<Happening::Kind> asked_;  // by a control character
};

Error no_terminal(std::string why) {
  return {Errc::not_supported,
          fmt::format(
              "top draws on a terminal, and {}. Use 'gpukeeper status --watch 1' for pages that follow each other, or "
              "'gpukeeper status --json' for programs.",
              why)};
}

}  // namespace

Result<std::unique_ptr<Terminal>> open_screen(const ScreenOptions& options) {
  if (::isatty(STDOUT_FILENO) == 0) return tl::make_unexpected(no_terminal("standard output is none"));
  if (::isatty(STDIN_FILENO) == 0) return tl::make_unexpected(no_terminal("standard input is none"));
  if (options.term.empty()) return tl::make_unexpected(no_terminal("TERM does not say which one this is"));
  if (options.term == "dumb") return tl::make_unexpected(no_terminal("this one (TERM=dumb) cannot place characters"));
  // A locale that is named and not installed would show question marks: what is shown needs its characters only.
  const char* const locale = std::setlocale(LC_CTYPE, "");
  if (options.utf8 && (locale == nullptr || MB_CUR_MAX == 1)) std::setlocale(LC_CTYPE, "C.UTF-8");
  int known = 0;
  if (::setupterm(options.term.c_str(), STDOUT_FILENO, &known) != OK) {
    return tl::make_unexpected(no_terminal(fmt::format(
        "nothing is known of TERM={} (is its description installed? Debian: ncurses-term)", harmless(options.term))));
  }
  const char* const places = ::tigetstr("cup");
  if (places == nullptr || places == reinterpret_cast<const char*>(-1)) {
    return tl::make_unexpected(
        no_terminal(fmt::format("this one (TERM={}) cannot place characters", harmless(options.term))));
  }
  const sigset_t set = watched();
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  ::use_tioctl(true);  // the terminal's own size, not what LINES and COLUMNS said when the shell began
  SCREEN* const screen = ::newterm(options.term.c_str(), stdout, stdin);
  if (screen == nullptr) {
    ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
    return tl::make_unexpected(
        no_terminal(fmt::format("this one (TERM={}) could not be taken", harmless(options.term))));
  }
  ::set_term(screen);
  return std::unique_ptr<Terminal>(std::make_unique<CursesScreen>(screen, options));
}

}  // namespace gpukeeper::top
