#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace gpukeeper::yaml {

/// A place in a text, both counted from 1, as editors do.
struct Mark {
  int line = 1;
  int column = 1;
};

/// "file:line:column: message", as compilers say it, so that editors jump to the place.
Error refusal(std::string_view file, Mark mark, std::string_view message);

/// One YAML node. Aliases are already followed and `<<` merged.
struct YamlNode {
  enum class Kind { null, scalar, sequence, map };
  struct Entry;

  Mark mark;
  Kind kind = Kind::null;
  std::string text;             ///< of a scalar
  std::vector<YamlNode> items;  ///< of a sequence
  std::vector<Entry> entries;   ///< of a map, in the order of the file; no key stands twice

  const YamlNode* find(std::string_view key) const;
};

struct YamlNode::Entry {
  std::string key;
  Mark key_mark;
  YamlNode value;
};

/// Reads a text of one YAML document; an empty text is a null node.
///
/// Input may be hostile: text, depth and the number of nodes (what aliases stand for included) are bounded.
/// Errors: invalid_argument "file:line:column: …".
Result<YamlNode> parse_yaml(std::string_view text, std::string_view file);

inline constexpr std::size_t kMaxYamlBytes = 1 << 19;  // below Files::kMaxFileBytes, so that no file is cut unseen
inline constexpr std::size_t kMaxYamlDepth = 32;
inline constexpr std::size_t kMaxYamlNodes = 100'000;

}  // namespace gpukeeper::yaml
