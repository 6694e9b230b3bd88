#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "format/history_view.hpp"
#include "telemetry/snapshot.hpp"
#include "top/lease_book.hpp"

namespace gpukeeper::top {

/// Who says what the GPUs do.
enum class Way { direct, daemon, replay };

/// What the user may do there; told by the daemon.
enum class May { look, operate, all };

/// Where in a recording it stands.
struct Playing {
  WallTime begin{}, end{}, at{};
  double speed = 1;
  bool paused = false;
  bool ended = false;
  bool seeks = true;  ///< a simulated machine's time has no begin and no end to go to
};

/// The outcome of something that was asked for.
struct Reply {
  std::uint64_t number = 0;  ///< one more each time
  bool good = true;
  std::string text;
};

/// What is known now, as the feeder has it. Shared parts are immutable.
struct News {
  std::shared_ptr<const Snapshot> snapshot;  ///< null before the first
  MonotonicTime came{};                      ///< when it came, by real time
  std::uint64_t jumps = 0;                   ///< how often time was left: curves begin anew
  Way way = Way::direct;
  bool here = true;     ///< it is this machine: its clock is ours, its processes can be signalled
  std::string origin;   ///< where it was asked: "10.0.0.5:8737"; empty for this machine
  std::string trouble;  ///< a sentence: why it is not of now; empty while all is well
  std::string nothing;  ///< a sentence: why there is no GPU to be seen; empty where that is not known
  May may = May::look;
  std::string leases_reason;                ///< a sentence: why `leases` is not there or not of now
  std::shared_ptr<const LeaseBook> leases;  ///< null where nobody said
  std::string past_reason;                  ///< the same of `past`
  std::shared_ptr<const HistoryView> past;  ///< as wanted last; null before
  std::optional<Playing> playing;
  std::map<std::int64_t, std::string> names;  ///< of the processes that were wanted last, of this machine; any text
  Reply reply;
  std::optional<Error> failed;  ///< it could not even begin: the program ends with that
};

}  // namespace gpukeeper::top
