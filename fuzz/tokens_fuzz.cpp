// A file of tokens, and what is written of a change, whatever they hold: what is read is written and read again as it
// was; a line of the audit log is one line of JSON.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "auth/audit_log.hpp"
#include "auth/token.hpp"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gpukeeper::auth;
  const std::string text(reinterpret_cast<const char*>(data), size);
  if (const auto tokens = parse_tokens(text)) {
    const auto again = parse_tokens(tokens_text(*tokens));
    require(again && *again == *tokens);
    require(find_token(*tokens, text, {}) == nullptr);
  }
  const std::string line = audit_line({.who = text, .what = text, .asked = text, .status = 200, .answer = text});
  require(line.find('\n') == line.npos);
  require(nlohmann::json::parse(line, nullptr, false).is_object());
  return 0;
}
