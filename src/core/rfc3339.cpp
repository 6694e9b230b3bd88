#include "core/rfc3339.hpp"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

#include "core/text.hpp"

namespace gpukeeper {
namespace {

using std::chrono::milliseconds;

// Takes `digits` digits from the front of a text that has them, as a number up to `most`.
std::optional<int> take(std::string_view& text, std::size_t digits, int most) {
  if (text.size() < digits) return std::nullopt;
  int number = 0;
  for (const char c : text.substr(0, digits)) {
    if (c < '0' || c > '9') return std::nullopt;
    number = number * 10 + (c - '0');
  }
  if (number > most) return std::nullopt;
  text.remove_prefix(digits);
  return number;
}

bool take(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text.front()) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

// ".5" as 500; none when no fraction stands there.
std::optional<milliseconds> take_fraction(std::string_view& text) {
  if (!take(text, ".")) return milliseconds(0);
  const auto digits = std::min(text.find_first_not_of("0123456789"), text.size());
  if (digits == 0) return std::nullopt;
  int number = 0;
  for (std::size_t i = 0; i < 3; ++i) number = number * 10 + (i < digits ? text[i] - '0' : 0);
  text.remove_prefix(digits);
  return milliseconds(number);
}

std::optional<std::chrono::minutes> take_offset(std::string_view& text) {
  if (take(text, "Zz")) return std::chrono::minutes(0);
  const bool east = text.starts_with('+');
  if (!take(text, "+-")) return std::nullopt;
  const auto hours = take(text, 2, 23);
  if (!hours || !take(text, ":")) return std::nullopt;
  const auto minutes = take(text, 2, 59);
  if (!minutes) return std::nullopt;
  const std::chrono::minutes offset(*hours * 60 + *minutes);
  return east ? offset : -offset;
}

}  // namespace

std::string rfc3339(WallTime time) {
  using namespace std::chrono;
  const auto whole = floor<milliseconds>(time);
  const auto day = floor<days>(whole);
  const year_month_day date(day);
  const hh_mm_ss clock(whole - day);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), clock.hours().count(),
                     clock.minutes().count(), clock.seconds().count(), clock.subseconds().count());
}

std::optional<WallTime> parse_rfc3339(std::string_view text) {
  using namespace std::chrono;
  text = trim(text);
  const auto y = take(text, 4, 9999);
  if (!y || !take(text, "-")) return std::nullopt;
  const auto m = take(text, 2, 12);
  if (!m || !take(text, "-")) return std::nullopt;
  const auto d = take(text, 2, 31);
  if (!d || !take(text, "Tt ")) return std::nullopt;
  const auto hour = take(text, 2, 23);
  if (!hour || !take(text, ":")) return std::nullopt;
  const auto minute = take(text, 2, 59);
  if (!minute || !take(text, ":")) return std::nullopt;
  const auto second = take(text, 2, 60);  // a leap second
  if (!second) return std::nullopt;
  const auto fraction = take_fraction(text);
  if (!fraction) return std::nullopt;
  const auto offset = take_offset(text);
  const year_month_day date{year(*y), month(static_cast<unsigned>(*m)), day(static_cast<unsigned>(*d))};
  if (!offset || !text.empty() || !date.ok() || *y < 1970) return std::nullopt;
  // WallTime counts nanoseconds in 63 bits, to the year 2262; some room is left for what is added to it.
  if (*y > 2199) return std::nullopt;
  return WallTime(sys_days(date).time_since_epoch() + hours(*hour) + minutes(*minute) + seconds(*second) + *fraction -
                  *offset);
}

}  // namespace gpukeeper
