#include "config/live_config.hpp"

#include <algorithm>

#include <unistd.h>

#include <fmt/format.h>

#include "config/file_edit.hpp"
#include "core/files.hpp"

namespace gpukeeper::config {
namespace {

constexpr std::string_view kMachineFile = "/etc/gpukeeper/gpukeeper.yaml";

Result<std::optional<File>> read(const Sources& sources) {
  if (sources.path.empty()) return std::nullopt;
  auto text = read_file(sources.path, yaml::kMaxYamlBytes);
  if (text) return File{sources.path, std::move(*text)};
  if (text.error().code == Errc::not_found && !sources.must_be_there) return std::nullopt;
  return tl::make_unexpected(text.error());
}

// What the file says of each key, as JSON, to tell what it says anew. It was taken whole, so it can be read.
std::map<std::string, std::string> said(const std::optional<File>& file) {
  std::map<std::string, std::string> result;
  const auto root = file ? yaml::parse_yaml(file->text, file->name) : Result<yaml::YamlNode>(yaml::YamlNode());
  if (!root) return result;
  Mistakes mistakes;
  Settings settings;
  for (const Assignment& each : assignments(*root, mistakes)) {
    const Key* key = find_key(each.key);
    key->take(settings, each.value, mistakes);
    result[each.key] = key->show(settings);
  }
  return result;
}

}  // namespace

UsualFile usual_file(const Variable& environment, bool root) {
  std::string own;
  const std::string folder = environment("XDG_CONFIG_HOME").value_or("");
  const std::string home = environment("HOME").value_or("");
  if (!root && folder.starts_with('/')) {
    own = folder + "/gpukeeper/gpukeeper.yaml";
  } else if (!root && home.starts_with('/')) {
    own = home + "/.config/gpukeeper/gpukeeper.yaml";
  }
  const auto is_there = [](const std::string& path) { return ::access(path.c_str(), F_OK) == 0; };
  if (!own.empty() && is_there(own)) return {own, true};
  const std::string machine(kMachineFile);
  if (is_there(machine)) return {machine, true};
  return {own.empty() ? machine : own, false};
}

Result<LiveConfig> LiveConfig::open(Sources sources) {
  auto file = read(sources);
  if (!file) return tl::make_unexpected(file.error());
  auto now = effective({.file = *file, .environment = sources.environment, .command_line = sources.command_line});
  if (!now) return tl::make_unexpected(now.error());
  return LiveConfig(std::move(sources), std::move(*file), std::move(*now));
}

Inputs LiveConfig::inputs(std::optional<File> file, std::vector<Assignment> requests) const {
  return {.file = std::move(file),
          .environment = sources_.environment,
          .command_line = sources_.command_line,
          .requests = std::move(requests)};
}

LiveConfig::Changed LiveConfig::adopt(std::optional<File> file, std::vector<Assignment> requests, Effective next) {
  Changed changed{differences(now_.settings, next.settings), std::move(now_.settings)};
  file_ = std::move(file);
  requests_ = std::move(requests);
  now_ = std::move(next);
  return changed;
}

Result<LiveConfig::Changed> LiveConfig::reload() {
  auto file = read(sources_);
  if (!file) return tl::make_unexpected(file.error());
  const auto before = said(file_);
  const auto after = said(*file);
  auto requests = requests_;
  std::erase_if(requests, [&](const Assignment& each) {
    const auto was = before.find(each.key);
    const auto is = after.find(each.key);
    return is != after.end() && (was == before.end() || was->second != is->second);
  });
  auto next = effective(inputs(*file, requests));
  if (!next) return tl::make_unexpected(next.error());
  return adopt(std::move(*file), std::move(requests), std::move(*next));
}

bool LiveConfig::file_changed() const {
  const auto file = read(sources_);
  if (!file) return file_.has_value();  // it is said why by who reads it again
  const std::string_view now = *file ? std::string_view((*file)->text) : std::string_view();
  return now != (file_ ? std::string_view(file_->text) : std::string_view());
}

Result<LiveConfig::Changed> LiveConfig::set(std::span<const Assignment> assignments, bool save) {
  return change(requests_, assignments, save);
}

Result<LiveConfig::Changed> LiveConfig::replace(std::span<const Assignment> assignments, bool save) {
  return change({}, assignments, save);
}

// `requests`: what was set at run time, as far as it is to stand. What stands in the file needs no request beside it;
// what stands above the file may.
Result<LiveConfig::Changed> LiveConfig::change(std::vector<Assignment> requests,
                                               std::span<const Assignment> assignments, bool save) {
  for (const Assignment& each : assignments) {
    const bool null = each.value.kind == yaml::YamlNode::Kind::null;
    if (save && null) {
      return fail(Errc::invalid_argument,
                  each.key + ": null takes back what was set at run time: there is nothing to save");
    }
    if (!save && find_key(each.key)->change == Change::restart) {
      return fail(Errc::invalid_argument,
                  each.key + ": takes effect with a restart only, so it can only be saved to the file (--save)");
    }
    std::erase_if(requests, [&](const Assignment& other) { return other.key == each.key; });
    if (!null) requests.push_back(each);
  }
  auto next = effective(inputs(file_, requests));
  if (!next) return tl::make_unexpected(next.error());
  if (!save) return adopt(file_, std::move(requests), std::move(*next));

  auto file = saved(assignments);
  if (!file) return tl::make_unexpected(file.error());
  auto lean = requests;
  std::erase_if(lean, [&](const Assignment& each) {
    return std::ranges::find(assignments, each.key, &Assignment::key) != assignments.end();
  });
  // Unless the environment or the command line stands above what the file now says.
  if (auto without = effective(inputs(*file, lean)); without && without->settings == next->settings) {
    return adopt(std::move(*file), std::move(lean), std::move(*without));
  }
  return adopt(std::move(*file), std::move(requests), std::move(*next));
}

// The file with these keys, written, after it was judged as the next start will read it.
Result<File> LiveConfig::saved(std::span<const Assignment> assignments) const {
  if (sources_.path.empty()) {
    return fail(Errc::not_supported, "there is no file to save to: it was started without one; name one with --config");
  }
  if (file_changed()) {  // by somebody whose work must not be lost
    return fail(Errc::already_exists,
                sources_.path +
                    ": it was changed since it was read, and what it says now was not taken: see the log, "
                    "mend the file, then set this again");
  }
  auto text = edited(file_ ? file_->text : "", sources_.path, assignments);
  if (!text) return tl::make_unexpected(text.error());
  File file{sources_.path, std::move(*text)};
  if (const auto alone = effective(inputs(file, {})); !alone) {
    return fail(Errc::invalid_argument,
                "it cannot be saved without what else was set at run time: " + alone.error().message);
  }
  if (const auto written = replace_file(file.name, file.text); !written) return tl::make_unexpected(written.error());
  return file;
}

}  // namespace gpukeeper::config
