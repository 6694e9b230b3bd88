#include "prometheus/exposition.hpp"

#include <cmath>

#include <fmt/format.h>

namespace gpukeeper::prometheus {
namespace {

constexpr std::string_view kTotal = "_total";
constexpr std::string_view kInfo = "_info";

std::string_view without(std::string_view name, std::string_view suffix) {
  return name.ends_with(suffix) ? name.substr(0, name.size() - suffix.size()) : name;
}

std::string text_head(std::string_view name, FamilyType type, std::string_view help) {
  std::string escaped;
  for (const char c : help) {
    if (c == '\\')
      escaped += "\\\\";
    else if (c == '\n')
      escaped += "\\n";
    else
      escaped += c;
  }
  const std::string_view word = type == FamilyType::counter     ? "counter"
                                : type == FamilyType::histogram ? "histogram"
                                                                : "gauge";  // there are no infos in this format
  return fmt::format("# HELP {0} {1}\n# TYPE {0} {2}\n", name, escaped, word);
}

// What OpenMetrics calls the family, and its type there.
struct OpenName {
  std::string_view name;
  std::string_view type;
};
OpenName open_name(std::string_view name, FamilyType type) {
  switch (type) {
    case FamilyType::gauge: return {name, "gauge"};
    case FamilyType::info: return {without(name, kInfo), "info"};
    case FamilyType::histogram: return {name, "histogram"};
    case FamilyType::counter: break;
  }
  if (name.ends_with(kTotal)) return {without(name, kTotal), "counter"};
  return {name, "unknown"};
}

std::string openmetrics_head(std::string_view name, FamilyType type, std::string_view unit, std::string_view help) {
  std::string escaped;
  for (const char c : help) {
    if (c == '\n') {
      escaped += "\\n";
      continue;
    }
    if (c == '\\' || c == '"') escaped += '\\';
    escaped += c;
  }
  const auto [family, word] = open_name(name, type);
  std::string head = fmt::format("# TYPE {} {}\n", family, word);
  if (!unit.empty()) head += fmt::format("# UNIT {} {}\n", family, unit);
  return head + fmt::format("# HELP {} {}\n", family, escaped);
}

}  // namespace

std::string_view content_type(Syntax syntax) {
  return syntax == Syntax::text ? "text/plain; version=0.0.4; charset=utf-8"
                                : "application/openmetrics-text; version=1.0.0; charset=utf-8";
}

Family::Family(std::string name, FamilyType type, std::string_view unit, std::string_view help)
    : name_(std::move(name)),
      type_(type),
      text_head_(text_head(name_, type, help)),
      openmetrics_head_(openmetrics_head(name_, type, unit, help)) {}

void Exposition::begin(const Family& family) {
  family_ = &family;
  head_due_ = true;
}

void Exposition::begin_line(std::string_view suffix, std::string_view labels, std::string_view more) {
  if (head_due_) text_ += family_->head(syntax_);
  head_due_ = false;
  text_ += family_->name();
  text_ += suffix;
  if (labels.empty() && more.empty()) {
    text_ += ' ';
    return;
  }
  text_ += '{';
  text_ += labels;
  if (!labels.empty() && !more.empty()) text_ += ',';
  text_ += more;
  text_ += "} ";
}

void Exposition::add(std::string_view labels, std::string_view more, double value) {
  add_number({}, labels, more, value);
}

void Exposition::add_number(std::string_view suffix, std::string_view labels, std::string_view more, double value) {
  if (!std::isfinite(value)) return;
  constexpr double kWhole = 9007199254740992.0;                      // 2^53: to here a double counts every whole number
  if (value >= 0 && value < kWhole && value == std::floor(value)) {  // most are, and these are fast
    return add_whole(suffix, labels, more, static_cast<std::uint64_t>(value));
  }
  begin_line(suffix, labels, more);
  char digits[32];  // a sign, 12 digits, a point and an exponent take 19 at most
  const auto end = fmt::format_to_n(digits, sizeof digits, "{:.12g}\n", value).out;
  text_.append(digits, end);
}

void Exposition::add_whole(std::string_view suffix, std::string_view labels, std::string_view more,
                           std::uint64_t value) {
  begin_line(suffix, labels, more);
  const fmt::format_int digits(value);
  text_.append(digits.data(), digits.size());
  text_ += '\n';
}

std::string Exposition::finish() && {
  if (syntax_ == Syntax::openmetrics) text_ += "# EOF\n";
  return std::move(text_);
}

}  // namespace gpukeeper::prometheus
