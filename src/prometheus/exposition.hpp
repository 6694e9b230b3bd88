#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace gpukeeper::prometheus {

/// The two formats that Prometheus reads. A series has the same name and labels in both.
enum class Syntax {
  text,         ///< Prometheus text 0.0.4
  openmetrics,  ///< OpenMetrics 1.0
};

/// The value of Content-Type.
std::string_view content_type(Syntax syntax);

enum class FamilyType { gauge, counter, info, histogram };

/// A name, and what all lines under it have in common. Made once: its head is written beforehand.
class Family {
 public:
  /// `name`: as it stands on the lines: a counter's ends in "_total", an info's in "_info"; a histogram's bears no
  /// suffix. `unit`: empty, or what the name ends in before such a suffix; for OpenMetrics.
  /// A counter of a foreign name that does not end in "_total" is of unknown type in OpenMetrics, which has no such
  /// counters: its name is what matters.
  Family(std::string name, FamilyType type, std::string_view unit, std::string_view help);

  const std::string& name() const { return name_; }
  FamilyType type() const { return type_; }
  const std::string& head(Syntax syntax) const { return syntax == Syntax::text ? text_head_ : openmetrics_head_; }

 private:
  std::string name_;
  FamilyType type_;
  std::string text_head_;
  std::string openmetrics_head_;
};

/// The text of metrics as it is written. A family of which there is no line leaves no head either.
class Exposition {
 public:
  /// `expected`: bytes to make room for.
  explicit Exposition(Syntax syntax, std::size_t expected = 64 << 10) : syntax_(syntax) { text_.reserve(expected); }

  Syntax syntax() const { return syntax_; }

  /// What is added from now on is of this family, which must outlive that. Each only once.
  void begin(const Family& family);

  /// A line. `labels` and `more`: each empty, or as add_label() made them. A number that is not finite is no line; of
  /// others 12 digits count, so that 97.4 percent are 0.974, and a time of today has its milliseconds.
  void add(std::string_view labels, double value) { add(labels, {}, value); }
  void add(std::string_view labels, std::string_view more, double value);
  void add(std::string_view labels, std::unsigned_integral auto value) { add(labels, {}, value); }
  void add(std::string_view labels, std::string_view more, std::unsigned_integral auto value) {
    add_whole({}, labels, more, value);
  }

  /// A line of a histogram: its name has that suffix.
  void add_whole(std::string_view suffix, std::string_view labels, std::string_view more, std::uint64_t value);
  void add_number(std::string_view suffix, std::string_view labels, std::string_view more, double value);

  /// All of it, with the end that OpenMetrics wants.
  std::string finish() &&;

 private:
  void begin_line(std::string_view suffix, std::string_view labels, std::string_view more);

  const Syntax syntax_;
  const Family* family_ = nullptr;
  bool head_due_ = false;
  std::string text_;
};

}  // namespace gpukeeper::prometheus
