#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/settings.hpp"
#include "core/clock.hpp"
#include "core/files.hpp"
#include "core/log.hpp"
#include "core/published.hpp"
#include "service/tls_context.hpp"

namespace gpukeeper::service {

/// What the files say that are named there. `settings` has a certificate and a key.
/// Errors: those of Files::read, with the key of the configuration and the path.
Result<TlsMaterial> read_tls(const config::TlsSettings& settings, const Files& files);

/// TLS as its files have it now. What has changed counts for those that connect from then on; who is there stays. Files
/// that do not do change nothing: the log and trouble() say so.
///
/// Threads: look(), configure() and trouble() belong to one each; now() may be called from any.
class LiveTls {
 public:
  /// Files, clock and log outlive this.
  LiveTls(std::shared_ptr<const Files> files, const Clock& clock, Log& log)
      : files_(std::move(files)), clock_(clock), log_(log) {}

  /// Before anything connects. Errors: those of read_tls and TlsContext::make.
  Result<void> start(const config::TlsSettings& settings);

  /// Once a second. Files that are being written are left until they were the same for a second.
  void look();

  /// Other settings, or the same: all is read again at once. Nothing happens to what was not started.
  void configure(const config::TlsSettings& settings);

  /// For a new connection; null before start().
  std::shared_ptr<const TlsContext> now() const { return *current_.read(); }

  /// What is wrong, a sentence each: files that do not do, a certificate that has expired.
  std::vector<std::string> trouble() const;

 private:
  void take(const Result<TlsMaterial>& material);
  void use(std::shared_ptr<const TlsContext> context, TlsMaterial material);
  void complain(const std::string& message);

  const std::shared_ptr<const Files> files_;
  const Clock& clock_;
  Log& log_;
  config::TlsSettings settings_;
  TlsMaterial used_;
  std::optional<TlsMaterial> seen_;  // by the last look; nothing: it could not be read
  MonotonicTime seen_since_{};
  Published<std::shared_ptr<const TlsContext>> current_;
  Published<std::string> complaint_;  // empty: the files are well
};

}  // namespace gpukeeper::service
