#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "actuators/actuation.hpp"
#include "core/result.hpp"
#include "engine/engine.hpp"
#include "format/throttle_report.hpp"
#include "service/http.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper::service {

/// What an operator asks for: the body of PUT /api/v1/throttle.
struct SpeedWish {
  double speed = 0.5;                              ///< 0.8, 0.5 or 0
  std::optional<std::chrono::nanoseconds> length;  ///< nothing: until it is taken back
  std::vector<std::string> devices;                ///< index, UUID or PCI address; empty: every GPU
};

/// Reads {"speed_multiplier": 0.5, "seconds": 600, "devices": ["0"]}; the last two may be left out.
/// Errors: invalid_argument with what would be right.
Result<SpeedWish> parse_speed_wish(std::string_view json);

/// How fast work may go, and the requests of operators: GET, PUT and DELETE /api/v1/throttle.
///
/// A request holds from the next snapshot on.
/// Threads: one, the server's.
class ThrottleAnswer {
 public:
  /// Has something done on the engine's thread; false when it cannot be.
  using Post = std::function<bool(std::function<void(Engine&)>)>;

  /// What is changed of the devices now.
  using Changes = std::function<std::vector<ActuatorReport>()>;

  /// `changes` may be empty: then nothing can be.
  explicit ThrottleAnswer(Post post, Changes changes = {}) : post_(std::move(post)), changes_(std::move(changes)) {}

  /// 200; ?device= for one of them, 404 when there is none such; 503 before the first snapshot.
  Response read(const Request& request, const Snapshot& snapshot) const;

  /// 202 with what was understood; 400, 404; 503 when the engine takes no command.
  Response ask(const Request& request, const Snapshot& snapshot) const;

  /// 202: takes back all requests; ?device=: that for this device. 404, 503.
  Response take_back(const Request& request, const Snapshot& snapshot) const;

 private:
  std::vector<ThrottleReport::Change> changes(const Snapshot& selected, bool all) const;

  const Post post_;
  const Changes changes_;
};

}  // namespace gpukeeper::service
