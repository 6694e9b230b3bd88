// A blocking client over Asio's asynchronous operations: only these can be given up when their time is over. The
// context runs on the caller's thread until the one operation in progress has ended, or its deadline has come.
#include "client/exchange.hpp"

#include <array>
#include <optional>
#include <utility>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/un.h>

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include <fmt/format.h>

namespace gpukeeper::client {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;
using Deadline = std::chrono::steady_clock::time_point;

constexpr unsigned kHttp11 = 11;

asio::generic::stream_protocol::endpoint endpoint(const ListenAddress& address) {
  if (address.is_unix()) return asio::local::stream_protocol::endpoint(address.path);
  return asio::ip::tcp::endpoint(asio::ip::make_address(address.host), address.port);
}

std::string seconds(std::chrono::milliseconds time) {
  return fmt::format("{:g} s", std::chrono::duration<double>(time).count());
}

class Connection {
 public:
  Connection(const ListenAddress& address, const Limits& limits) : address_(address), limits_(limits) {}

  Result<void> open() {
    const auto error = await(limits_.connect, [&](auto done) { socket_.async_connect(endpoint(address_), done); });
    if (!error)
      return fail(Errc::deadline_exceeded, fmt::format("connect: no answer within {}", seconds(limits_.connect)));
    if (!*error) return {};
    return fail(code_of(*error), "connect: " + error->message());
  }

  Result<Reply> ask(const Question& question, std::stop_token stop) {
    const Wake wake(std::move(stop), Closer{*this});
    const Deadline until = std::chrono::steady_clock::now() + limits_.answer;
    if (auto secured = secure(question.trust, until); !secured) return tl::make_unexpected(secured.error());
    if (!send(question, until)) return late();
    http::response_parser<http::string_body> parser;
    parser.body_limit(limits_.body);
    boost::beast::flat_buffer buffer;
    const auto error = await(
        until, [&](auto done) { over_stream([&](auto& stream) { http::async_read(stream, buffer, parser, done); }); });
    if (!error) return late();
    if (*error == http::error::body_limit) {
      return fail(Errc::resource_exhausted, fmt::format("its answer is longer than {} bytes", limits_.body));
    }
    if (*error) return fail(Errc::unavailable, "it gave no answer: " + error->message());
    auto message = parser.release();
    return Reply{message.result_int(), std::string(message[http::field::content_type]),
                 std::string(message[http::field::etag]), std::move(message.body())};
  }

  Result<void> follow(const Question& question, std::stop_token stop,
                      const std::function<bool(std::string_view)>& take) {
    const Wake wake(stop, Closer{*this});
    const Deadline until = std::chrono::steady_clock::now() + limits_.answer;
    if (auto secured = secure(question.trust, until); !secured) return secured;
    if (!send(question, until)) return late();
    http::response_parser<http::buffer_body> parser;
    parser.body_limit(boost::none);
    boost::beast::flat_buffer buffer;
    const auto begun = await(until, [&](auto done) {
      over_stream([&](auto& stream) { http::async_read_header(stream, buffer, parser, done); });
    });
    if (stop.stop_requested()) return {};
    if (!begun) return late();
    if (*begun) return fail(Errc::unavailable, "it gave no answer: " + begun->message());
    const auto& head = parser.get();
    if (head.result_int() != 200) {
      return fail(gpukeeper::client::code_of(head.result_int()), fmt::format("it answered {}", head.result_int()));
    }
    if (!head[http::field::content_type].starts_with("text/event-stream")) {
      return fail(Errc::not_supported, "its answer is no stream of events");
    }
    std::array<char, 16'384> piece{};
    while (!parser.is_done()) {
      parser.get().body().data = piece.data();
      parser.get().body().size = piece.size();
      const auto read = await(limits_.silence, [&](auto done) {
        over_stream([&](auto& stream) { http::async_read_some(stream, buffer, parser, done); });
      });
      if (stop.stop_requested()) return {};
      if (!read) return fail(Errc::deadline_exceeded, fmt::format("it said nothing for {}", seconds(limits_.silence)));
      if (*read && *read != http::error::need_buffer) break;
      const std::size_t unused = parser.get().body().size;
      if (unused < piece.size() && !take({piece.data(), piece.size() - unused})) return {};
    }
    return fail(Errc::unavailable, "it ended the stream of events");
  }

 private:
  using Socket = asio::generic::stream_protocol::socket;
  using TlsStream = asio::ssl::stream<Socket&>;

  // What is awaited ends with an error then.
  struct Closer {
    Connection& connection;
    void operator()() const {
      asio::post(connection.context_, [this] { connection.close(); });
    }
  };
  using Wake = std::stop_callback<Closer>;

  template <class Operation>
  void over_stream(Operation operation) {
    tls_ ? operation(*tls_) : operation(socket_);
  }

