#include "service/config.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/display_text.hpp"
#include "yaml/values.hpp"

namespace gpukeeper::service {

using namespace yaml;

namespace {

constexpr std::string_view kKeys[] = {"source", "listen", "insecure_listen", "hosts",    "http",
                                      "log",    "rules",  "sample_interval", "state_dir"};
constexpr std::string_view kHttpKeys[] = {"connections", "request_timeout", "answer_timeout", "idle_timeout"};
constexpr std::string_view kLogKeys[] = {"file", "level", "format", "rotate"};
constexpr std::string_view kRotateKeys[] = {"size", "keep"};
constexpr std::pair<std::string_view, bool> kBooleans[] = {{"true", true}, {"false", false}};
constexpr std::pair<std::string_view, LogLevel> kLevels[] = {
    {"error", LogLevel::error}, {"warning", LogLevel::warning}, {"info", LogLevel::info}, {"debug", LogLevel::debug}};
constexpr std::pair<std::string_view, LogFormat> kFormats[] = {{"text", LogFormat::text}, {"json", LogFormat::json}};

constexpr double kShortestInterval = 0.1;  // drivers renew their values at most so often: see --watch
constexpr double kLongestInterval = 3600;
constexpr double kShortestTimeout = 0.1;
constexpr double kLongestTimeout = 3600;
constexpr std::uint64_t kMostConnections = 100'000;
constexpr std::uint64_t kSmallestLog = 64 << 10;
constexpr std::uint64_t kMostLogs = 1000;

template <class T, std::size_t N>
Result<T> word(std::string_view what, std::string_view given, const std::pair<std::string_view, T> (&words)[N]) {
  std::vector<std::string_view> known;
  for (const auto& [name, value] : words) {
    if (name == given) return value;
    known.push_back(name);
  }
  return fail(Errc::invalid_argument,
              fmt::format("{} takes {}, not '{}'", what, fmt::join(known, ", "), harmless(given)));
}

// One text, or a list of them.
template <class Take>
void each_text(const YamlNode& node, std::string_view what, Take take) {
  if (node.kind != YamlNode::Kind::sequence) return take(text(node, what), node.mark);
  for (const YamlNode& item : node.items) take(text(item, what), item.mark);
}

std::chrono::nanoseconds interval(const YamlNode& node) {
  const double seconds = positive_duration(node, "sample_interval");
  if (seconds < kShortestInterval || seconds > kLongestInterval) {
    refuse(node.mark, "'sample_interval' must be from 100ms to 1h, not {}", shown(node));
  }
  return std::chrono::round<std::chrono::nanoseconds>(std::chrono::duration<double>(seconds));
}

Bytes log_size(const YamlNode& node) {
  const auto size = parse_size(scalar(node, "size", "a size such as 10MiB"));
  if (!size || *size < kSmallestLog) {
    refuse(node.mark, "'size' must be a size of 64KiB or more, such as 10MiB, not {}", shown(node));
  }
  return Bytes(*size);
}

Config::LogSettings log_settings(const YamlNode& node) {
  mapping(node, "log", "{level: info, file: /var/log/gpukeeper.log}");
  check_keys(node, "log", kLogKeys);
  Config::LogSettings log;
  if (const YamlNode* file = node.find("file")) log.file = text(*file, "file");
  if (const YamlNode* level = node.find("level")) log.level = choice(*level, "level", kLevels);
  if (const YamlNode* format = node.find("format")) log.format = choice(*format, "format", kFormats);
  if (const YamlNode* rotate = node.find("rotate")) {
    mapping(*rotate, "rotate", "{size: 10MiB, keep: 5}");
    check_keys(*rotate, "rotate", kRotateKeys);
    if (const YamlNode* size = rotate->find("size")) log.rotate_size = log_size(*size);
    if (const YamlNode* keep = rotate->find("keep")) log.rotate_keep = whole(*keep, "keep", 0, kMostLogs);
  }
  return log;
}

std::optional<std::chrono::milliseconds> timeout(const YamlNode& map, std::string_view key) {
  const YamlNode* node = map.find(key);
  if (!node) return std::nullopt;
  const double seconds = positive_duration(*node, key);
  if (seconds < kShortestTimeout || seconds > kLongestTimeout) {
    refuse(node->mark, "'{}' must be from 100ms to 1h, not {}", key, shown(*node));
  }
  return std::chrono::round<std::chrono::milliseconds>(std::chrono::duration<double>(seconds));
}

Config::HttpSettings http_settings(const YamlNode& node) {
  mapping(node, "http", "{connections: 256}");
  check_keys(node, "http", kHttpKeys);
  Config::HttpSettings http;
  if (const YamlNode* count = node.find("connections")) {
    http.connections = whole(*count, "connections", 1, kMostConnections);
  }
  http.request_timeout = timeout(node, "request_timeout");
  http.answer_timeout = timeout(node, "answer_timeout");
  http.idle_timeout = timeout(node, "idle_timeout");
  return http;
}

Config config(const YamlNode& root) {
  Config result;
  if (root.kind == YamlNode::Kind::null) return result;  // an empty file is all defaults
  mapping(root, "the configuration", "listen: 127.0.0.1:7909");
  check_keys(root, "the configuration", kKeys);
  if (const YamlNode* node = root.find("source")) {
    each_text(*node, "source", [&](std::string source, Mark) { result.source.push_back(std::move(source)); });
  }
  if (const YamlNode* node = root.find("listen")) {
    each_text(*node, "listen", [&](const std::string& address, Mark mark) {
      auto parsed = parse_listen_address(address);
      if (!parsed) refuse(mark, "{}", parsed.error().message);
      result.listen.push_back(std::move(*parsed));
    });
  }
  if (const YamlNode* node = root.find("insecure_listen")) {
    result.insecure_listen = choice(*node, "insecure_listen", kBooleans);
  }
  if (const YamlNode* node = root.find("hosts")) {
    each_text(*node, "hosts", [&](std::string host, Mark) { result.hosts.push_back(std::move(host)); });
  }
  if (const YamlNode* node = root.find("state_dir")) result.state_dir = text(*node, "state_dir");
  if (const YamlNode* node = root.find("rules")) result.rules = text(*node, "rules");
  if (const YamlNode* node = root.find("sample_interval")) result.sample_interval = interval(*node);
  if (const YamlNode* node = root.find("http")) result.http = http_settings(*node);
  if (const YamlNode* node = root.find("log")) result.log = log_settings(*node);
  return result;
}

template <class T>
void fill(T& above, T& below) {
  const bool says_nothing = [&] {
    if constexpr (requires { above.has_value(); })
      return !above.has_value();
    else
      return above.empty();
  }();
  if (says_nothing) above = std::move(below);
}

}  // namespace

Result<Config> parse_config(std::string_view text, std::string_view file) {
  const auto tree = parse_yaml(text, file);
  if (!tree) return tl::make_unexpected(tree.error());
  try {
    return config(*tree);
  } catch (const Refused& refused) {
    return tl::make_unexpected(refusal(file, refused.mark, refused.message));
  }
}

Config merged(Config above, Config below) {
  fill(above.source, below.source);
  fill(above.listen, below.listen);
  fill(above.insecure_listen, below.insecure_listen);
  fill(above.hosts, below.hosts);
  fill(above.state_dir, below.state_dir);
  fill(above.rules, below.rules);
  fill(above.sample_interval, below.sample_interval);
  fill(above.http.connections, below.http.connections);
  fill(above.http.request_timeout, below.http.request_timeout);
  fill(above.http.answer_timeout, below.http.answer_timeout);
  fill(above.http.idle_timeout, below.http.idle_timeout);
  fill(above.log.file, below.log.file);
  fill(above.log.level, below.log.level);
  fill(above.log.format, below.log.format);
  fill(above.log.rotate_size, below.log.rotate_size);
  fill(above.log.rotate_keep, below.log.rotate_keep);
  return above;
}

LogTargetOptions log_target_options(const Config& config, bool journal) {
  LogTargetOptions options;
  options.file = config.log.file.value_or("");
  options.format = config.log.format.value_or(options.format);
  options.rotate_size = config.log.rotate_size.value_or(options.rotate_size);
  options.rotate_keep = config.log.rotate_keep.value_or(options.rotate_keep);
  options.journal = journal;
  return options;
}

HttpServerOptions http_options(const Config& config) {
  HttpServerOptions options;
  options.connections = config.http.connections.value_or(options.connections);
  options.request = config.http.request_timeout.value_or(options.request);
  options.answer = config.http.answer_timeout.value_or(options.answer);
  options.idle = config.http.idle_timeout.value_or(options.idle);
  return options;
}

Result<LogLevel> parse_log_level(std::string_view given) {
  return word("--log-level", given, kLevels);
}

Result<LogFormat> parse_log_format(std::string_view given) {
  return word("--log-format", given, kFormats);
}

std::vector<ListenAddress> default_listen(const Variable& environment, uid_t user) {
  std::vector<ListenAddress> result;
  const auto runtime = environment("RUNTIME_DIRECTORY");
  const auto session = environment("XDG_RUNTIME_DIR");
  std::string folder;
  if (runtime && !runtime->empty()) {
    folder = runtime->substr(0, runtime->find(':'));  // systemd.exec(5): several are separated by colons
  } else if (user == 0) {
    folder = "/run/gpukeeper";
  } else if (session && !session->empty()) {
    folder = *session;
  }
  if (!folder.empty()) result.push_back({.path = folder + "/gpukeeper.sock", .host = {}});
  result.push_back({.path = {}, .host = "127.0.0.1", .port = kDefaultPort});
  return result;
}

Result<void> check_exposure(const std::vector<ListenAddress>& addresses, bool insecure_listen) {
  for (const ListenAddress& address : addresses) {
    if (address.is_local() || insecure_listen) continue;
    return fail(Errc::not_permitted,
                fmt::format("listen on {}: other machines reach that address, and there is no authentication yet: "
                            "listen on 127.0.0.1 behind a proxy that has one, or consent with --insecure-listen",
                            address.to_string()));
  }
  return {};
}

std::vector<std::string_view> changes_for_restart(const Config& a, const Config& b) {
  std::vector<std::string_view> changed;
  if (a.source != b.source) changed.emplace_back("source");
  if (a.listen != b.listen) changed.emplace_back("listen");
  if (a.insecure_listen != b.insecure_listen) changed.emplace_back("insecure_listen");
  if (a.hosts != b.hosts) changed.emplace_back("hosts");
  if (a.http != b.http) changed.emplace_back("http");
  if (a.state_dir != b.state_dir) changed.emplace_back("state_dir");
  if (a.rules != b.rules) changed.emplace_back("rules");
  if (a.sample_interval != b.sample_interval) changed.emplace_back("sample_interval");
  return changed;
}

}  // namespace gpukeeper::service
