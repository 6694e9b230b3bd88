#include "auth/audit_log.hpp"

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include <fmt/format.h>

#include "core/display_text.hpp"
#include "core/files.hpp"
#include "core/rfc3339.hpp"
#include "core/text.hpp"

namespace gpukeeper::auth {
namespace {

using Json = nlohmann::ordered_json;

constexpr unsigned kOwnerOnly = 0600;
constexpr std::size_t kMostRead = 64 << 20;

// What is JSON stays so; null for nothing.
Json value_of(std::string_view text) {
  if (trim(text).empty()) return nullptr;
  if (text.size() > kMostAuditText) return std::string(text.substr(0, kMostAuditText)) + "…";
  Json value = Json::parse(text, nullptr, false);
  return value.is_discarded() ? Json(std::string(text)) : value;
}

// {"key": from} and {"key": to} of an answer's "changed".
std::pair<Json, Json> old_and_new(const Json& changed) {
  Json before = Json::object();
  Json after = Json::object();
  for (const Json& each : changed) {
    if (!each.is_object() || !each.contains("key") || !each["key"].is_string()) continue;
    const auto& key = each["key"].get_ref<const std::string&>();
    before[key] = each.value("from", Json());
    after[key] = each.value("to", Json());
  }
  return {std::move(before), std::move(after)};
}

tl::unexpected<Error> failed(const std::string& path, int error) {
  return fail(errc_from_errno(error),
              fmt::format("write {}: {}", harmless(path), std::generic_category().message(error)));
}

}  // namespace

std::string audit_line(const AuditEntry& entry) {
  Json line = {{"at", rfc3339(entry.at)},
               {"who", entry.who},
               {"role", to_string(entry.role)},
               {"from", entry.from.empty() ? Json("unix socket") : Json(entry.from)},
               {"what", entry.what},
               {"status", entry.status == 0 ? Json() : Json(entry.status)}};
  const Json whole = Json::parse(entry.answer, nullptr, false);
  if (whole.is_object() && whole.contains("changed") && whole["changed"].is_array()) {
    auto [before, after] = old_and_new(whole["changed"]);
    line["old"] = std::move(before);
    line["new"] = std::move(after);
  } else {
    const bool secret = entry.what.ends_with("/config");
    line["asked"] = secret ? Json() : value_of(entry.asked);
    line["new"] = value_of(entry.answer);
  }
  return line.dump(-1, ' ', false, Json::error_handler_t::replace);
}

AuditLog::AuditLog(const std::string& folder, std::size_t most_bytes)
    : path_(folder.empty() ? "" : folder + "/audit.jsonl"), most_bytes_(most_bytes) {
  if (path_.empty()) return;
  for (const std::string& file : {path_ + ".1", path_}) {
    const std::string text = read_file(file, kMostRead).value_or("");
    for (const std::string_view line : lines(text)) remember(std::string(line));
  }
}

void AuditLog::remember(const std::string& line) {
  std::scoped_lock lock(mutex_);
  lines_.push_back(line);
  if (lines_.size() > kRemembered) lines_.pop_front();
}

Result<void> AuditLog::add(const std::string& line) {
  remember(line);
  if (path_.empty()) return {};
  struct stat facts {};
  const bool there = ::stat(path_.c_str(), &facts) == 0;
  if (there && static_cast<std::size_t>(facts.st_size) + line.size() >= most_bytes_) {
    if (auto turned = turn_over(); !turned) return turned;
  }
  const int descriptor = ::open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, kOwnerOnly);
  if (descriptor < 0) return failed(path_, errno);
  const std::string text = line + "\n";
  const auto written = ::write(descriptor, text.data(), text.size());
  const int error = written < 0 ? errno : ENOSPC;
  ::close(descriptor);
  if (written != static_cast<ssize_t>(text.size())) return failed(path_, error);
  return {};
}

Result<void> AuditLog::turn_over() const {
  for (std::size_t number = kKept; number > 0; --number) {
    const std::string from = number == 1 ? path_ : fmt::format("{}.{}", path_, number - 1);
    if (::rename(from.c_str(), fmt::format("{}.{}", path_, number).c_str()) != 0 && errno != ENOENT) {
      return failed(from, errno);
    }
  }
  return {};
}

std::vector<std::string> AuditLog::latest(std::size_t most) const {
  std::scoped_lock lock(mutex_);
  const auto count = static_cast<std::ptrdiff_t>(std::min(most, lines_.size()));
  return {lines_.rbegin(), lines_.rbegin() + count};
}

}  // namespace gpukeeper::auth
