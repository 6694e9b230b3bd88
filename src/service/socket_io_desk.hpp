#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/clock.hpp"
#include "core/units.hpp"
#include "service/event_desk.hpp"
#include "service/http.hpp"
#include "socket_io/session.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper {
struct MachineFacts;
}  // namespace gpukeeper

namespace gpukeeper::service {

/// The live events of the documented system monitor, for clients of Socket.IO: `/socket.io/`, by requests that wait and
/// over a WebSocket.
///
/// Threads: one, the server's; what is slow (a look at the computer) is done elsewhere.
class SocketIoDesk : public std::enable_shared_from_this<SocketIoDesk> {
 public:
  struct World {
    EventDesk& listeners;  ///< where clients are counted; it outlives this
    std::shared_ptr<const Clock> clock;
    std::function<std::shared_ptr<const Snapshot>()> snapshot;  ///< never null
    /// The computer; null where nobody looks. Asked by `elsewhere`, or here and at once where that is null.
    std::function<std::shared_ptr<const MachineFacts>()> machine;
    std::function<bool(std::function<void()>)> elsewhere;
    /// Has something done on the server's thread, after a while; from any thread.
    std::function<void(std::chrono::milliseconds, std::function<void()>)> after;
    std::function<bool(std::function<void()>)> when_fresh;  ///< as Engine::when_fresh
    std::function<std::string()> stats;                     ///< the answer of /api/monitoring/stats
    Percent high_usage{50};
    std::chrono::nanoseconds high_usage_time{};
  };

  explicit SocketIoDesk(World world);
  ~SocketIoDesk();

  /// GET and POST /socket.io/.
  Response answer(const Request& request);

  std::size_t sessions() const { return clients_.size(); }

 private:
  struct Client;
  class Carrier;
  struct Told {  // an event for all
    std::string name;
    socket_io::Text packet;
    bool latest;
  };
  struct News {
    std::vector<Told> first;   // for who has just come
    std::vector<Told> update;  // for the others
    std::chrono::seconds until_next{5};
  };

  Response open(const Request& request, bool web_socket);
  Response go_on(const Request& request, const std::shared_ptr<Client>& client);
  Response poll(const std::shared_ptr<Client>& client);
  Response take(const Request& request, const std::shared_ptr<Client>& client);
  std::shared_ptr<Client> welcome(const Request& request);
  void asked(Client& client, const std::string& event);
  void hear(const std::shared_ptr<Client>& client, const socket_io::EnginePacket& packet);
  void deliver(const std::shared_ptr<Client>& client);
  void leave(const std::shared_ptr<Client>& client);
  void tick_later();
  void tick();
  void look();
  void refresh();
  std::shared_ptr<const News> gather(bool demanded, std::uint64_t count) const;
  void tell(const News& news);
  void tell_high_usage();
  void tell_lasting_usage(Client& client);
  template <class Do>
  void on_server(Do what, std::chrono::milliseconds delay = {}) const;

  const World world_;
  std::map<std::string, std::shared_ptr<Client>> clients_;
  struct Usage;
  std::unique_ptr<Usage> usage_;
  MonotonicTime next_update_{};
  bool looking_ = false;
  bool demanded_ = false;    // a client wants an update now
  bool refreshing_ = false;  // and a sample is on its way for that
  bool ticking_ = false;
  std::uint64_t updates_ = 0;
};

}  // namespace gpukeeper::service
