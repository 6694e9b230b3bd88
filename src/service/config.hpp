#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "core/log_target.hpp"
#include "core/result.hpp"
#include "service/http_server.hpp"
#include "service/listen_address.hpp"

namespace gpukeeper::service {

/// What `gpukeeper serve` is to do. What is absent has the default that stands beside it.
struct Config {
  std::vector<std::string> source;      ///< as for --source; empty: auto
  std::vector<ListenAddress> listen;    ///< empty: default_listen()
  std::optional<bool> insecure_listen;  ///< false: addresses that other machines reach are refused
  std::vector<std::string> hosts;       ///< names under which web browsers may ask, beyond localhost
  std::optional<std::string> state_dir;
  std::optional<std::string> rules;  ///< a file of rules that stand before the built-in ones (docs/classes.md)
  std::optional<std::chrono::nanoseconds> sample_interval;  ///< 1 s

  struct LogSettings {
    std::optional<std::string> file;  ///< standard error
    std::optional<LogLevel> level;    ///< info
    std::optional<LogFormat> format;  ///< text
    std::optional<Bytes> rotate_size;
    std::optional<std::size_t> rotate_keep;
    friend bool operator==(const LogSettings&, const LogSettings&) = default;
  } log;

  struct HttpSettings {
    std::optional<std::size_t> connections;                    ///< of one listener
    std::optional<std::chrono::milliseconds> request_timeout;  ///< for a request to come, from its first byte
    std::optional<std::chrono::milliseconds> answer_timeout;   ///< for an answer to be taken
    std::optional<std::chrono::milliseconds> idle_timeout;     ///< between two requests
    friend bool operator==(const HttpSettings&, const HttpSettings&) = default;
  } http;

  friend bool operator==(const Config&, const Config&) = default;
};

/// Reads a configuration file's text (docs/guide.md describes it). Foreign input: bounded by the YAML reader.
/// Errors: invalid_argument "file:line:column: …".
Result<Config> parse_config(std::string_view text, std::string_view file);

/// `below`, where `above` says nothing; lists are not joined.
Config merged(Config above, Config below);

/// The log as the configuration wants it; `journal` as in LogTargetOptions.
LogTargetOptions log_target_options(const Config& config, bool journal);

/// The server as the configuration wants it.
HttpServerOptions http_options(const Config& config);

/// Errors: invalid_argument for a word that is no level, no format; what would be right stands in the message.
Result<LogLevel> parse_log_level(std::string_view word);
Result<LogFormat> parse_log_format(std::string_view word);

/// Where to listen when nothing is chosen: 127.0.0.1 at kDefaultPort, and a unix socket in the first folder that there
/// is: $RUNTIME_DIRECTORY (systemd), /run/gpukeeper for root, $XDG_RUNTIME_DIR.
using Variable = std::function<std::optional<std::string>(std::string_view)>;
std::vector<ListenAddress> default_listen(const Variable& environment, uid_t user);

/// Errors: not_permitted for an address that other machines reach, unless that was consented to: there is no
/// authentication yet.
Result<void> check_exposure(const std::vector<ListenAddress>& addresses, bool insecure_listen);

/// The keys of `b` whose change from `a` takes effect with a restart only.
std::vector<std::string_view> changes_for_restart(const Config& a, const Config& b);

}  // namespace gpukeeper::service
