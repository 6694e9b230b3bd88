#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/system/error_code.hpp>

#include "auth/certificate.hpp"

// Included by the network's source files only: Asio is heavy.
//
// Rules for the coroutines of this folder. g++ 12 miscompiles these forms without a word, and the object made there is
// destroyed twice:
//   1. no ?: with co_await in it
//   2. in a statement with co_await no aggregate made with braces, no lambda that captures, no initializer list as a
//      temporary: name it on the line before
//   3. a struct that a coroutine takes by value has a constructor
//   4. coroutines stay in these files
//   5. their tests run under the address sanitizer as built by g++
namespace gpukeeper::service {

namespace asio = boost::asio;
using boost::system::error_code;
using Socket = asio::generic::stream_protocol::socket;  // TCP and unix alike

class TlsContext;

/// A connection's two directions of bytes: plain, or with TLS.
class Stream {
 public:
  virtual ~Stream() = default;

  enum class Begun {
    well,
    failed,      ///< the other side speaks no TLS, or none that will do
    stranger,    ///< it has shown no certificate that somebody vouches for
    plain_http,  ///< it asks in the clear, as a browser does that was given "http://": from now on all goes in the
                 ///< clear
  };

  /// What comes before the first request: the handshake of TLS. Once, first. `error` says why it is not well.
  virtual asio::awaitable<Begun> begin(error_code& error) = 0;

  /// Bytes read; 0 with an error at the end, when cancelled, or when the client has gone.
  virtual asio::awaitable<std::size_t> read_some(asio::mutable_buffer room, error_code& error) = 0;

  /// Writes both, the one after the other.
  virtual asio::awaitable<void> write(std::string_view head, std::string_view body, error_code& error) = 0;

  /// No more will be written; the client sees the end. What is read from now on means nothing any more.
  virtual asio::awaitable<void> finish() = 0;

  /// Calls back when the client has gone altogether, though nothing is read; not after cancel(). Over TCP a client that
  /// goes in peace is not told from one that has only said all it had to say.
  virtual void when_gone(std::function<void()> gone) = 0;

  /// Ends the read or write in progress with an error, and what waits for the client to go.
  virtual void cancel() = 0;

  /// What the client has shown and somebody vouches for; after begin().
  virtual std::optional<auth::Certificate> certificate() const = 0;
};

std::unique_ptr<Stream> plain_stream(Socket socket);

/// Null when there is no memory left for it.
std::unique_ptr<Stream> tls_stream(Socket socket, const TlsContext& context);

}  // namespace gpukeeper::service
