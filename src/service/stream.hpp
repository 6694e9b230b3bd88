#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/system/error_code.hpp>

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

/// A connection's two directions of bytes. An interface so that TLS can stand in it.
class Stream {
 public:
  virtual ~Stream() = default;

  /// Bytes read; 0 with an error at the end, when cancelled, or when the client has gone.
  virtual asio::awaitable<std::size_t> read_some(asio::mutable_buffer room, error_code& error) = 0;

  /// Writes both, the one after the other.
  virtual asio::awaitable<void> write(std::string_view head, std::string_view body, error_code& error) = 0;

  /// No more will be written; the client sees the end.
  virtual void end_writing() = 0;

  /// Calls back when the client has gone altogether, though nothing is read; not after cancel(). Over TCP a client that
  /// goes in peace is not told from one that has only said all it had to say.
  virtual void when_gone(std::function<void()> gone) = 0;

  /// Ends the read or write in progress with an error, and what waits for the client to go.
  virtual void cancel() = 0;
};

std::unique_ptr<Stream> plain_stream(Socket socket);

}  // namespace gpukeeper::service
