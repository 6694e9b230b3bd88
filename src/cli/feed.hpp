#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "backend/detect.hpp"
#include "config/settings.hpp"
#include "core/result.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper::cli {

/// Where a command gets its snapshots from: the machine, read by this process. Tests bring their own.
class Feed {
 public:
  virtual ~Feed() = default;

  /// Reads every device once and returns what is known now; never null. Takes as long as the slowest device may.
  virtual std::shared_ptr<const Snapshot> next() = 0;

  /// Whether nothing more will come: a recording is over.
  virtual bool ended() { return false; }

  /// Where it comes from when that is another machine: "10.0.0.5:8737"; empty for this one.
  virtual std::string origin() const { return {}; }

  /// A sentence: why the latest snapshot is not of now, as a daemon is not there any more; empty while all is well.
  virtual std::string trouble() const { return {}; }

  /// What `auto` looked for; empty when a source was named.
  virtual std::span<const Finding> findings() const = 0;
};

struct FeedOptions {
  std::vector<std::string> sources;  ///< as given to --source; empty for auto
  bool wake = false;
  std::string machine_root;       ///< where the machine's /sys and /proc are; empty for this machine's own
  std::optional<std::string> at;  ///< of a recording: which moment
  bool goes_on = false;           ///< plays a recording from its begin; else shows how things stood at its end
  std::function<void(Sources&)> prepare = [](Sources&) {};  ///< for who wants to listen to them
  std::chrono::nanoseconds process_period{0};  ///< who looks once wants the processes each time; a watch less often
  bool attribute = false;                      ///< say who the processes are (Snapshot::who)
  config::Settings settings;                   ///< what else is configured
  std::chrono::nanoseconds who_patience{0};    ///< how long the next snapshot may wait for that (EngineOptions)
  bool wait_for_cpu_shares = true;             ///< as there
};

/// A snapshot for a person: where `unsettled` says that the first lacks a value that needs two looks, the second of
/// two.
std::shared_ptr<const Snapshot> settled(Feed& feed, Clock& clock, bool (*unsettled)(const Snapshot&));

/// Whether the utilization of some process needs a second look.
bool lacks_process_rates(const Snapshot& snapshot);

/// Opens the sources; `clock` is the one that clock_for gave for them. Errors: as for Session::open, and, of
/// the rule file, which is read only to attribute, as for Classifier::load.
Result<std::unique_ptr<Feed>> open_feed(const FeedOptions& options, std::shared_ptr<Clock> clock);

}  // namespace gpukeeper::cli
