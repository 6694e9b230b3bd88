#include "config/schema.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "config/key_table.hpp"
#include "core/text.hpp"
#include "format/json_text.hpp"

namespace gpukeeper::config {
namespace {

constexpr std::string_view kIntroduction = R"(# Configuration

What can be set, where, and what it means. This page is written by `gpukeeper config schema --markdown`.

A setting comes from, each above those before it:

1. its default
2. the configuration file: `--config FILE`, else `GPUKEEPER_CONFIG`, else `gpukeeper/gpukeeper.yaml` in `$XDG_CONFIG_HOME`
   or `~/.config`, else `/etc/gpukeeper/gpukeeper.yaml`
3. the environment: `GPUKEEPER_` and the key in capitals, with `_` for dots: `GPUKEEPER_TEMP_THROTTLE`,
   `GPUKEEPER_LOG_LEVEL`; commas separate several values. Below these stand names of documented deployments,
   such as `METRICS_INTERVAL`, `ALLOWED_IPS`, `TEMPERATURE_ALERT_THRESHOLD`, `DATABASE_URL`, and `HOST` with `PORT`
   ([install.md](install.md))
4. the command line: `--set temp_throttle=80`, as often as need be, and options of their own such as `--listen`
5. what a running daemon was told: `gpukeeper config set`, `PATCH /api/v1/config`; until it is restarted, or until the
   file says something else of that key

All of it is judged as a whole: with one mistake nothing is taken, and every mistake is named with its place, its key and
what would be right. `gpukeeper config check FILE` says so beforehand.

A daemon reads the file again when it changes and on SIGHUP. What is *live* takes effect at the next tick; the log names
what has changed, and what waits for a restart. A file that is wrong changes nothing.

The file is YAML, after [`schema/config.json`](schema/config.json); [`examples/gpukeeper.yaml`](../examples/gpukeeper.yaml)
has every key. A key with dots stands in sections: `log.rotate.size` is `log: {rotate: {size: 10MiB}}`. Times are seconds or
such as `500ms`, `90s`, `1h30m`. The sections `optimization`, `services` and `monitoring` of the documented
`optimization_config.yaml` are read as well, and mean the keys of the same sense.

| key | default | values | change | meaning |
| --- | --- | --- | --- | --- |
)";

constexpr std::string_view kSections = R"(
## Thresholds of some GPUs

`vendors` and `devices` change thresholds for some GPUs; what they do not name stays as it is. A device is named by its UUID
or its name, `*` stands for any characters, upper and lower case are one. What a device has stands above what its vendor
has; of several entries that fit, the later wins.

```yaml
vendors:
  amd: {temp_throttle: 95, temp_critical: 100}
devices:
  - {device: "*H200*", temp_normal: 70}
  - {device: GPU-5f3e0a1c-*, temp_auto: true}
```

`temp_auto` takes the temperatures from the device itself: so many degrees below the one at which it slows itself down,
where it tells that.

The borders must be in order, optimal below normal below throttle and that not above critical, and further apart than the
hysteresis: a state must not be left for one whose border is crossed already.
)";

// A value as it stands in a table of Markdown.
std::string cell(std::string text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '|') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

// A row of the table.
std::string in_the_table(const Key& key, const Settings& standard) {
  const std::string value = key.show(standard);
  const bool none = value == "null" || value == "[]" || value == "{}";
  std::string standard_value = none ? "" : fmt::format("`{}`", cell(value));
  if (!none && !key.unit.empty()) standard_value += fmt::format(" {}", key.unit);
  return fmt::format("| `{}` | {} | {}{}{} | {} | {} |\n", key.name, standard_value, cell(key.type),
                     key.range.empty() ? "" : ", ", key.range, key.change == Change::live ? "live" : "restart",
                     key.help);
}

Json property(const Key& key, const Settings& standard) {
  Json property = Json::parse(key.schema);
  property["description"] = key.unit.empty() ? std::string(key.help) : fmt::format("{} In {}.", key.help, key.unit);
  property["default"] = Json::parse(key.show(standard));
  return property;
}

Json section() {
  return {{"type", "object"}, {"additionalProperties", false}, {"properties", Json::object()}};
}

}  // namespace

std::string schema() {
  Json root = {{"$schema", "https://json-schema.org/draft/2020-12/schema"},
               {"title", "gpukeeper configuration"},
               {"type", Json::array({"object", "null"})},
               {"additionalProperties", false},
               {"properties", Json::object()}};
  const Settings standard;
  for (const Key& key : key_table()) {
    const auto names = split(key.name, '.');
    Json* place = &root;
    for (const auto name : names) {
      Json& properties = (*place)["properties"];
      if (!properties.contains(name)) properties[std::string(name)] = section();
      place = &properties[std::string(name)];
    }
    *place = property(key, standard);
  }
  return dump(root, true) + "\n";
}

std::string page() {
  std::string text(kIntroduction);
  const Settings standard;
  for (const Key& key : key_table()) text += in_the_table(key, standard);
  return text + std::string(kSections);
}

}  // namespace gpukeeper::config
