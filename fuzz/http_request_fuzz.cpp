// Bytes of any kind from a client: whatever they are and however they are cut, the same requests are read out of them,
// and every request has an answer. A refusal may come sooner or later: the parser waits for the end of a head that
// comes in pieces before it looks at it again.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "service/request_reader.hpp"
#include "service/router.hpp"
#include "service/site_guard.hpp"

namespace {

using namespace gpukeeper::service;

constexpr ReaderLimits kLimits{.head = 2048, .body = 512};

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

const Router& router() {
  static const Router instance({
      {"GET", "/", "", [](const Request&) { return json_answer(200, "{}"); }},
      {"GET", "/a/{b}", "", [](const Request& r) { return json_answer(200, r.parameters.at("b")); }},
      {"POST", "/a/{b}/c", "", [](const Request& r) { return json_answer(200, r.body); }},
  });
  return instance;
}

std::string answer(Request request) {
  require(!request.path.empty() && (request.path[0] == '/' || request.path == "*"), "a path begins with a slash");
  require(request.body.size() <= kLimits.body, "a body is bounded");
  require(request.version == 10 || request.version == 11, "the version is one that we speak");
  require(request.version == 10 || request.header("Host"), "HTTP/1.1 has a Host");
  const bool reads_only = request.reads_only();
  const bool has_origin = request.header("Origin").has_value();
  const auto refusal = SiteGuard({"box"}).refuse(request);
  const Response response = refusal ? *refusal : router().answer(request);
  require(reason_phrase(response.status) != "Unknown", "a status that has its words");
  require(reads_only || !has_origin || refusal.has_value() || request.header("Host").has_value(),
          "another site changes nothing");
  const std::string head = response_head(response, "date", request.keep_alive);
  const auto line_ends = std::ranges::count(head, '\n');
  require(line_ends == std::ranges::count(head, '\r'), "nothing of a request breaks a line of the answer");
  require(head.find("\r\n\r\n") == head.size() - 4, "a head has one end");
  return head + (response.body ? *response.body : "");
}

// Everything that is answered to the bytes when they come `step` at a time.
std::vector<std::string> conversation(std::string_view bytes, std::size_t step) {
  RequestReader reader(kLimits);
  std::vector<std::string> answers;
  std::string unread;
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    unread += bytes.substr(at, step);
    for (;;) {
      const std::size_t used = reader.put(unread);
      require(used <= unread.size(), "no more is used than there was");
      unread.erase(0, used);
      if (reader.state() != RequestReader::State::complete) break;
      answers.push_back(answer(reader.take()));
    }
    if (reader.state() == RequestReader::State::refused) {
      require(reader.refusal().status >= 400 && reader.refusal().close, "a refusal is an error and the end");
      return answers;
    }
    require(unread.size() <= kLimits.head + step + kLimits.body, "what is kept unread is bounded");
  }
  return answers;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto whole = conversation(bytes, std::max<std::size_t>(size, 1));
  require(conversation(bytes, 1) == whole, "bytes that come one by one say the same");
  require(conversation(bytes, 13) == whole, "bytes that come in pieces say the same");
  return 0;
}
