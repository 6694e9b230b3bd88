// Accepts, reads, asks the handler, writes; one thread, a coroutine a connection. See stream.hpp for the rules that
// coroutines keep here.
//
// Time: no operation has a timer of its own. Each connection has a deadline, and one timer looks at all of them a few
// times a second while there are any: an idle server sleeps.
#include "service/http_server.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <list>
#include <map>
#include <set>
#include <string>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "service/connection_end.hpp"
#include "service/cors.hpp"
#include "service/later.hpp"
#include "service/peer_process.hpp"
#include "service/stream.hpp"
#include "service/takeover.hpp"
#include "service/tls_context.hpp"
#include "service/visitors.hpp"
#include "service/web_socket.hpp"

namespace gpukeeper::service {

using namespace std::chrono_literals;

namespace {

using Acceptor = asio::basic_socket_acceptor<asio::generic::stream_protocol>;
using Deadline = std::chrono::steady_clock::time_point;  // the network's own time

constexpr std::size_t kReadSize = 4096;
constexpr auto kAcceptPause = 100ms;      // when no descriptor is left
constexpr std::size_t kLinger = 1 << 20;  // bytes of an unwanted request that are read and forgotten
constexpr auto kLingerTime = 1s;

std::string http_date(WallTime time) {
  return fmt::format("{:%a, %d %b %Y %H:%M:%S} GMT", fmt::gmtime(std::chrono::system_clock::to_time_t(time)));
}

std::string address_text(const sockaddr_storage& name) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const void* address = nullptr;
  if (name.ss_family == AF_INET) address = &reinterpret_cast<const sockaddr_in&>(name).sin_addr;
  if (name.ss_family == AF_INET6) address = &reinterpret_cast<const sockaddr_in6&>(name).sin6_addr;
  if (!address || !::inet_ntop(name.ss_family, address, text.data(), text.size())) return {};
  return text.data();
}

// SO_PEERGROUPS, unix(7): none before Linux 4.13.
std::vector<gid_t> groups_of(int descriptor) {
  std::vector<gid_t> groups(64);
  socklen_t size = static_cast<socklen_t>(groups.size() * sizeof(gid_t));
  int answer = ::getsockopt(descriptor, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &size);
  if (answer != 0 && errno == ERANGE) {  // it has said how many there are
    groups.resize(size / sizeof(gid_t));
    answer = ::getsockopt(descriptor, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &size);
  }
  groups.resize(answer == 0 ? size / sizeof(gid_t) : 0);
  return groups;
}

std::shared_ptr<Peer> peer_of(int descriptor, bool over_unix_socket) {
  auto peer = std::make_shared<Peer>();
  if (over_unix_socket) {
    ucred credentials{};
    socklen_t size = sizeof credentials;
    ::getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &size);
    peer->credentials = Credentials{credentials.pid, credentials.uid, credentials.gid, 0, groups_of(descriptor)};
    const auto process = peer_process(descriptor, credentials.pid);
    if (process) peer->credentials->start_ticks = process->start_ticks;
    return peer;
  }
  sockaddr_storage name{};
  socklen_t size = sizeof name;
  if (::getpeername(descriptor, reinterpret_cast<sockaddr*>(&name), &size) == 0) peer->address = address_text(name);
  size = sizeof name;
  if (::getsockname(descriptor, reinterpret_cast<sockaddr*>(&name), &size) == 0) peer->own_address = address_text(name);
  const int on = 1;  // an answer is one write: nothing is gained by holding it back
  ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return peer;
}

std::string hsts_line(const HttpServerOptions& options) {
  if (options.hsts <= 0s) return {};
  return fmt::format("Strict-Transport-Security: max-age={}\r\n", options.hsts.count());
}

struct Door;

struct Connection {
  Connection(std::unique_ptr<Stream> s, std::shared_ptr<Peer> p, ReaderLimits limits, Door& d)
      : stream(std::move(s)), peer(std::move(p)), reader(limits), door(d) {}

  const std::unique_ptr<Stream> stream;
  const std::shared_ptr<Peer> peer;  // does not change any more once the first request is read
  RequestReader reader;
  std::string unread;  // bytes that came and that the reader does not have yet
  Door& door;

