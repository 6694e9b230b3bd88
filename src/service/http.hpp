#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sys/types.h>

#include "auth/certificate.hpp"
#include "auth/role.hpp"

// A request and its answer, as routes see them: plain values, made and read without any socket.
namespace gpukeeper::service {

using Header = std::pair<std::string, std::string>;

/// Who is at the other end of a unix socket, as the kernel vouches for it (SO_PEERCRED, unix(7)): of the moment when
/// it connected.
struct Credentials {
  pid_t pid = 0;  ///< 0 when it lives in a pid namespace that we cannot see
  uid_t uid = 0;
  gid_t gid = 0;
  std::uint64_t start_ticks = 0;   ///< of that process (ProcessOwner); 0 when it was gone, or is not to be seen
  std::vector<gid_t> groups = {};  ///< beside gid
};

class ConnectionEnd;

/// Where a request came from.
struct Peer {
  std::optional<Credentials> credentials;  ///< over a unix socket only
  std::string address;                     ///< of the client, without its port; empty over a unix socket
  std::string own_address;                 ///< the one of ours that it connected to; empty over a unix socket
  bool tls = false;
  std::optional<auth::Certificate> certificate = std::nullopt;  ///< that it has shown, and that somebody vouches for
  std::shared_ptr<ConnectionEnd> end;  ///< of its connection; null where there is none (connection_end.hpp)

  bool over_unix_socket() const { return credentials.has_value(); }
};

struct Request {
  std::string method;                        ///< as sent; upper case in all that we know
  std::string target;                        ///< as sent
  std::string path;                          ///< of the target, percent-decoded; begins with '/'; "*" of OPTIONS *
  std::map<std::string, std::string> query;  ///< percent-decoded; no name stands twice
  std::vector<Header> headers;               ///< in the order sent
  std::string body;
  unsigned version = 11;  ///< 10 or 11
  bool keep_alive = true;
  std::shared_ptr<const Peer> peer = std::make_shared<const Peer>();  ///< never null
  auth::Identity who;                                                 ///< as Authority found out; nobody until then
  std::map<std::string, std::string> parameters;                      ///< what stands in the {places} of the route

  /// The first header of that name, whatever the case of its letters.
  std::optional<std::string_view> header(std::string_view name) const;

  /// HEAD is answered as GET; the server leaves the body out.
  bool reads_only() const { return method == "GET" || method == "HEAD" || method == "OPTIONS"; }
};

class Later;
class Takeover;

struct Response {
  unsigned status = 200;
  std::string content_type;                 ///< empty when there is no body
  std::shared_ptr<const std::string> body;  ///< may be shared with other answers; null when there is none
  std::vector<Header> headers;              ///< beside Date, Content-Type, Content-Length and Connection
  bool close = false;                       ///< the connection ends with this answer
  std::shared_ptr<Later> later = nullptr;   ///< in place of all this: the answer comes (later.hpp)
  /// After the head, which says no length: the connection is its own from there on, and ends with it (takeover.hpp).
  std::shared_ptr<Takeover> takeover = nullptr;
  /// Called when the client was gone before it could be sent, on any thread; null where that does not matter.
  std::function<void()> undelivered = nullptr;

  std::size_t body_size() const { return body ? body->size() : 0; }
};

/// "Not Found" for 404 (RFC 9110); "Unknown" for a status that we never send.
std::string_view reason_phrase(unsigned status);

/// A JSON document. It is of this moment: Cache-Control is no-store.
Response json_answer(unsigned status, std::string document);

/// An error as a problem document (RFC 9457): title and status, a `code` for programs, and a `detail` that says what
/// was wrong and what would be right.
Response problem(unsigned status, std::string_view code, std::string_view detail);

/// 503 with Retry-After: there is no snapshot yet.
Response starting();

/// The head of an answer as it is sent, with the empty line at its end.
/// `date` is an HTTP date; `keep_alive` whether the connection stays; `more` are lines that every answer has.
std::string response_head(const Response& response, std::string_view date, bool keep_alive, std::string_view more = {});

/// Whether two texts are the same but for the case of ASCII letters.
bool same_ignoring_case(std::string_view a, std::string_view b);

}  // namespace gpukeeper::service
