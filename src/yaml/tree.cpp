#include "yaml/tree.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <sstream>
#include <utility>

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

namespace gpukeeper::yaml {
namespace {

// yaml-cpp's parser can only be stopped by an exception, so mistakes found while it runs travel as one; it does not
// leave this file.
struct Refused {
  Mark mark;
  std::string message;
};

Mark mark_of(const YAML::Mark& mark) {
  if (mark.is_null()) return {};
  return {mark.line + 1, mark.column + 1};
}

std::size_t count_nodes(const YamlNode& node) {
  std::size_t count = 1;
  for (const YamlNode& item : node.items) count += count_nodes(item);
  for (const YamlNode::Entry& entry : node.entries) count += 1 + count_nodes(entry.value);
  return count;
}

std::size_t depth_of(const YamlNode& node) {
  std::size_t deepest = 0;
  for (const YamlNode& item : node.items) deepest = std::max(deepest, depth_of(item));
  for (const YamlNode::Entry& entry : node.entries) deepest = std::max(deepest, depth_of(entry.value));
  return deepest + 1;
}

// Builds the tree from the parser's events rather than from YAML::Node: events carry the mark of every node, and stop
// an input that nests or repeats without end while it is being read.
class Builder final : public YAML::EventHandler {
 public:
  YamlNode take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (documents_++ > 0) refuse(mark_of(mark), "there must be one YAML document, and here a second one begins");
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    YamlNode node;
    node.mark = mark_of(mark);
    add(std::move(node), anchor);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    plain_ = false;
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) refuse(mark_of(mark), "this alias stands inside what it refers to");
    const Anchor& source = found->second;
    grow(source.nodes, mark_of(mark));
    if (open_.size() + source.depth > kMaxYamlDepth) refuse(mark_of(mark), too_deep());
    place(source.node, mark_of(mark));
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override {
    YamlNode node;
    node.mark = mark_of(mark);
    node.kind = YamlNode::Kind::scalar;
    node.text = text;
    plain_ = tag == "?";
    add(std::move(node), anchor);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    begin(YamlNode::Kind::sequence, mark, anchor);
  }
  void OnSequenceEnd() override { end(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    begin(YamlNode::Kind::map, mark, anchor);
  }
  void OnMapEnd() override {
    merge(open_.back());
    end();
  }

 private:
  struct Open {
    YamlNode node;
    YAML::anchor_t anchor = 0;
    std::optional<YamlNode> key;  // read, and waiting for its value
    bool key_is_merge = false;
    std::map<std::string, Mark, std::less<>> seen;  // of a map: its keys
    std::vector<YamlNode> merges;                   // what `<<` named
  };
  struct Anchor {
    YamlNode node;
    std::size_t nodes = 0;
    std::size_t depth = 0;
  };

  [[noreturn]] static void refuse(Mark mark, std::string message) { throw Refused{mark, std::move(message)}; }
  static std::string too_deep() { return fmt::format("nested more than {} deep", kMaxYamlDepth); }

  void grow(std::size_t nodes, Mark mark) {
    nodes_ += nodes;
    if (nodes_ > kMaxYamlNodes) {
      refuse(mark, fmt::format("too large: more than {} values, counting what aliases repeat", kMaxYamlNodes));
    }
  }

  void begin(YamlNode::Kind kind, const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (open_.size() >= kMaxYamlDepth) refuse(mark_of(mark), too_deep());
    grow(1, mark_of(mark));
    Open open;
    open.node.mark = mark_of(mark);
    open.node.kind = kind;
    open.anchor = anchor;
    open_.push_back(std::move(open));
    plain_ = false;
  }

  void end() {
    Open open = std::move(open_.back());
    open_.pop_back();
    plain_ = false;
    remember(open.node, open.anchor);
    const Mark mark = open.node.mark;
    place(std::move(open.node), mark);
  }

  void add(YamlNode node, YAML::anchor_t anchor) {
    grow(1, node.mark);
    remember(node, anchor);
    const Mark mark = node.mark;
    place(std::move(node), mark);
  }

  void remember(const YamlNode& node, YAML::anchor_t anchor) {
    if (anchor == 0) return;
    const std::size_t nodes = count_nodes(node);
    grow(nodes, node.mark);  // the copy counts too
    anchors_[anchor] = Anchor{node, nodes, depth_of(node)};
  }

  // `mark` is where it stands, which for an alias is not where it was written.
  void place(YamlNode node, Mark mark) {
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& open = open_.back();
    if (open.node.kind == YamlNode::Kind::sequence) {
      open.node.items.push_back(std::move(node));
    } else if (!open.key) {
      open_key(open, std::move(node), mark);
    } else if (std::exchange(open.key_is_merge, false)) {
      if (node.kind != YamlNode::Kind::map) refuse(mark, "'<<' takes a mapping to merge, such as an alias '*name'");
      open.merges.push_back(std::move(node));
      open.key.reset();
    } else {
      open.node.entries.push_back({std::move(open.key->text), open.key->mark, std::move(node)});
      open.key.reset();
    }
  }

  void open_key(Open& open, YamlNode node, Mark mark) {
    if (node.kind != YamlNode::Kind::scalar) refuse(mark, "a key must be a word");
    node.mark = mark;
    open.key_is_merge = plain_ && node.text == "<<";
    const auto [first, added] = open.seen.try_emplace(node.text, mark);
    if (!added) refuse(mark, fmt::format("'{}' is given twice: first in line {}", node.text, first->second.line));
    open.key = std::move(node);
  }

  // What stands in the map itself wins over what is merged into it.
  static void merge(Open& open) {
    for (YamlNode& source : open.merges) {
      for (YamlNode::Entry& entry : source.entries) {
        if (!open.seen.try_emplace(entry.key, entry.key_mark).second) continue;
        open.node.entries.push_back(std::move(entry));
      }
    }
  }

  int documents_ = 0;
  bool plain_ = false;  // whether the scalar just read is unquoted
  std::size_t nodes_ = 0;
  std::vector<Open> open_;  // from the root to where the parser is
  std::map<YAML::anchor_t, Anchor> anchors_;
  YamlNode root_;
};

}  // namespace

Error refusal(std::string_view file, Mark mark, std::string_view message) {
  return {Errc::invalid_argument, fmt::format("{}:{}:{}: {}", file, mark.line, mark.column, message)};
}

const YamlNode* YamlNode::find(std::string_view key) const {
  for (const Entry& entry : entries) {
    if (entry.key == key) return &entry.value;
  }
  return nullptr;
}

Result<YamlNode> parse_yaml(std::string_view text, std::string_view file) {
  const auto refused = [&](Mark mark, std::string_view message) {
    return tl::make_unexpected(refusal(file, mark, message));
  };
  if (text.size() > kMaxYamlBytes) return refused({}, fmt::format("too large: more than {} bytes", kMaxYamlBytes));
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    Builder builder;
    while (parser.HandleNextDocument(builder)) {
    }
    return builder.take();
  } catch (const Refused& error) {
    return refused(error.mark, error.message);
  } catch (const YAML::Exception& error) {
    return refused(mark_of(error.mark), fmt::format("not YAML: {}", error.msg));
  }
}

}  // namespace gpukeeper::yaml
