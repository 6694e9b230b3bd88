#pragma once

#include <memory>
#include <optional>
#include <string>

#include "auth/certificate.hpp"
#include "config/settings.hpp"
#include "core/clock.hpp"
#include "core/result.hpp"

extern "C" {
struct ssl_ctx_st;  // OpenSSL's SSL_CTX and SSL
struct ssl_st;
}

namespace gpukeeper::service {

/// What TLS is spoken with: the texts of the files, and their paths for messages.
struct TlsMaterial {
  struct File {
    std::string path;
    std::string text;

    friend bool operator==(const File&, const File&) = default;
  };
  File certificate;  ///< PEM: the server's own, then those between it and the root
  File key;
  std::optional<File> client_ca;  ///< who vouches for clients; nothing: none is asked for a certificate
  bool client_required = false;
  config::TlsVersion min_version = config::TlsVersion::v1_2;

  friend bool operator==(const TlsMaterial&, const TlsMaterial&) = default;
};

/// A side of TLS that serves, made of certificate and key. TLS 1.2 with forward secrecy and authenticated encryption
/// only, and TLS 1.3; no renegotiation, no compression. Sessions are not resumed: who comes again shows his certificate
/// again, and it is looked at with the authorities of now.
///
/// Threads: it does not change; any.
class TlsContext {
 public:
  /// Errors: invalid_argument, with the key of the configuration, the path and what would be right, for a text that is
  /// no PEM of what it should be, a key with a password, a key of another certificate.
  static Result<std::shared_ptr<const TlsContext>> make(const TlsMaterial& material);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  /// The server's own certificate.
  const auth::Certificate& certificate() const { return certificate_; }

  /// A connection's state, for whoever speaks (ssl_free'd by him); null when there is no memory left.
  ssl_st* connection() const;

 private:
  TlsContext(ssl_ctx_st* context, auth::Certificate certificate)
      : context_(context), certificate_(std::move(certificate)) {}

  ssl_ctx_st* const context_;
  const auth::Certificate certificate_;
};

/// The certificate that the other side has shown and somebody vouches for; nothing when it has shown none.
std::optional<auth::Certificate> peer_certificate(const ssl_st* connection);

}  // namespace gpukeeper::service
