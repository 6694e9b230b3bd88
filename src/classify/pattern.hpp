#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "classify/program.hpp"
#include "core/glob.hpp"

namespace gpukeeper::classify {

// Patterns and texts are folded (fold.hpp) before they meet.

using gpukeeper::fits;

/// Whether a word stands in the text with no letter beside it: "train" in "train_v2.py", not in "trainer".
bool has_word(std::string_view word, std::string_view text);

/// Names of programs: `xmrig` is the whole name (extension and version aside), `*miner` a glob, `<train>` a word.
class NamePatterns {
 public:
  NamePatterns() = default;
  explicit NamePatterns(std::vector<std::string> written);

  bool empty() const { return written_.empty(); }
  const std::vector<std::string>& written() const { return written_; }

  /// Which of the program's names is meant.
  std::optional<std::size_t> match(const Program& program) const;

 private:
  struct Exact {
    std::size_t hash = 0;
    std::string text;
  };
  bool match(const NameForm& form) const;

  std::vector<std::string> written_;
  std::vector<Exact> exact_;  // by hash
  std::vector<std::string> globs_;
  std::vector<std::string> words_;
};

/// Arguments: `--epochs` (also as --epochs=3), a glob over a whole argument, `<tensorflow>` a word in any, or an option
/// and a glob for its value with a blank between: `-c:v *_nvenc`.
class ArgumentPatterns {
 public:
  ArgumentPatterns() = default;
  explicit ArgumentPatterns(std::vector<std::string> written);

  bool empty() const { return written_.empty(); }
  const std::vector<std::string>& written() const { return written_; }

  /// The pattern that fits first, as written; null when none does.
  const std::string* match(const std::vector<std::string>& arguments) const;

 private:
  struct Pattern {
    std::string text;   // a glob, a word or an option
    std::string value;  // a glob for the value; empty: none asked for
    bool word = false;
  };
  static bool match(const Pattern& pattern, const std::vector<std::string>& arguments, std::size_t at);

  std::vector<std::string> written_;
  std::vector<Pattern> patterns_;  // as many, in the same order
};

/// Globs over whole paths.
class PathPatterns {
 public:
  PathPatterns() = default;
  explicit PathPatterns(std::vector<std::string> written);

  bool empty() const { return written_.empty(); }
  const std::vector<std::string>& written() const { return written_; }

  /// The pattern that fits, as written; null when none does.
  const std::string* match(const std::vector<std::string>& paths) const;

 private:
  std::vector<std::string> written_;
  std::vector<std::string> globs_;  // as many, in the same order
};

}  // namespace gpukeeper::classify
