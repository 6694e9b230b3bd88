// A YAML file is edited as text, line by line, as no YAML library gives back comments and layout. What cannot be seen
// through is not guessed at: the result is read, and must say exactly what was wanted.
#include "config/file_edit.hpp"

#include <algorithm>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "core/display_text.hpp"
#include "core/text.hpp"

namespace gpukeeper::config {

using yaml::YamlNode;

namespace {

// A number or a plain word needs no quotes; a text that YAML or we could take for something else does.
std::string written(std::string_view json) {
  if (!json.starts_with('"')) return std::string(json);
  const auto inside = json.substr(1, json.size() - 2);
  const bool plain = !inside.empty() && inside.find_first_not_of(
                                            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                            "0123456789/._-") == inside.npos;
  const bool word = plain && inside.front() != '-' && inside != "null" && inside != "true" && inside != "false" &&
                    inside.find_first_not_of("0123456789.-") != inside.npos;
  return std::string(word ? inside : json);
}

std::string written(const Assignment& assigned) {
  Settings settings;
  Mistakes mistakes;
  const Key* key = find_key(assigned.key);
  key->take(settings, assigned.value, mistakes);
  return written(key->show(settings));
}

// What a file says, by itself and not judged as a whole: other layers may complete it.
Result<Settings> said(std::string_view text, std::string_view file) {
  const auto root = yaml::parse_yaml(text, file);
  if (!root) return tl::make_unexpected(root.error());
  Mistakes mistakes;
  Settings settings;
  for (const Assignment& each : assignments(*root, mistakes)) {
    find_key(each.key)->take(settings, each.value, mistakes);
  }
  if (mistakes.empty()) return settings;
  std::vector<std::string> sentences;
  for (const Mistake& each : mistakes.take()) {
    sentences.push_back(fmt::format("{}:{}:{}: {}", file, each.mark.line, each.mark.column, each.text));
  }
  return tl::make_unexpected(refusal(sentences));
}

// The text with its lines, and where things end in it.
class Editor {
 public:
  Editor(std::string text, YamlNode root) : text_(std::move(text)), root_(std::move(root)) {}

  std::string take() { return std::move(text_); }

  // Whether it could be seen how.
  bool set(std::string_view key, const std::string& value) {
    std::vector<std::string_view> names = split(key, '.');
    const YamlNode* map = &root_;
    const YamlNode::Entry* section = nullptr;
    while (map->kind == YamlNode::Kind::map) {
      const YamlNode::Entry* entry = find(*map, names.front());
      if (!entry) break;
      if (names.size() == 1) return replace(*map, *entry, value);
      names.erase(names.begin());
      section = entry;
      map = &entry->value;
    }
    if (map->kind != YamlNode::Kind::map && section) return false;
    std::string line = fmt::format("{}: {}", names.back(), value);
    for (auto name = names.rbegin() + 1; name != names.rend(); ++name) line = fmt::format("{}: {{{}}}", *name, line);
    return add(*map, section, line);
  }

 private:
  static const YamlNode::Entry* find(const YamlNode& map, std::string_view name) {
    const auto found = std::ranges::find(map.entries, name, &YamlNode::Entry::key);
    return found == map.entries.end() ? nullptr : &*found;
  }

  std::size_t line_begin(int line) const {
    std::size_t at = 0;
    for (int i = 1; i < line && at != std::string::npos; ++i) {
      at = text_.find('\n', at);
      if (at != std::string::npos) ++at;
    }
    return std::min(at, text_.size());
  }
  std::size_t offset(yaml::Mark mark) const {
    return std::min(line_begin(mark.line) + static_cast<std::size_t>(mark.column) - 1, text_.size());
  }
  std::size_t line_end(std::size_t at) const { return std::min(text_.find('\n', at), text_.size()); }

  bool is_flow(const YamlNode& map) const {
    const std::size_t at = offset(map.mark);
    return at < text_.size() && text_[at] == '{';
  }

  // Behind what begins at `at` in a flow mapping: brackets and quotes are skipped as wholes.
  std::size_t flow_end(std::size_t at) const {
    int depth = 0;
    char quote = 0;
    for (; at < text_.size(); ++at) {
      const char c = text_[at];
      if (quote != 0) {
        if (c == '\\' && quote == '"') ++at;
        if (c == quote) quote = 0;
      } else if (c == '"' || c == '\'') {
        quote = c;
      } else if (c == '[' || c == '{') {
        ++depth;
      } else if ((c == ']' || c == '}') && depth-- == 0) {
        break;
      } else if ((c == ',' || c == '\n') && depth == 0) {
        break;
      }
    }
    while (at > 0 && (text_[at - 1] == ' ' || text_[at - 1] == '\r')) --at;
    return at;
  }

