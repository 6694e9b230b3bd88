#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>

#include "core/clock.hpp"
#include "core/log.hpp"
#include "service/http.hpp"
#include "service/listener.hpp"
#include "service/request_reader.hpp"

namespace gpukeeper::service {

class TlsContext;

/// Who speaks WebSockets (web_socket.cpp). Apart, so that a program without them does not carry Beast's.
struct WebSocketSpeaker;
const WebSocketSpeaker& web_socket_speaker();

struct HttpServerOptions {
  ReaderLimits limits;
  std::size_t connections = 256;  ///< of one listener; a client beyond them is answered 503 and sent away
  /// Of these, those of one address, or of one user over a unix socket, so that nobody keeps all others out.
  std::size_t per_peer = 224;

  std::chrono::milliseconds handshake = std::chrono::seconds(10);  ///< of TLS, from the connection on
  std::chrono::milliseconds idle = std::chrono::seconds(75);       ///< between two requests; then it is closed
  std::chrono::milliseconds request = std::chrono::seconds(10);  ///< for a whole request from its first byte; then 408
  std::chrono::milliseconds answer = std::chrono::seconds(10);   ///< for a client to take an answer, and its size below
  std::chrono::milliseconds later = std::chrono::seconds(5);  ///< for an answer that comes later (later.hpp); then 503
  std::size_t slowest = 64 << 10;                             ///< bytes a second that a client takes at the least
  std::chrono::milliseconds sweep = std::chrono::milliseconds(250);  ///< how late a deadline may be noticed

  std::chrono::milliseconds heartbeat =
      std::chrono::seconds(15);  ///< of a connection that was taken over (takeover.hpp)

  /// For answers that are WebSockets; null where there are none.
  const WebSocketSpeaker* web_sockets = nullptr;

  /// At the stop: how long a connection may be quiet before it is closed, and after how long all are cut off.
  std::chrono::milliseconds quiet = std::chrono::milliseconds(200);
  std::chrono::milliseconds drain = std::chrono::milliseconds(1500);

  /// What listeners with TLS speak it with; asked for each connection. Null where there is none of these.
  std::function<std::shared_ptr<const TlsContext>()> tls = nullptr;
  std::chrono::seconds hsts{};  ///< Strict-Transport-Security over TLS (RFC 6797); 0: it is not said

  /// Whether who comes from there may come in; null: everybody may. Asked once a connection, before anything is read.
  std::function<bool(const Peer&)> welcome = nullptr;

  /// Whether pages of that origin may read answers (cors.hpp); null: none may.
  std::function<bool(std::string_view origin)> may_read = nullptr;

  /// Whether who has taken a connection over may keep it, asked every `look_again`; null: always.
  std::function<bool(const Request&)> may_stay = nullptr;
  std::chrono::milliseconds look_again = std::chrono::seconds(1);

  /// Told what the handler's request was answered in the end, on the server's thread; null when its client had gone.
  std::function<void(const Peer&, const Response*)> answered = nullptr;
};

/// An HTTP/1.1 server: connections stay, requests may follow each other without waiting, every client is bounded in
/// time and memory. What is answered is the handler's matter. A connection that is taken over (Response::takeover) does
/// not count among `connections` any more.
///
/// Threads: run() is the server's thread, and the handler runs on it; stop(), after() and ping() may be called from
/// any.
class HttpServer {
 public:
  /// Answers one request, at once. One that throws is answered 500 and logged.
  using Handler = std::function<Response(Request)>;

  HttpServer(Handler handler, Clock& clock, Log& log, HttpServerOptions options = {});
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// Before run().
  void add(Listener listener);

  /// Serves until it was stopped and every answer begun has ended or was cut off.
  void run();

  /// Takes the listeners away, answers what has come and ends each connection with its answer. Returns at once.
  void stop();

  /// Has something done on the server's thread, after a while; not if it ends before.
  void after(std::chrono::milliseconds delay, std::function<void()> what);

  /// Calls back on the server's thread: who is called knows that the thread lives.
  void ping(std::function<void()> pong);

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace gpukeeper::service
