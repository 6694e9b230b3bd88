// A target and an Accept-Encoding of any bytes: the query is read or refused in harmless words, the Link of a page
// leads to a target that is read again as the same query, and what is packed is unpacked as it was.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/display_text.hpp"
#include "recording/gzip.hpp"
#include "service/compression.hpp"
#include "service/query.hpp"
#include "service/target.hpp"

namespace {

using namespace gpukeeper;
using namespace gpukeeper::service;

constexpr std::size_t kLongestKey = 200;

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

void check_words(const Error& error) {
  require(error.code == Errc::invalid_argument, "a wrong query is an invalid argument");
  require(harmless(error.message) == error.message && error.message.size() < 1000, "a message is harmless and short");
}

void check_link(const Request& request, std::string_view key) {
  Response response;
  link_next(response, request, "list", key);
  const std::string& link = response.headers.back().second;
  require(std::ranges::all_of(link, [](char c) { return c >= ' ' && c <= '~'; }), "a header is printable");
  const auto end = link.find('>');
  require(link.starts_with("</") && link.substr(end) == ">; rel=\"next\"", "a link has its form");
  const auto target = parse_target(std::string_view(link).substr(1, end - 1));
  require(target.has_value() && target->path == request.path, "a link leads to the same path");
  Request next = request;
  next.query = target->query;
  const auto wish = page_wish(next, "list", 10);
  const bool limited = next.query.contains("limit");
  require(wish.has_value() || limited, "its cursor is understood");
  require(!wish || wish->after == key, "and says where the page ended");
  next.query.erase("cursor");
  auto query = request.query;
  query.erase("cursor");
  require(next.query == query, "all else is asked for again");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto end = std::min(bytes.find('\n'), bytes.size());
  const auto accepted = bytes.substr(0, end);
  const auto rest = bytes.substr(std::min(end + 1, bytes.size()));
  const bool packs = takes_gzip(accepted);
  require(!packs || accepted.find_first_of("gG*") != accepted.npos, "who names neither gzip nor * takes no gzip");
  const auto again = recording::unpack(gzip(rest), rest.size() + 1);
  require(again.end == recording::Unpacked::End::whole && again.text == rest, "what is packed is the same text");

  const auto target = parse_target(rest);
  if (!target) return 0;
  Request request;
  request.method = "GET";
  request.path = target->path;
  request.query = target->query;
  if (const auto known = check_parameters(request, {"device", "limit"}); !known) check_words(known.error());
  if (const auto list = list_parameter(request, "device"); !list) check_words(list.error());
  if (const auto wish = page_wish(request, "list", 10); !wish) check_words(wish.error());
  if (request.path.starts_with('/')) check_link(request, accepted.substr(0, kLongestKey));
  return 0;
}