  Deadline deadline{};
  std::shared_ptr<Later> awaited;                // null but while an answer is to come
  std::shared_ptr<asio::steady_timer> patience;  // with it
  bool gone = false;                             // while an answer was to come
  bool idle = true;                              // waits for a request to begin
  bool expired = false;                          // was ended by the sweep
  std::shared_ptr<Takeover> takeover;            // null but while it is taken over
  Deadline look_again{};                         // with it: whether its client may keep it
  bool counted = true;                           // among those inside its door
};

// A listener and who came through it.
struct Door {
  Door(Listener l, Acceptor a) : listener(std::move(l)), acceptor(std::move(a)) {}

  Listener listener;
  Acceptor acceptor;
  std::size_t inside = 0;
  std::map<std::string, std::size_t> peers;  // of those inside
};

Farewell we_stop() {
  return {1001, "gpukeeper is stopping"};
}

// By what one peer is told from others.
std::string one_peer(const Peer& peer) {
  return peer.credentials ? fmt::format("user {}", peer.credentials->uid) : visitor_of(peer.address);
}

}  // namespace

class HttpServer::Implementation {
 public:
  Implementation(Handler handler, Clock& clock, Log& log, HttpServerOptions options)
      : handler_(std::move(handler)),
        clock_(clock),
        log_(log),
        options_(std::move(options)),
        hsts_(hsts_line(options_)),
        sweeper_(context_) {}

  void add(Listener listener) {
    const bool is_unix = listener.address().is_unix();
    const int family = is_unix ? AF_UNIX : listener.address().is_v6() ? AF_INET6 : AF_INET;
    Acceptor acceptor(context_);
    acceptor.assign(asio::generic::stream_protocol(family, 0), listener.take_socket());
    acceptor.non_blocking(true);
    doors_.emplace_back(std::move(listener), std::move(acceptor));
    asio::co_spawn(context_, keep_door(doors_.back()), asio::detached);
  }

  void run() {
    context_.run();
    // Those that are still waited for must not call a server that is gone.
    for (Connection* connection : connections_) {
      if (connection->awaited) connection->awaited->abandon();
      if (connection->takeover) connection->takeover->ended();
    }
  }

  void stop() {
    asio::post(context_, [this] { begin_stop(); });
  }

  void ping(std::function<void()> pong) { asio::post(context_, std::move(pong)); }

  void after(std::chrono::milliseconds delay, std::function<void()> what) {
    asio::post(context_, [this, delay, what = std::move(what)]() mutable {
      if (delay <= 0ms) return what();
      const auto timer = std::make_shared<asio::steady_timer>(context_, delay);
      timer->async_wait([timer, what = std::move(what)](const error_code& error) {
        if (!error) what();
      });
    });
  }

 private:
  static Deadline in(std::chrono::milliseconds time) { return std::chrono::steady_clock::now() + time; }

