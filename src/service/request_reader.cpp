// The only source file beside network_library.cpp that knows Beast: its parser, and nothing of its streams.
#include "service/request_reader.hpp"

#include <algorithm>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include <fmt/format.h>

#include "service/target.hpp"

namespace gpukeeper::service {

namespace beast_http = boost::beast::http;

struct RequestReader::Parser : beast_http::request_parser<beast_http::string_body> {};

namespace {

constexpr std::size_t kShortestChunk = 5;
constexpr std::size_t kMostForAByte = 8;  // of framing and all, for each byte of a body in chunks

std::string_view view(boost::beast::string_view text) {
  return {text.data(), text.size()};
}

std::ptrdiff_t occurrences(const Request& request, std::string_view name) {
  return std::ranges::count_if(request.headers, [&](const Header& h) { return same_ignoring_case(h.first, name); });
}

}  // namespace

RequestReader::RequestReader(ReaderLimits limits) : limits_(limits) {}
RequestReader::~RequestReader() = default;

RequestReader::State RequestReader::state() const {
  return state_;
}

bool RequestReader::begun() const {
  return begun_;
}

bool RequestReader::take_expectation() {
  return std::exchange(expects_continue_, false);
}

Request RequestReader::take() {
  Request result = std::move(request_);
  request_ = {};
  state_ = State::reading;
  begun_ = head_checked_ = expects_continue_ = false;
  taken_ = 0;
  return result;
}

Response RequestReader::refusal() const {
  return refusal_;
}

void RequestReader::fail(unsigned status, std::string_view code, std::string_view detail) {
  state_ = State::refused;
  refusal_ = problem(status, code, detail);
  refusal_.close = true;
  parser_.reset();
}

std::size_t RequestReader::put(std::string_view bytes) {
  if (state_ != State::reading) return 0;
  std::size_t used = 0;
  if (!begun_) {  // RFC 9112, 2.2: line ends before a request are passed over
    while (used < bytes.size() && (bytes[used] == '\r' || bytes[used] == '\n')) ++used;
    bytes.remove_prefix(used);
  }
  if (bytes.empty()) return used;
  begun_ = true;
  // Beast 1.81 asserts that a last chunk which it looks at again has its 5 bytes, "0 CRLF CRLF". No chunk ends sooner,
  // so waiting for them delays nothing.
  if (parser_ && parser_->is_header_done() && parser_->chunked() && bytes.size() < kShortestChunk) return used;
  if (!parser_) {
    parser_ = std::make_unique<Parser>();
    parser_->eager(true);
    parser_->header_limit(static_cast<std::uint32_t>(limits_.head));
    parser_->body_limit(limits_.body);
  }

  boost::beast::error_code error;
  const std::size_t parsed = parser_->put(boost::asio::buffer(bytes.data(), bytes.size()), error);
  used += parsed;
  taken_ += parsed;
  if (parser_->is_header_done() && !head_checked_ && (!error || error == beast_http::error::need_more)) check_head();
  if (state_ == State::refused) return used;
  if (error == beast_http::error::header_limit ||
      (error == beast_http::error::need_more && !parser_->is_header_done() && bytes.size() > limits_.head)) {
    fail(431, "head_too_large", fmt::format("the request line and headers are longer than {} bytes", limits_.head));
  } else if (error == beast_http::error::body_limit) {
    fail(413, "body_too_large", fmt::format("the body is longer than {} bytes", limits_.body));
  } else if (error == beast_http::error::bad_version) {
    fail(505, "version_not_supported", "only HTTP/1.1 and HTTP/1.0 are spoken here");
  } else if (error && error != beast_http::error::need_more) {
    fail(400, "bad_request", fmt::format("this is no HTTP request: {}", error.message()));
  } else if (parser_->is_done()) {
    complete();
  } else if (parser_->is_header_done() && parser_->chunked() && bytes.size() - parsed > limits_.head) {
    // Beast's limits know the body alone: these bytes are kept until the line, or all trailers, have come.
    fail(400, "bad_request", fmt::format("a chunk's size or the trailers are longer than {} bytes", limits_.head));
  } else if (taken_ > limits_.head + kMostForAByte * limits_.body) {
    fail(413, "body_too_large", "the chunks of the body are framing more than body");
  }
  return used;
}

// What can be judged before the body comes.
void RequestReader::check_head() {
  head_checked_ = true;
  const auto& message = parser_->get();
  request_.version = message.version();
  for (const auto& field : message) {
    request_.headers.emplace_back(view(field.name_string()), view(field.value()));
  }
  if (occurrences(request_, "Host") > 1) return fail(400, "bad_request", "there are two Host headers");
  if (request_.version == 11 && !request_.header("Host")) {
    return fail(400, "bad_request", "a request of HTTP/1.1 must have a Host header");
  }
  // Beast takes a coding that it does not know for no body at all: the body would be read as the next request.
  if (const auto coding = request_.header("Transfer-Encoding")) {
    if (request_.version == 10) return fail(400, "bad_request", "HTTP/1.0 has no Transfer-Encoding");
    if (occurrences(request_, "Transfer-Encoding") > 1 || !same_ignoring_case(*coding, "chunked")) {
      return fail(501, "coding_not_supported", "the only Transfer-Encoding read here is chunked");
    }
  }
  if (const auto expectation = request_.header("Expect"); expectation && request_.version == 11) {
    if (!same_ignoring_case(*expectation, "100-continue")) {
      return fail(417, "expectation_failed", "the only expectation known here is 100-continue");
    }
    expects_continue_ = !parser_->is_done();
  }
}

void RequestReader::complete() {
  request_.keep_alive = parser_->keep_alive();
  auto message = parser_->release();
  parser_.reset();
  request_.method = view(message.method_string());
  request_.target = view(message.target());
  request_.body = std::move(message.body());
  auto target = parse_target(request_.target);
  if (!target) return fail(400, "bad_target", target.error().message);
  request_.path = std::move(target->path);
  request_.query = std::move(target->query);
  if (!target->authority.empty()) {  // RFC 9112, 3.2.2: it stands above Host
    std::erase_if(request_.headers, [](const Header& header) { return same_ignoring_case(header.first, "Host"); });
    request_.headers.emplace_back("Host", std::move(target->authority));
  }
  state_ = State::complete;
}

}  // namespace gpukeeper::service
