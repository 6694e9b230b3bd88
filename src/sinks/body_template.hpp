#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "sinks/alert_notice.hpp"

namespace gpukeeper {

/// The body of a webhook, written by an operator: text with placeholders such as {message}.
///
/// A placeholder is a word of small letters and underscores in braces; every other brace stands for itself, so that
/// JSON is written as JSON. Values are made safe for what the body is: escaped in JSON, percent-encoded in a form, as
/// they are (control characters apart) in anything else. A number that an alert does not have is null in JSON and
/// empty elsewhere.
class BodyTemplate {
 public:
  /// `content_type`: application/json (also with +json at its end) and application/x-www-form-urlencoded are known,
  /// anything else is text.
  /// Errors: invalid_argument for an unknown placeholder, or for what would be no JSON though it should be.
  static Result<BodyTemplate> parse(std::string_view text, std::string_view content_type);

  std::string fill(const AlertNotice& notice) const;

  static constexpr std::size_t kLongest = 16 * 1024;  ///< bytes of a template; more is an error

 private:
  enum class Form { json, url_encoded, text };
  struct Piece {
    std::string text;      // as it is
    int placeholder = -1;  // after it; none at the end
  };
  template <class ValueOf>
  std::string fill_with(ValueOf value_of) const;

  Form form_ = Form::text;
  std::vector<Piece> pieces_;
};

}  // namespace gpukeeper
