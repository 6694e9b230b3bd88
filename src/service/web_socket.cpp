// Beast's WebSocket over the Stream of this folder. See stream.hpp for the rules that coroutines keep here.
#include "service/web_socket.hpp"

#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/websocket/stream.hpp>

#include "service/http_server.hpp"

namespace gpukeeper::service {
namespace {

namespace beast = boost::beast;
namespace websocket = beast::websocket;

struct Outcome {
  Outcome() = default;
  Outcome(error_code e, std::size_t s) : error(e), size(s) {}

  error_code error;
  std::size_t size = 0;
};

// A Stream as Beast wants it.
class Bytes {
 public:
  using executor_type = asio::any_io_executor;

  Bytes(Stream& stream, executor_type executor, std::string ahead)
      : stream_(&stream), executor_(std::move(executor)), ahead_(std::move(ahead)) {}

  executor_type get_executor() const { return executor_; }
  void cancel() { stream_->cancel(); }

  template <class Buffers, class Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    const asio::mutable_buffer room = first<asio::mutable_buffer>(buffers);
    return asio::async_initiate<Token, void(error_code, std::size_t)>(
        [this, room](auto handler) { start(read(room), std::move(handler)); }, token);
  }

  template <class Buffers, class Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    const asio::const_buffer head = first<asio::const_buffer>(buffers);
    auto rest = asio::buffer_sequence_begin(buffers);
    if (rest != asio::buffer_sequence_end(buffers)) ++rest;
    asio::const_buffer body;
    if (rest != asio::buffer_sequence_end(buffers)) body = *rest;
    return asio::async_initiate<Token, void(error_code, std::size_t)>(
        [this, head, body](auto handler) { start(write(head, body), std::move(handler)); }, token);
  }

  // When nothing came from the client in time.
  friend void beast_close_socket(Bytes& bytes) { bytes.cancel(); }

  // After the farewells. The server ends the connection itself (Stream::finish).
  template <class Handler>
  friend void async_teardown(beast::role_type, Bytes& bytes, Handler&& handler) {
    asio::post(bytes.executor_, [handler = std::forward<Handler>(handler)]() mutable { handler(error_code()); });
  }
  friend void teardown(beast::role_type, Bytes&, beast::error_code& error) { error = {}; }

 private:
  template <class Buffer, class Buffers>
  static Buffer first(const Buffers& buffers) {
    const auto begin = asio::buffer_sequence_begin(buffers);
    return begin == asio::buffer_sequence_end(buffers) ? Buffer() : Buffer(*begin);
  }

  template <class Handler>
  void start(asio::awaitable<Outcome> operation, Handler handler) {
    asio::co_spawn(executor_, std::move(operation),
                   [handler = std::move(handler)](const std::exception_ptr& thrown, Outcome outcome) mutable {
                     if (thrown) outcome.error = asio::error::fault;
                     std::move(handler)(outcome.error, outcome.size);
                   });
  }

  asio::awaitable<Outcome> read(asio::mutable_buffer room) {
    Outcome outcome;
    if (!ahead_.empty()) {
      outcome.size = asio::buffer_copy(room, asio::buffer(ahead_));
      ahead_.erase(0, outcome.size);
      co_return outcome;
    }
    outcome.size = co_await stream_->read_some(room, outcome.error);
    co_return outcome;
  }

  asio::awaitable<Outcome> write(asio::const_buffer head, asio::const_buffer body) {
    Outcome outcome;
    const std::string_view first_part(static_cast<const char*>(head.data()), head.size());
    const std::string_view second_part(static_cast<const char*>(body.data()), body.size());
    co_await stream_->write(first_part, second_part, outcome.error);
    if (!outcome.error) outcome.size = head.size() + body.size();
    co_return outcome;
  }

  Stream* stream_;
  executor_type executor_;
  std::string ahead_;  // what came already
};

using WebSocket = websocket::stream<Bytes, false>;  // without compression

beast::http::request<beast::http::empty_body> upgrade_of(const Request& request) {
  beast::http::request<beast::http::empty_body> upgrade;
  upgrade.method_string(request.method);
  upgrade.target(request.target);
  upgrade.version(request.version);
  for (const auto& [name, value] : request.headers) upgrade.insert(name, value);
  return upgrade;
}

