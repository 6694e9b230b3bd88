#pragma once

#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "core/clock.hpp"
#include "sinks/alert_notice.hpp"

// What services want to be told: the bodies of POSTs. Whatever an alert's texts hold, they stay texts: nobody is called
// by name, no link is made, no limit of a service is exceeded.
namespace gpukeeper {

/// Slack's incoming webhook, as Mattermost and Rocket.Chat take it too.
/// Source: https://api.slack.com/messaging/webhooks, https://api.slack.com/reference/messaging/attachments
std::string slack_payload(const AlertNotice& notice);

/// Discord's webhook, with one embed.
/// Source: https://discord.com/developers/docs/resources/webhook#execute-webhook (limits: "embed object")
std::string discord_payload(const AlertNotice& notice);

/// One event for PagerDuty; what it calls an incident has dedup_key() as its key. A notice that something is resolved
/// resolves it, any other triggers it (a second time it only adds to it).
/// Source: https://developer.pagerduty.com/docs/events-api-v2/trigger-events/
std::string pagerduty_payload(const AlertNotice& notice, std::string_view routing_key);

/// The same for all notices of one alert and no other, at most 255 bytes.
std::string dedup_key(const AlertNotice& notice);

/// Alerts as Alertmanager's POST /api/v2/alerts takes them. What fires ends by itself `keeps` after `now` unless it is
/// told again, so that alerts of a machine that has died do not stay for ever. A change of the level is another alert
/// for Alertmanager, as the level is a label: one that has become critical ends the warning.
/// Source: https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml
std::string alertmanager_payload(std::span<const AlertNotice> notices, WallTime now, std::chrono::seconds keeps);

/// A name of 16 letters and digits for a text: the same on every machine and in every version.
std::string short_name(std::string_view text);

/// At most `most` bytes of a text without control characters, whole characters, with "…" where it was cut.
std::string cut(std::string_view text, std::size_t most);

}  // namespace gpukeeper
