#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "client/event_reader.hpp"
#include "core/listen_address.hpp"
#include "core/result.hpp"

namespace gpukeeper::client {

struct Question;
struct Reply;
struct Trust;

/// How long and how much a daemon may be waited for. A daemon on this machine answers within milliseconds.
struct Limits {
  std::chrono::milliseconds connect = std::chrono::seconds(2);
  std::chrono::milliseconds answer = std::chrono::seconds(15);  ///< from the connection to the answer's last byte
  std::size_t body = 64 << 20;                                  ///< bytes of an answer
  /// Of a stream of events, on which the daemon says at least every 15 s that it is there.
  std::chrono::milliseconds silence = std::chrono::seconds(40);
};

/// Where a running `gpukeeper serve` answers, and what it answers: a connection for each question.
///
///   const auto daemon = client::Daemon::find(options.daemon, environment);
///   const auto document = daemon->ask("GET", "/api/v1/config");
///
/// Threads: one at a time. It blocks, within the limits.
class Daemon {
 public:
  using Variable = std::function<std::optional<std::string>(std::string_view)>;

  /// The one at `named` (as --host says it), else at $GPUKEEPER_HOST or, as that was called once, $GPUKEEPER_DAEMON,
  /// else the first that takes a connection where `serve` listens when nothing is chosen. It is told $GPUKEEPER_TOKEN,
  /// where there is one, and over TLS what open_trust() finds.
  /// Errors: invalid_argument for a text that is no host, and as for open_trust(); not_found when no daemon runs there,
  /// or there is no such host; not_permitted when its socket does not let this user in. The message says what to do.
  static Result<Daemon> find(std::string_view named, const Variable& environment, Limits limits = {});

  /// Whether somebody says where it is; else it is looked for in the usual places.
  static bool is_named(std::string_view named, const Variable& environment);

  /// As above, at these addresses.
  static Result<Daemon> find(const std::vector<ListenAddress>& addresses, Limits limits = {});

  /// The body of its answer; `json` is the body of the question. Not for any answer but 2xx.
  /// Errors: an answer that is a problem document (docs/api.md) is its detail, with the code that fits its status: 400
  /// invalid_argument, 403 not_permitted, 404 not_found, 409 already_exists, 503 unavailable; as for find() when it has
  /// gone; deadline_exceeded when it does not answer in time; resource_exhausted for an answer that is too long.
  Result<std::string> ask(std::string_view method, std::string_view target, std::string_view json = {}) const;

  struct Document {
    std::string body;
    std::string etag;
  };
  /// The document there; nothing while it is still what `known`, its ETag, names. Errors: as for ask().
  Result<std::optional<Document>> get(std::string_view target, std::string_view known = {}) const;

  /// Follows the events there (Server-Sent Events) until `stop`, or until `each` says false. It blocks; a stop from
  /// another thread ends it at once. Errors: as for ask(); not_supported where there are no events; unavailable when
  /// the daemon ends it, deadline_exceeded when it falls silent.
  Result<void> follow(std::string_view target, std::stop_token stop,
                      const std::function<bool(const StreamEvent&)>& each) const;

  const ListenAddress& address() const { return address_; }
  const std::string& token() const { return token_; }
  /// Null where no TLS is spoken.
  const std::shared_ptr<const Trust>& trust() const { return trust_; }

 private:
  /// The reply where it is 2xx, or 304 to a question that knows an answer.
  Result<Reply> answer(const Question& question) const;

  Daemon(ListenAddress address, Limits limits) : address_(std::move(address)), limits_(limits) {}

  ListenAddress address_;
  Limits limits_;
  std::string token_ = {};
  std::shared_ptr<const Trust> trust_ = nullptr;
};

/// Where a daemon is looked for when nobody says where: this user's own, the machine's, then TCP.
std::vector<ListenAddress> usual_addresses(const Daemon::Variable& environment, uid_t user);

}  // namespace gpukeeper::client
