#pragma once

#include <chrono>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/result.hpp"

namespace gpukeeper {

/// Who we are for a server; empty where it does not ask.
struct Login {
  std::string user;
  std::string password;
};

/// An HTTP POST.
struct HttpPost {
  std::string url;                   ///< https:// or http://
  bool reads_only = false;           ///< a GET instead, without a body
  std::string unix_socket;           ///< the path of one that is connected to, whatever host the url names; or empty
  std::vector<std::string> headers;  ///< "Name: value"
  std::string body;
  std::string bearer;                                           ///< a token; empty: none
  Login login;                                                  ///< HTTP's basic authentication
  std::string ca_file;                                          ///< empty: the system's certificates
  std::chrono::nanoseconds timeout = std::chrono::seconds(10);  ///< from the first byte to the last
  std::size_t most_of_answer = 4096;                            ///< that is wanted; the rest is left out
};

struct HttpAnswer {
  int status = 0;                                                  ///< 200
  std::string body;                                                ///< its first most_of_answer bytes
  std::optional<std::chrono::seconds> retry_after = std::nullopt;  ///< that the server asks to wait
};

/// A message for an SMTP server.
struct MailPost {
  enum class Tls {
    required,  ///< by smtps:// or by STARTTLS; the certificate is checked
    none,
  };
  std::string url;          ///< smtp:// or smtps://
  Tls tls = Tls::required;  ///< of smtp://
  std::string from;         ///< addresses without names and brackets
  std::vector<std::string> to;
  std::string message;  ///< RFC 5322, with CRLF at each line's end
  Login login;
  std::string ca_file;
  std::chrono::nanoseconds timeout = std::chrono::seconds(10);
};

/// How something leaves this machine. An interface, so that a test sees what would be sent.
///
/// Certificates and host names are checked, redirections are not followed, answers are bounded. No message of an error
/// holds a token, a password or more of a URL than scheme, host and port.
/// Threads: every member may be called from any thread; a call ends soon after a stop is requested.
class Transport {
 public:
  virtual ~Transport() = default;

  /// An answer, whatever its status.
  /// Errors: not_supported where there is no library for it; deadline_exceeded; unavailable for a server that is not
  /// reached, not trusted, or speaks something else.
  virtual Result<HttpAnswer> post(const HttpPost& post, const std::stop_token& stop) = 0;

  /// Errors: as for post(); unauthenticated when the login is refused.
  virtual Result<void> mail(const MailPost& post, const std::stop_token& stop) = 0;
};

}  // namespace gpukeeper
