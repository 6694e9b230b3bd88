// A rule file of any bytes is refused with file, line and column, or makes rules that judge any process: the verdict
// names one of them, and its reason can be printed. The input is a rule file, a NUL, then a command line as /proc has
// it.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "classify/classifier.hpp"
#include "core/display_text.hpp"
#include "core/text.hpp"

namespace {

using namespace gpukeeper;

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

void check_error(const Error& error, std::string_view file) {
  require(error.code == Errc::invalid_argument, "a refused rule file is an invalid argument");
  const std::string_view message = error.message;
  require(message.starts_with(file) && message.substr(file.size()).starts_with(':'),
          "the message begins with the file");
  const auto parts = split(message.substr(file.size() + 1), ':');
  require(parts.size() >= 3, "the message has line, column and words");
  require(parse_u64(parts[0]).value_or(0) >= 1, "the line counts from 1");
  require(parse_u64(parts[1]).value_or(0) >= 1, "the column counts from 1");
}

void check_verdict(const Classifier& classifier, const Evidence& evidence) {
  const auto verdict = classifier.classify(evidence);
  require(verdict.reason == harmless(verdict.reason), "the reason can be printed");
  require(!verdict.reason.empty() && verdict.reason.size() < 2000, "the reason is a sentence");
  require(verdict.confidence >= 0 && verdict.confidence <= 1, "confidence is from 0 to 1");
  const auto& rules = classifier.rules();
  const auto rule = std::ranges::find(rules, verdict.rule, &classify::Rule::name);
  require(verdict.rule.empty() ? verdict.kind == ProcessClass::unknown : rule != rules.end(), "the rule is there");
  if (rule != rules.end()) require(rule->kind == verdict.kind, "the class is the rule's");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::string_view kFile = "fuzz.yaml";
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto end = std::min(input.find('\0'), input.size());
  const auto classifier = Classifier::parse(input.substr(0, end), kFile);
  if (!classifier) check_error(classifier.error(), kFile);

  Evidence evidence{.arguments = split(input.substr(std::min(end + 1, input.size())), '\0')};
  evidence.executable = evidence.arguments.front();
  evidence.command = evidence.executable.substr(0, 15);
  for (const bool graphics : {false, true}) {
    evidence.type = {.compute = !graphics, .graphics = graphics};
    if (graphics) evidence.busy_for = std::chrono::hours(1);
    check_verdict(Classifier::built_in(), evidence);
    if (classifier) check_verdict(*classifier, evidence);
    evidence.executable = "/usr/bin/python3";
  }
  return 0;
}