  // Agrees on keys, and looks whether it is the machine that was asked for; nothing to do without TLS.
  Result<void> secure(const Trust* trust, Deadline until) {
    if (!address_.tls) return {};
    Result<Trust> own = trust ? Result<Trust>(*trust) : open_trust(address_.host, [](auto) { return std::nullopt; });
    if (!own) return tl::make_unexpected(own.error());
    // Its members that make a connection do not say that they leave it as it is.
    trust_ = std::const_pointer_cast<asio::ssl::context>(own->of);
    tls_.emplace(socket_, *trust_);
    SSL* const connection = tls_->native_handle();
    X509_VERIFY_PARAM* const expected = ::SSL_get0_param(connection);
    if (::X509_VERIFY_PARAM_set1_ip_asc(expected, own->name.c_str()) != 1) {
      ::X509_VERIFY_PARAM_set1_host(expected, own->name.c_str(), own->name.size());
      // As SSL_set_tlsext_host_name does, which is a macro with a cast of C.
      ::SSL_ctrl(connection, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, own->name.data());
    }
    ::ERR_clear_error();
    const auto error = await(until, [&](auto done) { tls_->async_handshake(asio::ssl::stream_base::client, done); });
    if (!error) return late();
    if (!*error) return {};
    if (const long verdict = ::SSL_get_verify_result(connection); verdict != X509_V_OK) {
      return fail(Errc::unauthenticated,
                  fmt::format("its certificate is not to be believed: {}; GPUKEEPER_CA names a file of the authorities "
                              "that are",
                              ::X509_verify_cert_error_string(verdict)));
    }
    if (error->category() == asio::error::get_ssl_category() &&
        ERR_GET_REASON(static_cast<unsigned long>(error->value())) == SSL_R_WRONG_VERSION_NUMBER) {
      return fail(Errc::unavailable, "no TLS is spoken there: ask with http:// in place of https://");
    }
    return fail(Errc::unavailable, "TLS: " + error->message());
  }

  bool send(const Question& question, Deadline until) {
    http::request<http::string_body> request;
    request.version(kHttp11);
    request.method_string({question.method.data(), question.method.size()});
    request.target({question.target.data(), question.target.size()});
    request.set(http::field::host, host());
    request.set(http::field::user_agent, "gpukeeper");
    request.set(http::field::accept, std::string(question.accept));
    if (!question.token.empty()) request.set(http::field::authorization, "Bearer " + std::string(question.token));
    if (!question.known.empty()) request.set(http::field::if_none_match, std::string(question.known));
    request.keep_alive(false);
    if (!question.json.empty()) request.set(http::field::content_type, "application/json");
    request.body() = question.json;
    request.prepare_payload();
    // A refusal may come before all was sent, and the other side may close then: what it said counts.
    return await(until,
                 [&](auto done) { over_stream([&](auto& stream) { http::async_write(stream, request, done); }); })
        .has_value();
  }

  std::string host() const {
    if (address_.is_unix()) return "localhost";
    ListenAddress address = address_;
    address.tls = false;  // a host is written without what is spoken there
    return address.to_string();
  }

  static Errc code_of(const error_code& error) {
    if (error == boost::system::errc::permission_denied) return Errc::not_permitted;
    if (error == boost::system::errc::no_such_file_or_directory || error == boost::system::errc::connection_refused ||
        error == boost::system::errc::not_a_directory) {
      return Errc::not_found;
    }
    return Errc::unavailable;
  }

  tl::unexpected<Error> late() const {
    return fail(Errc::deadline_exceeded, fmt::format("it gave no answer within {}", seconds(limits_.answer)));
  }

  template <class Start>
  std::optional<error_code> await(std::chrono::milliseconds time, Start start) {
    return await(std::chrono::steady_clock::now() + time, start);
  }

  // How the operation ended; nothing when it was given up.
  template <class Start>
  std::optional<error_code> await(Deadline until, Start start) {
    std::optional<error_code> result;
    start([&](const error_code& error, auto...) { result = error; });
    context_.restart();
    context_.run_until(until);
    if (result) return result;
    close();
    context_.run();  // the operation ends with an error now: it must not outlive what it refers to
    return std::nullopt;
  }

  void close() {
    error_code ignored;
    socket_.close(ignored);
  }

  const ListenAddress& address_;
  const Limits& limits_;
  asio::io_context context_{1};
  Socket socket_{context_};
  std::shared_ptr<asio::ssl::context> trust_;  // of the next one
  std::optional<TlsStream> tls_;               // nothing where none is spoken
};

}  // namespace

Errc code_of(unsigned status) {
  switch (status) {
    case 400: return Errc::invalid_argument;
    case 401: return Errc::unauthenticated;
    case 403: return Errc::not_permitted;
    case 404: return Errc::not_found;
    case 405:
    case 501: return Errc::not_supported;
    case 409: return Errc::already_exists;
    case 429: return Errc::resource_exhausted;
    case 503: return Errc::unavailable;
    case 504: return Errc::deadline_exceeded;
    default: return Errc::internal;
  }
}

Result<void> knock(const ListenAddress& address, const Limits& limits) {
  return Connection(address, limits).open();
}

Result<Reply> exchange(const ListenAddress& address, const Question& question, const Limits& limits,
                       std::stop_token stop) {
  Connection connection(address, limits);
  if (const auto opened = connection.open(); !opened) return tl::make_unexpected(opened.error());
  return connection.ask(question, std::move(stop));
}

Result<void> follow(const ListenAddress& address, const Question& question, const Limits& limits, std::stop_token stop,
                    const std::function<bool(std::string_view piece)>& take) {
  Connection connection(address, limits);
  if (const auto opened = connection.open(); !opened) return opened;
  return connection.follow(question, std::move(stop), take);
}

}  // namespace gpukeeper::client
