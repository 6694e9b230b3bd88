#include "service/http.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "format/json_text.hpp"

namespace gpukeeper::service {
namespace {

constexpr std::pair<unsigned, std::string_view> kReasons[] = {
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {303, "See Other"},
    {304, "Not Modified"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {413, "Content Too Large"},
    {415, "Unsupported Media Type"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {426, "Upgrade Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {503, "Service Unavailable"},
    {505, "HTTP Version Not Supported"},
};

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// These have no body, and so no length (RFC 9110, 8.6).
bool has_length(unsigned status) {
  return status != 204 && status != 304;
}

// What a browser may do with an answer that it shows: nothing, and a page of ours what is ours; none in a frame.
std::string_view content_policy(const Response& response) {
  const auto says_itself = [](const Header& header) { return header.first == "Content-Security-Policy"; };
  if (std::ranges::any_of(response.headers, says_itself)) return {};
  if (response.content_type.starts_with("text/html")) {
    return "Content-Security-Policy: default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
           "frame-ancestors 'none'\r\n";
  }
  return "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n";
}

}  // namespace

bool same_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, lower, lower);
}

std::optional<std::string_view> Request::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (same_ignoring_case(key, name)) return value;
  }
  return std::nullopt;
}

std::string_view reason_phrase(unsigned status) {
  const auto* const found = std::ranges::find(kReasons, status, &std::pair<unsigned, std::string_view>::first);
  return found == std::end(kReasons) ? "Unknown" : found->second;
}

Response json_answer(unsigned status, std::string document) {
  Response response;
  response.status = status;
  response.content_type = "application/json";
  response.body = std::make_shared<const std::string>(std::move(document));
  response.headers = {{"Cache-Control", "no-store"}};
  return response;
}

Response problem(unsigned status, std::string_view code, std::string_view detail) {
  const Json document = {{"title", reason_phrase(status)}, {"status", status}, {"code", code}, {"detail", detail}};
  auto response = json_answer(status, dump(document, false) + "\n");
  response.content_type = "application/problem+json";
  return response;
}

Response starting() {
  auto response = problem(503, "starting", "the GPUs are being looked at for the first time: try again in a second");
  response.headers.emplace_back("Retry-After", "1");
  return response;
}

std::string response_head(const Response& response, std::string_view date, bool keep_alive, std::string_view more) {
  std::string head =
      fmt::format("HTTP/1.1 {} {}\r\nDate: {}\r\n", response.status, reason_phrase(response.status), date);
  if (response.body || response.takeover) head += fmt::format("Content-Type: {}\r\n", response.content_type);
  if (has_length(response.status) && !response.takeover)
    head += fmt::format("Content-Length: {}\r\n", response.body_size());
  for (const auto& [name, value] : response.headers) head += fmt::format("{}: {}\r\n", name, value);
  head += "X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n";
  head += content_policy(response);
  head += more;
  head += keep_alive ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n";
  return head;
}

}  // namespace gpukeeper::service
