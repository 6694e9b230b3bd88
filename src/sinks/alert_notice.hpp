#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/clock.hpp"
#include "telemetry/alert.hpp"

namespace gpukeeper {

/// What is sent to people about one alert.
struct AlertNotice {
  enum class Kind {
    fired,
    escalated,  ///< a warning that has become critical
    repeated,   ///< it lasts
    resolved,
    test,  ///< somebody tries whether notices arrive: the alert is made up
  };
  using Labels = std::vector<std::pair<std::string, std::string>>;

  Kind kind = Kind::fired;
  WallTime at{};       ///< when it was told
  Alert alert;         ///< as it was then
  std::string host;    ///< the machine's name
  std::string origin;  ///< empty for a living device; "simulated" or "recorded": every sink says so
  Labels labels;       ///< of the sink's settings

  friend bool operator==(const AlertNotice&, const AlertNotice&) = default;
};

std::string_view to_string(AlertNotice::Kind kind);
std::optional<AlertNotice::Kind> parse_notice_kind(std::string_view word);

/// "GPU 0 (GPU-3f2a…)", "this machine".
std::string where(const Alert& alert);

/// One line of text without control characters, at most `limit` columns wide:
/// "[critical] GPU 0 thermal throttling: 92°C exceeds 80°C threshold", "[resolved] …", with "simulated: " before what
/// is not of a living device.
std::string headline(const AlertNotice& notice, std::size_t limit = 1000);

/// The notice as gpukeeper's own JSON (docs/sinks.md): what the webhook without a body and the command are given, and
/// what the spool keeps. Always UTF-8 whatever the alert holds.
std::string notice_json(const AlertNotice& notice);

/// Reads notice_json() back; nothing for anything else, however damaged.
std::optional<AlertNotice> parse_notice(std::string_view json);

}  // namespace gpukeeper