  // Behind the last line that belongs to a key at this indentation, which stands in the line of `at`.
  std::size_t block_end(std::size_t at, std::size_t indentation) const {
    std::size_t end = line_end(at);
    for (std::size_t begin = end + 1; begin < text_.size(); begin = line_end(begin) + 1) {
      const std::string_view line = std::string_view(text_).substr(begin, line_end(begin) - begin);
      const auto first = line.find_first_not_of(" \r");
      if (first == line.npos || line[first] == '#') continue;  // may belong to what follows
      const bool item = line[first] == '-' && first == indentation;
      if (first <= indentation && !item) break;
      end = begin + line.size();
    }
    return end;
  }

  // Where a comment begins that follows a value in this line; the line's end where none does.
  std::size_t comment_or_end(std::size_t at) const {
    const std::size_t end = line_end(at);
    char quote = 0;
    std::size_t last = at;  // behind the last character that is no blank
    for (; at < end; ++at) {
      const char c = text_[at];
      if (quote != 0) {
        if (c == '\\' && quote == '"') ++at;
        if (c == quote) quote = 0;
      } else if ((c == '"' || c == '\'') && (at == 0 || text_[at - 1] == ' ' || text_[at - 1] == '[')) {
        quote = c;
      } else if (c == '#' && at > 0 && text_[at - 1] == ' ') {
        return last;
      }
      if (c != ' ' && c != '\r') last = at + 1;
    }
    return last;
  }

  bool replace(const YamlNode& map, const YamlNode::Entry& entry, const std::string& value) {
    const std::size_t key = offset(entry.key_mark);
    if (std::string_view(text_).substr(key, entry.key.size()) != entry.key) return false;  // quoted, or an alias
    const std::size_t colon = key + entry.key.size();
    if (colon >= text_.size() || text_[colon] != ':') return false;
    if (is_flow(map)) {
      text_.replace(colon + 1, flow_end(colon + 1) - colon - 1, " " + value);
      return true;
    }
    const std::size_t indentation = static_cast<std::size_t>(entry.key_mark.column) - 1;
    const std::size_t end = block_end(key, indentation);
    const bool one_line = end == line_end(key);
    const std::size_t stop = one_line ? comment_or_end(colon + 1) : end;
    text_.replace(colon + 1, stop - colon - 1, " " + value);
    return true;
  }

  bool add(const YamlNode& map, const YamlNode::Entry* section, const std::string& line) {
    if (map.kind == YamlNode::Kind::map && is_flow(map)) {
      text_.insert(offset(map.mark) + 1, line + (map.entries.empty() ? "" : ", "));
      return true;
    }
    if (!section) {
      if (!text_.empty() && !text_.ends_with('\n')) text_ += '\n';
      text_ += line + "\n";
      return true;
    }
    if (map.entries.empty()) return false;
    const std::size_t indentation = static_cast<std::size_t>(map.entries.front().key_mark.column) - 1;
    const std::size_t end =
        block_end(offset(section->key_mark), static_cast<std::size_t>(section->key_mark.column) - 1);
    text_.insert(end, "\n" + std::string(indentation, ' ') + line);
    return true;
  }

  std::string text_;
  const YamlNode root_;
};

}  // namespace

Result<std::string> edited(std::string_view text, std::string_view file, std::span<const Assignment> assignments) {
  auto wanted = said(text, file);
  if (!wanted) return tl::make_unexpected(wanted.error());
  std::string result(text);
  for (const Assignment& each : assignments) {
    Mistakes mistakes;
    find_key(each.key)->take(*wanted, each.value, mistakes);
    auto root = yaml::parse_yaml(result, file);
    if (!root) return tl::make_unexpected(root.error());
    Editor editor(result, std::move(*root));
    const bool seen = editor.set(each.key, written(each));
    std::string next = editor.take();
    const auto now = said(next, file);
    if (!seen || !now || !(*now == *wanted)) {
      return fail(Errc::not_supported, fmt::format("{}: {} is written in a way that is not edited by a program: write "
                                                   "'{}: {}' there by hand",
                                                   file, each.key, each.key, written(each)));
    }
    result = std::move(next);
  }
  return result;
}

}  // namespace gpukeeper::config
