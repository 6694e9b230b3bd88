#pragma once

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "core/rfc3339.hpp"
#include "format/json_text.hpp"

// Included by source files only: the library is heavy.

namespace gpukeeper {

/// Reads the members of a document that somebody else wrote. Those that are missing or of another type are as if they
/// were null; so are all of what is no object.
class JsonObject {
 public:
  /// `json` must outlive it.
  explicit JsonObject(const Json& json) : json_(&json) {}

  /// Null when it is missing.
  const Json* find(std::string_view name) const {
    if (!json_->is_object()) return nullptr;
    const auto found = json_->find(name);
    return found == json_->end() ? nullptr : &*found;
  }
  std::string text(std::string_view name) const { return text_or_nothing(name).value_or(""); }
  std::optional<std::string> text_or_nothing(std::string_view name) const {
    const Json* member = find(name);
    return member && member->is_string() ? std::optional(member->get<std::string>()) : std::nullopt;
  }
  std::optional<double> number(std::string_view name) const {
    const Json* member = find(name);
    return member && member->is_number() ? std::optional(member->get<double>()) : std::nullopt;
  }
  std::optional<std::int64_t> integer(std::string_view name) const {
    const Json* member = find(name);
    if (!member || !member->is_number_integer()) return std::nullopt;
    if (member->is_number_unsigned() && member->get<std::uint64_t>() > std::numeric_limits<std::int64_t>::max()) {
      return std::nullopt;
    }
    return member->get<std::int64_t>();
  }
  std::optional<std::uint64_t> whole(std::string_view name) const {
    const Json* member = find(name);
    return member && member->is_number_unsigned() ? std::optional(member->get<std::uint64_t>()) : std::nullopt;
  }
  /// A whole number of 32 bits.
  std::optional<std::uint32_t> small(std::string_view name) const {
    const auto number = whole(name);
    if (!number || *number > std::numeric_limits<std::uint32_t>::max()) return std::nullopt;
    return static_cast<std::uint32_t>(*number);
  }
  bool flag(std::string_view name) const {
    const Json* member = find(name);
    return member && member->is_boolean() && member->get<bool>();
  }
  std::optional<WallTime> time(std::string_view name) const {
    const auto value = text_or_nothing(name);
    return value ? parse_rfc3339(*value) : std::nullopt;
  }
  /// One without members where it is missing.
  JsonObject object(std::string_view name) const {
    static const Json kNone;
    const Json* member = find(name);
    return JsonObject(member ? *member : kNone);
  }
  /// The elements of a list; none where there is no such list.
  const Json& list(std::string_view name) const {
    static const Json kNone = Json::array();
    const Json* member = find(name);
    return member && member->is_array() ? *member : kNone;
  }

 private:
  const Json* json_;
};

/// The value whose to_string is that word.
template <class T, std::size_t N>
T word_of(const T (&all)[N], std::string_view word, T otherwise) {
  const T* found = std::ranges::find_if(all, [word](T each) { return to_string(each) == word; });
  return found == std::end(all) ? otherwise : *found;
}

}  // namespace gpukeeper
