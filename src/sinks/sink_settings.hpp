#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "telemetry/alert.hpp"

namespace gpukeeper {

/// How alerts reach people and other programs.
enum class SinkKind {
  log,           ///< gpukeeper's own log
  command,       ///< a program of this machine, with JSON on its standard input
  webhook,       ///< an HTTP POST of JSON, or of a body from a template
  slack,         ///< an incoming webhook of Slack, or of what takes the same (Mattermost, Rocket.Chat)
  discord,       ///< a webhook of a Discord channel
  pagerduty,     ///< PagerDuty, Events API v2
  alertmanager,  ///< Prometheus Alertmanager, API v2
  email,         ///< a message through an SMTP server
};

std::string_view to_string(SinkKind kind);
std::optional<SinkKind> parse_sink_kind(std::string_view word);

/// One place that alerts are sent to: an entry of `sinks` in the configuration. What a kind has no use for must be left
/// empty.
///
/// Secrets never stand here: a token and a password are named by the file or the environment variable that holds them,
/// and are read each time something is sent. A webhook's address may be a secret too; url_file and url_env are for it.
struct SinkSettings {
  std::string name;  ///< small letters, digits, - and _; its messages and its file in the state directory bear it
  SinkKind kind = SinkKind::log;
  bool enabled = true;

  // Which alerts.
  AlertLevel min_level = AlertLevel::warning;
  std::vector<std::string> rules;    ///< globs for rule ids; empty: all
  std::vector<std::string> devices;  ///< globs for UUID or index, "machine" for what is about no device; empty: all
  bool send_resolved = true;         ///< say too when one is over

  // Where: of webhook, slack, discord, alertmanager and email one of the three; pagerduty has a usual one.
  std::string url;       ///< https://… or http://…; of email smtp://HOST[:587] or smtps://HOST[:465]
  std::string url_file;  ///< a file whose first line it is
  std::string url_env;   ///< an environment variable that it is in

  // Who we are: of webhook and alertmanager a bearer token, or user and password; of pagerduty the token is the routing
  // key; of email user and password.
  std::string token_file;
  std::string token_env;
  std::string user;
  std::string password_file;
  std::string password_env;

  std::vector<std::string> command;  ///< of command: the program and its arguments; no shell is between
  std::vector<std::string> headers;  ///< of webhook: "Name: value"
  std::string body;                  ///< of webhook: a template with {placeholders}; empty: gpukeeper's own JSON
  std::string content_type;          ///< of webhook with a body; empty: application/json
  std::string from;                  ///< of email: an address
  std::vector<std::string> to;       ///< of email: addresses
  /// Of email with smtp://: whether the server must take TLS. Nothing: it must unless it is this machine.
  std::optional<bool> starttls;
  std::string ca_file;  ///< certificates that servers are checked against; empty: the system's

  std::vector<std::string> labels;                              ///< "name=value", sent with every alert
  std::chrono::nanoseconds timeout = std::chrono::seconds(10);  ///< for one attempt

  friend bool operator==(const SinkSettings&, const SinkSettings&) = default;
};

/// The section `sinks` of the configuration.
using SinkList = std::vector<SinkSettings>;

/// What is wrong with them, a sentence each that names key, value and what would be right:
/// "sinks[0].url = 'ftp://a': it must begin with https:// or http://". Empty when all is well. Looks at no file and no
/// variable.
std::vector<std::string> check(const SinkList& sinks);

/// What works but should not stay so, in the same form: the address of a Slack channel that stands in the open.
std::vector<std::string> warnings(const SinkList& sinks);

/// An address as it may be shown: scheme, host and port. What follows may be a secret: "https://hooks.slack.com/…".
std::string shown_url(std::string_view url);

}  // namespace gpukeeper
