#pragma once

#include <chrono>
#include <memory>
#include <span>
#include <stop_token>

#include "core/clock.hpp"
#include "core/log.hpp"
#include "core/program.hpp"
#include "core/result.hpp"
#include "sinks/alert_notice.hpp"
#include "sinks/secrets.hpp"
#include "sinks/sink_settings.hpp"
#include "sinks/transport.hpp"

namespace gpukeeper {

/// One place that alerts are sent to.
/// Threads: one call at a time; it may take as long as the settings' timeout, and ends soon after a stop is requested.
class Sink {
 public:
  virtual ~Sink() = default;

  /// Sends one notice, which has arrived when this succeeds.
  /// Errors: invalid_argument when the receiver refuses it for what it is, so that sending it again would not help; any
  /// other when it may be tried again later. No message holds a secret.
  virtual Result<void> send(const AlertNotice& notice, const std::stop_token& stop) = 0;

  /// How often remind() wants to be called; zero: never.
  virtual std::chrono::nanoseconds reminder_pause() const { return {}; }

  /// Says again what fires, for a receiver that forgets. Errors: as for send().
  virtual Result<void> remind(std::span<const AlertNotice> firing, const std::stop_token& stop);
};

/// What sinks reach the world through; all must outlive them.
struct SinkWorld {
  Transport& transport;
  Programs& programs;
  const Clock& clock;
  Log& log;
  Secrets secrets;
};

/// The settings must have passed check().
std::unique_ptr<Sink> make_sink(const SinkSettings& settings, const SinkWorld& world);

}  // namespace gpukeeper