// One who writes and one who reads, and what they know of each other.
struct Link {
  Link(Bytes bytes, std::shared_ptr<Takeover> t)
      : alarm(bytes.get_executor()), socket(std::move(bytes)), takeover(std::move(t)) {}

  asio::steady_timer alarm;  // wakes who writes
  WebSocket socket;
  const std::shared_ptr<Takeover> takeover;
  bool reading = false;
  bool over = false;                 // the client has gone, or said farewell
  std::optional<Farewell> farewell;  // after what it said
};

asio::awaitable<void> listen(std::shared_ptr<Link> link) {
  beast::flat_buffer buffer;
  error_code error;
  for (;;) {
    co_await link->socket.async_read(buffer, asio::redirect_error(asio::use_awaitable, error));
    if (error || link->farewell) break;
    if (!link->socket.got_text()) {
      link->farewell = Farewell{1003, "only text is understood here"};
      break;
    }
    const std::string_view message(static_cast<const char*>(buffer.data().data()), buffer.size());
    link->farewell = link->takeover->hear(message);
    if (link->farewell) break;
    buffer.consume(buffer.size());
    if (buffer.capacity() > (4U << 10)) buffer.shrink_to_fit();
  }
}

// What throws has nothing more to say.
Takeover::Said next_of(Takeover& takeover) {
  try {
    return takeover.next();
  } catch (const std::exception&) {
    return {.end = true, .farewell = {1011, "a mistake in gpukeeper"}};
  }
}

asio::awaitable<void> say_farewell(Link& link, const Farewell& farewell) {
  const websocket::close_reason reason(static_cast<websocket::close_code>(farewell.code), farewell.reason);
  error_code error;
  co_await link.socket.async_close(reason, asio::redirect_error(asio::use_awaitable, error));
}

asio::awaitable<void> speak(Stream& stream, asio::any_io_executor executor, std::shared_ptr<Takeover> takeover,
                            std::string ahead, const WebSocketOptions& options,
                            std::function<void(std::optional<std::size_t>)> allow) {
  const auto link = std::make_shared<Link>(Bytes(stream, executor, std::move(ahead)), takeover);
  WebSocket& socket = link->socket;
  websocket::stream_base::timeout patience{};
  patience.handshake_timeout = websocket::stream_base::none();
  patience.idle_timeout = 2 * options.ping;
  patience.keep_alive_pings = true;
  socket.set_option(patience);
  socket.set_option(websocket::stream_base::decorator(
      [](websocket::response_type& response) { response.set(beast::http::field::server, "gpukeeper"); }));
  socket.read_message_max(options.message);
  socket.auto_fragment(false);
  socket.text(true);

  error_code error;
  const auto upgrade = upgrade_of(takeover->request());
  allow(0);
  co_await socket.async_accept(upgrade, asio::redirect_error(asio::use_awaitable, error));
  allow(std::nullopt);
  if (error) co_return;

  link->reading = true;
  asio::co_spawn(executor, listen(link), [link](const std::exception_ptr&) {  // thrown where there is no memory
    link->reading = false;
    link->over = !link->farewell;
    link->alarm.cancel();
  });
  takeover->begin([link] { link->alarm.cancel(); });
  while (!link->over) {
    Takeover::Said said;
    if (!link->farewell) said = next_of(*takeover);
    if (said.text) {
      allow(said.text->size());
      co_await socket.async_write(asio::buffer(*said.text), asio::redirect_error(asio::use_awaitable, error));
      allow(std::nullopt);
      if (error) break;
    }
    if (said.end && !link->farewell) link->farewell = std::move(said.farewell);
    if (link->farewell) {
      allow(0);
      co_await say_farewell(*link, *link->farewell);
      break;
    }
    if (said.text) continue;
    link->alarm.expires_at(asio::steady_timer::time_point::max());
    co_await link->alarm.async_wait(asio::redirect_error(asio::use_awaitable, error));
  }
  takeover->ended();
  stream.cancel();
  while (link->reading) {  // it reads from the stream, which ends with us
    link->alarm.expires_at(asio::steady_timer::time_point::max());
    co_await link->alarm.async_wait(asio::redirect_error(asio::use_awaitable, error));
  }
}

}  // namespace

const WebSocketSpeaker& web_socket_speaker() {
  static constexpr WebSocketSpeaker kSpeaker{speak};
  return kSpeaker;
}

}  // namespace gpukeeper::service
