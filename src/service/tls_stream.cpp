// TLS over any socket. As in stream.hpp, with these rules for coroutines.
#include <array>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "service/stream.hpp"
#include "service/tls_context.hpp"

namespace gpukeeper::service {
namespace {

// The most of a TLS record: a head and a body that fit go together, in one record and one packet.
constexpr std::size_t kRecord = 16 << 10;

Stream::Begun what_failed(const error_code& error) {
  if (error.category() != asio::error::get_ssl_category()) return Stream::Begun::failed;
  switch (ERR_GET_REASON(static_cast<unsigned long>(error.value()))) {
    case SSL_R_HTTP_REQUEST:
    case SSL_R_HTTPS_PROXY_REQUEST: return Stream::Begun::plain_http;
    case SSL_R_CERTIFICATE_VERIFY_FAILED:
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE: return Stream::Begun::stranger;
    default: return Stream::Begun::failed;
  }
}

class TlsStream final : public Stream {
 public:
  TlsStream(Socket socket, SSL* connection) : stream_(std::move(socket), connection) {}

  asio::awaitable<Begun> begin(error_code& error) override {
    co_await stream_.async_handshake(asio::ssl::stream_base::server, asio::redirect_error(asio::use_awaitable, error));
    if (!error) co_return Begun::well;
    plain_ = true;  // what is left to say is said in the clear
    co_return what_failed(error);
  }

  asio::awaitable<std::size_t> read_some(asio::mutable_buffer room, error_code& error) override {
    if (plain_) co_return co_await socket().async_read_some(room, asio::redirect_error(asio::use_awaitable, error));
    co_return co_await stream_.async_read_some(room, asio::redirect_error(asio::use_awaitable, error));
  }

  asio::awaitable<void> write(std::string_view head, std::string_view body, error_code& error) override {
    const bool together = head.size() + body.size() <= kRecord;
    std::string first(head);
    if (together) first += body;
    co_await write_all(first, error);
    if (!error && !together) co_await write_all(body, error);
  }

  asio::awaitable<void> finish() override {
    error_code ignored;  // it has gone already
    // Says that this is all, and waits for the other to say so, or for cancel().
    if (!plain_) co_await stream_.async_shutdown(asio::redirect_error(asio::use_awaitable, ignored));
    plain_ = true;
    socket().shutdown(Socket::shutdown_send, ignored);
  }

  void when_gone(std::function<void()> gone) override {
    socket().async_wait(Socket::wait_error, [gone = std::move(gone)](const error_code& error) {
      if (!error) gone();
    });
  }

  void cancel() override {
    error_code ignored;
    socket().cancel(ignored);
  }

  std::optional<auth::Certificate> certificate() const override {
    // The handle is handed out by a function that is not const; it is not changed.
    return peer_certificate(const_cast<TlsStream*>(this)->stream_.native_handle());  // NOLINT
  }

 private:
  Socket& socket() { return stream_.next_layer(); }

  asio::awaitable<void> write_all(std::string_view bytes, error_code& error) {
    const asio::const_buffer all = asio::buffer(bytes.data(), bytes.size());
    if (plain_) {
      co_await asio::async_write(socket(), all, asio::redirect_error(asio::use_awaitable, error));
    } else {
      co_await asio::async_write(stream_, all, asio::redirect_error(asio::use_awaitable, error));
    }
  }

  asio::ssl::stream<Socket> stream_;
  bool plain_ = false;  // TLS is over, or never was
};

}  // namespace

std::unique_ptr<Stream> tls_stream(Socket socket, const TlsContext& context) {
  SSL* const connection = context.connection();
  if (!connection) return nullptr;
  return std::make_unique<TlsStream>(std::move(socket), connection);
}

}  // namespace gpukeeper::service
