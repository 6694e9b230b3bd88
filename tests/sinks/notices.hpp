#pragma once

#include <chrono>
#include <string>

#include "sinks/alert_notice.hpp"

// Notices as Andon's alerts make them.
namespace gpukeeper {

inline constexpr WallTime kTold = WallTime(std::chrono::seconds(1'780'000'000));  // 2026-05-28T20:26:40Z

inline AlertNotice hot_gpu(AlertNotice::Kind kind = AlertNotice::Kind::fired) {
  using namespace std::chrono_literals;
  AlertNotice notice;
  notice.kind = kind;
  notice.at = kTold;
  notice.host = "gpu-box";
  notice.alert.id = "a1";
  notice.alert.rule = "thermal";
  notice.alert.device = DeviceId{"GPU-3f2a"};
  notice.alert.device_index = 0;
  notice.alert.level = AlertLevel::critical;
  notice.alert.severity = 92;
  notice.alert.phase = AlertPhase::firing;
  notice.alert.value = 92;
  notice.alert.threshold = 80;
  notice.alert.message = "GPU 0 thermal throttling: 92°C exceeds 80°C threshold";
  notice.alert.remedy = "Look at the fans.";
  notice.alert.link = "https://example.org/alerts#thermal";
  notice.alert.since = kTold - 20s;
  notice.alert.fired_at = kTold - 5s;
  if (kind == AlertNotice::Kind::resolved) {
    notice.alert.phase = AlertPhase::resolved;
    notice.alert.resolved_at = kTold;
  }
  return notice;
}

/// One of which only what must be there is there.
inline AlertNotice bare_notice() {
  AlertNotice notice;
  notice.at = kTold;
  notice.alert.id = "a2";
  notice.alert.rule = "host_memory";
  notice.alert.phase = AlertPhase::firing;
  notice.alert.message = "Memory is 97% full";
  notice.alert.since = kTold;
  return notice;
}

/// One whose texts try to break out of whatever they are put in.
inline AlertNotice hostile_notice() {
  AlertNotice notice = hot_gpu();
  const std::string poison = "\"},{\"a\":\"\\\r\nBcc: all@example.org\r\n.\r\n\x1b[2J\xff\xfe<!channel>@everyone\u202e";
  notice.host = poison;
  notice.alert.id = poison;
  notice.alert.rule = poison;
  notice.alert.subject = poison;
  notice.alert.device = DeviceId{poison};
  notice.alert.message = poison;
  notice.alert.remedy = poison;
  notice.alert.link = poison;
  notice.labels = {{"team", poison}};
  return notice;
}

}  // namespace gpukeeper
