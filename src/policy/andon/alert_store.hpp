#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "policy/andon/silence.hpp"
#include "telemetry/alert.hpp"

namespace gpukeeper {

/// An alert as it is kept over restarts.
struct KeptAlert {
  Alert alert;
  bool told = false;  ///< whether anybody was told of it

  friend bool operator==(const KeptAlert&, const KeptAlert&) = default;
};

/// What Andon remembers over restarts.
struct AndonMemory {
  std::vector<KeptAlert> alerts;  ///< that fire, and those resolved of late, the oldest first
  SilenceList silences;           ///< without those of the configuration
  std::uint64_t last_alert = 0;   ///< the number of the newest alert; never used again
  std::uint64_t last_silence = 0;

  friend bool operator==(const AndonMemory&, const AndonMemory&) = default;
};

/// Where it is kept.
///
/// Threads: load() before the first save(), later one call at a time.
class AlertStore {
 public:
  virtual ~AlertStore() = default;

  /// Where it is, for messages: "/var/lib/gpukeeper/alerts.db". Constant.
  virtual std::string place() const = 0;

  /// Whether it keeps the alerts of simulated and recorded devices; else it keeps those of real ones. Never both.
  virtual bool keeps_made_up() const = 0;

  /// What its operator should know: that a damaged file was moved aside. Empty when nothing. From any thread.
  virtual std::string notice() const = 0;

  /// What was saved last; empty when nothing was.
  /// Errors: unavailable when it cannot be read now; others as the disk says.
  virtual Result<AndonMemory> load() = 0;

  /// Takes the place of what was saved before; all of it or, when it fails, nothing. Once it returns it survives the
  /// end of the process, and of the machine.
  /// Errors: resource_exhausted when the disk is full; others as the disk says.
  virtual Result<void> save(const AndonMemory& memory) = 0;
};

}  // namespace gpukeeper
