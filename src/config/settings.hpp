#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "account/keeping.hpp"
#include "account/tariff.hpp"
#include "actuators/actuator_settings.hpp"
#include "auth/certificate.hpp"
#include "auth/network.hpp"
#include "auth/role.hpp"
#include "booking/book_settings.hpp"
#include "core/listen_address.hpp"
#include "core/log.hpp"
#include "core/log_target.hpp"
#include "core/units.hpp"
#include "engine/engine_settings.hpp"
#include "postgres/database_settings.hpp"
#include "prometheus/metrics_settings.hpp"
#include "push/push_settings.hpp"
#include "reclaim/reclaim_settings.hpp"
#include "sinks/sink_settings.hpp"
#include "storage/history_store_settings.hpp"

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
  std::size_t connections = 256;                    ///< of one listener
  std::optional<std::size_t> connections_per_peer;  ///< of one address, one user; nothing: 7 of 8
  Bytes head_size = Bytes(16 << 10);                ///< of a request: its line and headers
  Bytes body_size = Bytes(64 << 10);                ///< of a request
  Bytes slowest = Bytes(64 << 10);                  ///< that a client takes in a second at the least
  std::uint32_t requests_per_minute = 60;  ///< of an address beyond this machine, by nobody knows whom; 0: any number
  std::vector<auth::Network> allow;        ///< who beyond this machine may connect at all; empty: everybody
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

/// Pages of other sites that may ask here out of a browser.
struct CorsSettings {
  std::vector<std::string> origins;  ///< "https://dashboard.example", each exactly so

  friend bool operator==(const CorsSettings&, const CorsSettings&) = default;
};

/// Who may do what, beside root and the user that gpukeeper runs as.
struct AuthSettings {
  std::vector<std::string> admin_groups;            ///< over the unix socket; names or numbers
  std::vector<std::string> operator_groups;         ///< as well
  auth::Role loopback_role = auth::Role::viewer;    ///< over TCP from this machine, without a token
  std::vector<auth::CertificateRule> certificates;  ///< what clients may whose certificates these describe

  friend bool operator==(const AuthSettings&, const AuthSettings&) = default;
};

enum class TlsVersion { v1_2, v1_3 };

/// What listeners with TLS use; all files PEM.
struct TlsSettings {
  std::optional<std::string> certificate;  ///< a file: that of the server, and then those between it and the root
  std::optional<std::string> key;          ///< a file: of the certificate
  std::optional<std::string> client_ca;    ///< a file: who vouches for clients; nothing: they are not asked
  bool client_required = false;            ///< true: who shows no certificate is not let in
  TlsVersion min_version = TlsVersion::v1_2;
  std::chrono::nanoseconds hsts{};  ///< how long browsers shall ask by https only; 0: they are not told

  friend bool operator==(const TlsSettings&, const TlsSettings&) = default;
};

/// Whom to ask how Kubernetes calls the pods that use GPUs.
struct KubernetesSettings {
  std::optional<std::string> pod_resources;        ///< the kubelet's socket; nothing: it is not asked
  std::string helper = "gpukeeper-pod-resources";  ///< the program that asks: a path, or a name in the usual places

  friend bool operator==(const KubernetesSettings&, const KubernetesSettings&) = default;
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
  bool process_monitoring = true;    ///< false: no device is asked who uses it
  std::optional<std::string> rules;  ///< a file of rules that stand before the built-in ones (docs/classes.md)
  LogSettings log;
  HttpSettings http;
  EventSettings events;
  CorsSettings cors;
  AuthSettings auth;
  TlsSettings tls;
  HistoryStoreSettings history_store;
  prometheus::MetricsSettings metrics;
  SinkList sinks;  ///< where alerts are sent
  ActuatorSettings actuators;
  reclaim::ReclaimSettings reclaim;
  KubernetesSettings kubernetes;
  account::Tariff tariff;               ///< what energy costs, for reports
  account::Keeping keeping;             ///< of the account
  postgres::DatabaseSettings database;  ///< where readings are written to
  push::PushSettings remote_write;      ///< where metrics are pushed to
  push::PushSettings otlp;              ///< as well

  friend bool operator==(const Settings&, const Settings&) = default;
};

}  // namespace gpukeeper::config
