#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "core/units.hpp"
#include "prometheus/metrics_settings.hpp"
#include "sinks/sink_settings.hpp"

namespace gpukeeper::push {

/// A section `remote_write` or `otlp` of the configuration: where metrics are pushed to.
struct PushSettings {
  std::string url;  ///< https://… or http://…, with the path; empty: nowhere
  std::vector<prometheus::MetricFamily> families{prometheus::MetricFamily::gpukeeper};
  std::chrono::nanoseconds interval = std::chrono::seconds(15);
  std::chrono::nanoseconds timeout = std::chrono::seconds(10);  ///< for one attempt
  Bytes queue = 16_MiB;                                         ///< of requests that wait; above it the oldest go
  std::string token_file;            ///< whose first line is a bearer token; stands above user
  std::string user;                  ///< of basic authentication
  std::string password_file;         ///< whose first line is that one's password
  std::string ca_file;               ///< certificates that the server is checked against; empty: the system's
  std::vector<std::string> headers;  ///< "Name: value"
  std::vector<std::string> labels;   ///< "name=value", of every series

  bool on() const { return !url.empty(); }
  friend bool operator==(const PushSettings&, const PushSettings&) = default;
};

/// What is wrong with the section of that name, a sentence each that begins with the key. Looks at no file.
std::vector<std::string> check(std::string_view section, const PushSettings& settings);

/// The same for remote-write, which may have been left out of this gpukeeper.
std::vector<std::string> check_remote_write(const PushSettings& settings);

/// Where its secrets are, as sinks have it; `name` stands in messages.
SinkSettings as_sink(std::string name, const PushSettings& settings);

/// The address as it may be shown: without its path, which may hold a key.
std::string published_url(const PushSettings& settings);

/// The headers as they may be shown: their names.
std::vector<std::string> published_headers(const PushSettings& settings);

}  // namespace gpukeeper::push