  asio::awaitable<void> keep_door(Door& door) {
    for (;;) {
      Socket socket(context_);
      error_code error;
      co_await door.acceptor.async_accept(socket, asio::redirect_error(asio::use_awaitable, error));
      if (stopping_ || error == asio::error::operation_aborted) co_return;
      if (!error) {
        welcome(door, std::move(socket));
        continue;
      }
      if (error == asio::error::connection_aborted) continue;  // it gave up while it stood in line
      log_.warning("accept on {}: {}", door.listener.address().to_string(), error.message());
      asio::steady_timer pause(context_, kAcceptPause);
      co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, error));
    }
  }

  void welcome(Door& door, Socket socket) {
    auto peer = peer_of(socket.native_handle(), door.listener.address().is_unix());
    if (options_.welcome && !options_.welcome(*peer)) return shut_out(door, socket, *peer);
    if (door.inside >= options_.connections) {
      return send_away(door, socket, fmt::format("{} connections are open, and no more", options_.connections));
    }
    const std::string who = one_peer(*peer);
    if (const auto his = door.peers.find(who); his != door.peers.end() && his->second >= options_.per_peer) {
      return send_away(door, socket, fmt::format("{} connections of {} are open, and no more", options_.per_peer, who));
    }
    peer->tls = door.listener.address().tls;
    auto stream = peer->tls ? with_tls(std::move(socket)) : plain_stream(std::move(socket));
    if (!stream) return;
    peer->end = std::make_shared<ConnectionEnd>(++connections_made_);
    auto connection = std::make_shared<Connection>(std::move(stream), std::move(peer), options_.limits, door);
    ++door.inside;
    ++door.peers[who];
    connections_.insert(connection.get());
    connection->deadline = in(stopping_ ? options_.quiet : options_.handshake);
    if (connections_.size() == 1) sweep_later();
    asio::co_spawn(context_, converse(connection), [this, connection](const std::exception_ptr& thrown) {
      if (thrown) log_.error("a connection ended with an exception: this is a mistake in gpukeeper");
      leave(*connection);
    });
  }

  // Null when it cannot be spoken: then the connection ends.
  std::unique_ptr<Stream> with_tls(Socket socket) const {
    const auto context = options_.tls ? options_.tls() : nullptr;
    return context ? tls_stream(std::move(socket), *context) : nullptr;
  }

  void leave(Connection& connection) {
    // At our own stop clients have done nothing: what shall end with their connections ends with their processes then.
    if (!stopping_) connection.peer->end->happened();
    give_up_room(connection);
    connections_.erase(&connection);
    if (stopping_ && connections_.empty()) context_.stop();
  }

  // One that others need.
  static void give_up_room(Connection& c) {
    if (!std::exchange(c.counted, false)) return;
    --c.door.inside;
    const auto his = c.door.peers.find(one_peer(*c.peer));
    if (--his->second == 0) c.door.peers.erase(his);
  }

  // Without reading what it wants: there is no room to wait for that.
  void send_away(Door& door, Socket& socket, std::string_view why) {
    complain_of(door, fmt::format("{} are taken: the client was answered 503", why));
    auto response = problem(503, "too_many_connections", fmt::format("{} are taken: try again in a second", why));
    response.headers.emplace_back("Retry-After", "1");
    say_goodbye(door, socket, response);
  }

  void shut_out(const Door& door, Socket& socket, const Peer& peer) {
    complain_of(door, fmt::format("{} is not in http.allow: it was shut out", peer.address));
    say_goodbye(door, socket,
                problem(403, "address_not_allowed",
                        fmt::format("{} may not connect here: the key http.allow of gpukeeper's "
                                    "configuration says who may",
                                    peer.address)));
  }

  void say_goodbye(const Door& door, Socket& socket, const Response& response) {
    if (door.listener.address().tls) return;  // words in the clear would be noise to it, and a handshake is work
    const std::string text = response_head(response, http_date(clock_.wall()), false) + *response.body;
    static_cast<void>(::send(socket.native_handle(), text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL));
    // A close with unread bytes would reset the connection, and the answer with it.
    std::array<char, kReadSize> unwanted{};
    while (::recv(socket.native_handle(), unwanted.data(), unwanted.size(), MSG_DONTWAIT) > 0) {
    }
  }

  // Once a second: a flood of connections must not become one of the log.
  void complain_of(const Door& door, std::string_view what) {
    const auto now = std::chrono::steady_clock::now();
    ++sent_away_;
    if (now < complain_again_) return;
    complain_again_ = now + 1s;
    log_.warning("{}: {}; {} clients were sent away so far", door.listener.address().to_string(), what, sent_away_);
  }

  // Request after request, until one of the two has had enough.
  asio::awaitable<void> converse(std::shared_ptr<Connection> connection) {
    Connection& c = *connection;
    bool going_on = co_await greet(c);
    while (going_on) {
      const bool understood = co_await hear(c);
      if (!understood) break;
      going_on = co_await reply(c);
    }
  }

  // The handshake, where the door has one; whether the client may ask.
  asio::awaitable<bool> greet(Connection& c) {
    error_code error;
    const Stream::Begun begun = co_await c.stream->begin(error);
    c.peer->certificate = c.stream->certificate();
    if (begun == Stream::Begun::well) co_return true;
    const std::string why = c.expired ? "the handshake took too long" : error.message();
    if (begun == Stream::Begun::stranger) log_.warning("a client of {} was not let in: {}", c.peer->address, why);
    if (begun != Stream::Begun::plain_http) {
      log_.debug("no TLS with {}: {}", c.peer->address, why);
      co_return false;
    }
    Response response = problem(400, "tls_needed", "TLS is spoken at this port: ask with https:// in place of http://");
    const bool sent = co_await send(c, response, false, false);
    if (sent) co_await part(c, true);
    co_return false;
  }

  // Reads until the reader has a request or refuses one; false when the connection has ended.
  asio::awaitable<bool> hear(Connection& c) {
    c.deadline = in(stopping_ ? options_.quiet : options_.idle);
    c.idle = true;
    for (;;) {
      c.unread.erase(0, c.reader.put(c.unread));
      if (c.reader.state() != RequestReader::State::reading) co_return true;
      if (c.idle && c.reader.begun()) {
        c.idle = false;
        c.deadline = in(options_.request);
      }
      error_code error;
      if (c.reader.take_expectation()) {
        co_await c.stream->write("HTTP/1.1 100 Continue\r\n\r\n", "", error);
        if (error) co_return false;
      }
      const std::size_t before = c.unread.size();
      c.unread.resize(before + kReadSize);
      const asio::mutable_buffer room = asio::buffer(c.unread.data() + before, kReadSize);
      const std::size_t got = co_await c.stream->read_some(room, error);
      c.unread.resize(before + got);
      if (!error) continue;
      if (c.expired && c.reader.begun()) co_await complain_of_slowness(c);
      co_return false;
    }
  }

  asio::awaitable<void> complain_of_slowness(Connection& c) {
    const auto response =
        problem(408, "request_timeout", fmt::format("the request did not come within {} s", options_.request / 1.0s));
    const bool sent = co_await send(c, response, false, false);
    if (sent) co_await part(c, true);
  }

  // After the last answer; `unread` when the client may still be sending.
  asio::awaitable<void> part(Connection& c, bool unread) {
    c.deadline = in(kLingerTime);
    co_await c.stream->finish();
    if (unread) co_await linger(c);
  }

  // Answers what the reader has; whether the connection goes on.
  asio::awaitable<bool> reply(Connection& c) {
    const bool refused = c.reader.state() == RequestReader::State::refused;
    bool head_only = false;
    bool keep = false;
    std::string origin;
    Response response;
    if (refused) {
      response = c.reader.refusal();
    } else {
      Request request = c.reader.take();
      request.peer = c.peer;
      head_only = request.method == "HEAD";
      keep = request.keep_alive;
      const std::string what = fmt::format("{} {}", request.method, request.target);
      if (const auto from = request.header("Origin")) origin = *from;
      response = ask(what, [&] { return handler_(std::move(request)); });
      while (response.later && !c.gone) {  // what was found out may be that it takes longer
        c.awaited = std::move(response.later);
        response = co_await settled(c, what);
      }
      if (options_.answered) options_.answered(*c.peer, c.gone ? nullptr : &response);
      if (c.gone) co_return false;
    }
    if (!origin.empty() && options_.may_read && options_.may_read(origin)) share(response, origin);
    keep = keep && !response.close && !response.takeover && !stopping_;
    if (response.takeover && !head_only) {
      const bool web_socket = response.takeover->is_web_socket();
      co_await give_over(c, response);
      co_await part(c, web_socket);  // its farewell may be on the way
      co_return false;
    }
    const bool sent = co_await send(c, response, head_only, keep);
    if (!sent && response.undelivered) response.undelivered();
    if (!sent || keep) co_return sent;
    co_await part(c, refused || !c.unread.empty());
    co_return false;
  }

  static void share(Response& response, std::string_view origin) {
    for (Header& header : shared_with(origin)) response.headers.push_back(std::move(header));
  }

  // The connection is the takeover's, until it has said all, or the client has gone or takes nothing any more.
  asio::awaitable<void> give_over(Connection& c, const Response& response) {
    const std::shared_ptr<Takeover> takeover = response.takeover;
    c.takeover = takeover;
    c.look_again = in(options_.look_again);
    c.idle = false;
    c.expired = false;
    give_up_room(c);
    if (takeover->is_web_socket()) {
      co_await converse_over_web_socket(c, takeover);
    } else {
      const bool begun = co_await send(c, response, true, false);
      if (begun) co_await tell(c, takeover);
    }
    if (c.expired) log_.debug("a client that listened took nothing in time and was cut off");
    c.takeover = nullptr;
    c.deadline = in(options_.quiet);
  }

  // How long a client has to take so many bytes; nothing while there are none.
  void allow(Connection& c, std::optional<std::size_t> bytes) const {
    c.deadline = bytes ? in(options_.answer + std::chrono::seconds(*bytes / options_.slowest)) : Deadline::max();
  }

  asio::awaitable<void> converse_over_web_socket(Connection& c, std::shared_ptr<Takeover> takeover) {
    if (!options_.web_sockets) co_return;
    if (stopping_) takeover->stop(we_stop());
    WebSocketOptions options;
    options.ping = options_.heartbeat;
    std::function<void(std::optional<std::size_t>)> allowing = [this, &c](std::optional<std::size_t> bytes) {
      allow(c, bytes);
    };
    std::string ahead = std::exchange(c.unread, std::string());
    co_await options_.web_sockets->speak(*c.stream, context_.get_executor(), std::move(takeover), std::move(ahead),
                                         options, std::move(allowing));
  }

  // Writes what it says as it comes.
  asio::awaitable<void> tell(Connection& c, std::shared_ptr<Takeover> takeover) {
    c.unread = std::string();
    const auto alarm = std::make_shared<asio::steady_timer>(context_);
    const auto gone = std::make_shared<bool>(false);
    c.stream->when_gone([alarm, gone] {
      *gone = true;
      alarm->cancel();
    });
    takeover->begin([alarm] { alarm->cancel(); });
    if (stopping_) takeover->stop(we_stop());
    error_code error;
    while (!error && !*gone) {
      Takeover::Said said = takeover->next();
      if (!said.text && !said.end) {
        allow(c, std::nullopt);
        alarm->expires_after(options_.heartbeat);
        error_code woken;
        co_await alarm->async_wait(asio::redirect_error(asio::use_awaitable, woken));
        if (woken) continue;
        said.text = takeover->heartbeat();
      }
      if (said.text) {
        allow(c, said.text->size());
        co_await c.stream->write(*said.text, "", error);
      }
      if (said.end) break;
    }
    takeover->ended();
    c.stream->cancel();
  }

  // The answer that comes later. Who gives it is another thread, so it only wakes this one.
  asio::awaitable<Response> settled(Connection& c, std::string what) {
    const std::chrono::milliseconds time = c.awaited->patience().value_or(options_.later);
    const auto patience = std::make_shared<asio::steady_timer>(context_, time);
    const auto gone = std::make_shared<bool>(false);
    c.patience = patience;
    c.idle = false;
    c.deadline = in(time + options_.answer);  // its own patience ends before
    c.awaited->on_given([this, patience] { asio::post(context_, [patience] { patience->cancel(); }); });
    c.stream->when_gone([patience, gone] {
      *gone = true;
      patience->cancel();
    });
    if (stopping_ && c.awaited->patience()) patience->expires_after(0s);
    error_code ignored;
    co_await patience->async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    c.patience = nullptr;
    c.stream->cancel();
    c.awaited->on_given(nullptr);
    const auto awaited = std::exchange(c.awaited, nullptr);
    c.gone = *gone;
    if (!c.gone) {
      if (const auto make = awaited->take()) co_return ask(what, *make);
    }
    awaited->abandon();
    if (stopping_ && awaited->patience()) co_return problem(503, "stopping", "gpukeeper is stopping");
    auto late = problem(503, "no_answer_yet", awaited->overdue());
    late.headers.emplace_back("Retry-After", "1");
    co_return late;
  }

  Response ask(const std::string& what, const std::function<Response()>& make) {
    try {
      Response response = make();
      if (!response.later) log_.debug("{}: {}", what, response.status);
      return response;
    } catch (const std::exception& error) {
      log_.error("{}: {}", what, error.what());
      return problem(500, "internal", "the request could not be answered; the log says why");
    }
  }

  asio::awaitable<bool> send(Connection& c, const Response& response, bool head_only, bool keep) {
    const std::string head =
        response_head(response, http_date(clock_.wall()), keep, c.peer->tls ? hsts_ : std::string_view());
    std::string_view body;
    if (response.body && !head_only) body = *response.body;
    c.idle = false;
    c.expired = false;
    c.deadline = in(options_.answer + std::chrono::seconds(body.size() / options_.slowest));
    error_code error;
    co_await c.stream->write(head, body, error);
    if (c.expired) log_.debug("a client took no answer in time and was cut off");
    co_return !error;
  }

  // Reads on for a moment what a refused client still sends: a close with unread bytes resets the connection, and the
  // client would not see why it was refused.
  asio::awaitable<void> linger(Connection& c) {
    c.deadline = in(kLingerTime);
    std::size_t heard = 0;
    c.unread.resize(kReadSize);
    error_code error;
    while (!error && heard < kLinger) {
      const asio::mutable_buffer room = asio::buffer(c.unread.data(), c.unread.size());
      heard += co_await c.stream->read_some(room, error);
    }
  }

  void sweep_later() {
    sweeper_.expires_after(stopping_ ? std::min<std::chrono::milliseconds>(options_.sweep, 20ms) : options_.sweep);
    sweeper_.async_wait([this](const error_code& error) {
      if (!error) sweep();
    });
  }

  void sweep() {
    const auto now = std::chrono::steady_clock::now();
    if (stopping_ && now >= stop_by_) return context_.stop();
    for (Connection* connection : connections_) {
      if (connection->takeover && now >= connection->look_again) look_whether_he_may_stay(*connection);
      if (now < connection->deadline) continue;
      connection->expired = true;
      connection->stream->cancel();
    }
    if (!connections_.empty()) sweep_later();
  }

  // A token may have been revoked, and a session be over.
  void look_whether_he_may_stay(Connection& c) const {
    c.look_again = in(options_.look_again);
    if (!options_.may_stay || options_.may_stay(c.takeover->request())) return;
    c.look_again = Deadline::max();
    c.takeover->stop({1008, "what you may do has changed: connect again"});
  }

  void begin_stop() {
    if (stopping_) return;
    for (Door& door : doors_) {
      door.listener.withdraw();
      for (;;) {  // who stands in line is still let in
        Socket socket(context_);
        error_code error;
        door.acceptor.accept(socket, error);
        if (error) break;
        welcome(door, std::move(socket));
      }
      error_code ignored;
      door.acceptor.close(ignored);
    }
    stopping_ = true;
    stop_by_ = in(options_.drain);
    // A client that asks again and again has its next request on the way: it is answered, and told that it was the
    // last.
    for (Connection* connection : connections_) {
      if (connection->idle) connection->deadline = std::min(connection->deadline, in(options_.quiet));
      if (connection->takeover) connection->takeover->stop(we_stop());
      // Others are answered in a moment; who came to wait for long will not live to see it.
      if (connection->awaited && connection->awaited->patience()) connection->patience->cancel();
    }
    if (connections_.empty()) return context_.stop();
    sweep_later();
  }

  const Handler handler_;
  Clock& clock_;
  Log& log_;
  const HttpServerOptions options_;
  const std::string hsts_;       // the line; empty where it is not said
  asio::io_context context_{1};  // one thread: its own locks can rest
  std::list<Door> doors_;
  std::set<Connection*> connections_;
  asio::steady_timer sweeper_;
  std::uint64_t connections_made_ = 0;
  std::uint64_t sent_away_ = 0;
  Deadline complain_again_{};
  bool stopping_ = false;
  Deadline stop_by_{};
};

HttpServer::HttpServer(Handler handler, Clock& clock, Log& log, HttpServerOptions options)
    : implementation_(std::make_unique<Implementation>(std::move(handler), clock, log, std::move(options))) {}
HttpServer::~HttpServer() = default;

void HttpServer::add(Listener listener) {
  implementation_->add(std::move(listener));
}
void HttpServer::run() {
  implementation_->run();
}
void HttpServer::stop() {
  implementation_->stop();
}
void HttpServer::after(std::chrono::milliseconds delay, std::function<void()> what) {
  implementation_->after(delay, std::move(what));
}
void HttpServer::ping(std::function<void()> pong) {
  implementation_->ping(std::move(pong));
}

}  // namespace gpukeeper::service
