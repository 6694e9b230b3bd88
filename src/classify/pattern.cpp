#include "classify/pattern.hpp"

#include <algorithm>

#include "classify/fold.hpp"

namespace gpukeeper::classify {
namespace {

bool is_word(std::string_view pattern) {
  return pattern.size() > 2 && pattern.front() == '<' && pattern.back() == '>';
}

bool is_glob(std::string_view pattern) {
  return pattern.find_first_of("*?") != std::string_view::npos;
}

std::string inner(std::string_view word) {
  return folded(word.substr(1, word.size() - 2));
}

}  // namespace

bool has_word(std::string_view word, std::string_view text) {
  for (auto at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
    const auto end = at + word.size();
    if ((at == 0 || !is_letter(text[at - 1])) && (end == text.size() || !is_letter(text[end]))) return true;
  }
  return false;
}

NamePatterns::NamePatterns(std::vector<std::string> written) : written_(std::move(written)) {
  for (const std::string& each : written_) {
    if (is_word(each)) {
      words_.push_back(inner(each));
    } else if (is_glob(each)) {
      globs_.push_back(folded(each));
    } else {
      std::string name = folded(each);
      exact_.push_back({hash_of(name), std::move(name)});
    }
  }
  std::ranges::sort(exact_, {}, &Exact::hash);
}

std::optional<std::size_t> NamePatterns::match(const Program& program) const {
  for (const NameForm& form : program.forms) {
    if (match(form)) return form.name;
  }
  return std::nullopt;
}

bool NamePatterns::match(const NameForm& form) const {
  auto same = std::ranges::lower_bound(exact_, form.hash, {}, &Exact::hash);
  for (; same != exact_.end() && same->hash == form.hash; ++same) {
    if (same->text == form.text) return true;
  }
  return std::ranges::any_of(globs_, [&](const std::string& glob) { return fits(glob, form.text); }) ||
         std::ranges::any_of(words_, [&](const std::string& word) { return has_word(word, form.text); });
}

ArgumentPatterns::ArgumentPatterns(std::vector<std::string> written) : written_(std::move(written)) {
  for (const std::string& each : written_) {
    const auto blank = each.find(' ');
    Pattern pattern;
    pattern.word = is_word(each);
    pattern.text = pattern.word ? inner(each) : folded(each.substr(0, blank));
    if (!pattern.word && blank != std::string::npos) pattern.value = folded(each.substr(blank + 1));
    patterns_.push_back(std::move(pattern));
  }
}

const std::string* ArgumentPatterns::match(const std::vector<std::string>& arguments) const {
  for (std::size_t i = 0; i < patterns_.size(); ++i) {
    for (std::size_t at = 0; at < arguments.size(); ++at) {
      if (match(patterns_[i], arguments, at)) return &written_[i];
    }
  }
  return nullptr;
}

bool ArgumentPatterns::match(const Pattern& pattern, const std::vector<std::string>& arguments, std::size_t at) {
  const std::string_view argument = arguments[at];
  if (pattern.word) return has_word(pattern.text, argument);
  const auto equals = argument.find('=');
  const bool assigned = equals != std::string_view::npos && pattern.text.starts_with('-');
  if (pattern.value.empty()) {
    return fits(pattern.text, argument) || (assigned && fits(pattern.text, argument.substr(0, equals)));
  }
  if (assigned && fits(pattern.text, argument.substr(0, equals))) {
    return fits(pattern.value, argument.substr(equals + 1));
  }
  return at + 1 < arguments.size() && fits(pattern.text, argument) && fits(pattern.value, arguments[at + 1]);
}

PathPatterns::PathPatterns(std::vector<std::string> written) : written_(std::move(written)) {
  for (const std::string& each : written_) globs_.push_back(folded(each));
}

const std::string* PathPatterns::match(const std::vector<std::string>& paths) const {
  for (std::size_t i = 0; i < globs_.size(); ++i) {
    for (const std::string& path : paths) {
      if (fits(globs_[i], path)) return &written_[i];
    }
  }
  return nullptr;
}

}  // namespace gpukeeper::classify
