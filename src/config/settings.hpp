#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "actuators/actuator_settings.hpp"
#include "auth/role.hpp"
#include "booking/book_settings.hpp"
#include "core/listen_address.hpp"
#include "core/log.hpp"
#include "core/log_target.hpp"
#include "core/units.hpp"
#include "engine/engine_settings.hpp"
#include "prometheus/metrics_settings.hpp"
#include "reclaim/reclaim_settings.hpp"
#include "sinks/sink_settings.hpp"

namespace gpukeeper::config {

struct LogSettings {
  std::optional<std::string> file;  ///< nothing: standard error
  LogLevel level = LogLevel::info;
  LogFormat format = LogFormat::text;
  Bytes rotate_size = 10_MiB;
  std::size_t rotate_keep = 5;

  friend bool operator==(const LogSettings&, const LogSettings&) = default;
};

struct HttpSettings {
  std::size_t connections = 256;                                        ///< of one listener
  std::chrono::nanoseconds request_timeout = std::chrono::seconds(10);  ///< for a request to come, from its first byte
  std::chrono::nanoseconds answer_timeout = std::chrono::seconds(10);   ///< for an answer to be taken
  std::chrono::nanoseconds idle_timeout = std::chrono::seconds(75);     ///< between two requests

  friend bool operator==(const HttpSettings&, const HttpSettings&) = default;
};

/// What is told as it happens.
struct EventSettings {
  std::size_t clients = 1024;                                          ///< that may listen at once
  Percent high_usage{50};                                              ///< a GPU that is busier is told of …
  std::chrono::nanoseconds high_usage_time = std::chrono::seconds(3);  ///< … once it was for so long

  friend bool operator==(const EventSettings&, const EventSettings&) = default;
};

/// Who may do what, beside root and the user that gpukeeper runs as.
struct AuthSettings {
  std::vector<std::string> admin_groups;          ///< over the unix socket; names or numbers
  std::vector<std::string> operator_groups;       ///< as well
  auth::Role loopback_role = auth::Role::viewer;  ///< over TCP from this machine, without a token

  friend bool operator==(const AuthSettings&, const AuthSettings&) = default;
};

/// All that can be configured, each with its default. The key table (key_table.hpp) has a row for each.
struct Settings {
  EngineSettings engine;
  BookSettings book;

  std::vector<std::string> source;    ///< as for --source; empty: auto
  std::vector<ListenAddress> listen;  ///< empty: where it is usual
  bool insecure_listen = false;       ///< true: other machines may look without a token
  std::vector<std::string> hosts;     ///< names under which web browsers may ask, beyond localhost
  std::optional<std::string> state_dir;
  std::optional<std::string> rules;  ///< a file of rules that stand before the built-in ones (docs/classes.md)
  LogSettings log;
  HttpSettings http;
  EventSettings events;
  AuthSettings auth;
  prometheus::MetricsSettings metrics;
  SinkList sinks;  ///< where alerts are sent
  ActuatorSettings actuators;
  reclaim::ReclaimSettings reclaim;

  friend bool operator==(const Settings&, const Settings&) = default;
};

}  // namespace gpukeeper::config
