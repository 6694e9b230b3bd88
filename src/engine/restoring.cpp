#include "engine/restoring.hpp"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/display_text.hpp"
#include "core/files.hpp"
#include "core/replace_file.hpp"
#include "core/text.hpp"
#include "storage/history_keeper.hpp"
#include "storage/sqlite_account_store.hpp"
#include "storage/sqlite_alert_store.hpp"
#include "storage/sqlite_fault_store.hpp"
#include "storage/sqlite_journal.hpp"

namespace gpukeeper {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kGathered = "restore-new";
constexpr std::string_view kCommitted = "restoring";
constexpr std::string_view kBefore = "before-restore";
constexpr std::string_view kEarlier = "before-restore.old";  // of the restore before, until this one is done
constexpr std::string_view kWaiting = "restored-settings";
constexpr std::string_view kList = "files";           // the names of all that is new
constexpr std::string_view kPlace = "configured-in";  // where the file of settings goes
constexpr std::string_view kOldSettings = "gpukeeper.yaml.before";
// What belongs to a database beside it. A copy of the leases without its original would be taken for a loss of that.
constexpr std::string_view kBeside[] = {"-wal", "-shm", ".good"};
constexpr const char* kStores[] = {SqliteJournal::kFileName, SqliteFaultStore::kFileName, SqliteAlertStore::kFileName,
                                   HistoryKeeper::kFileName, SqliteAccountStore::kFileName};
constexpr unsigned kMode = 0640;

Error told(std::string_view what, const std::string& path, const std::error_code& error) {
  return {errc_from_errno(error.value()), fmt::format("{} {}: {}", what, path, error.message())};
}

void flush_folder(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  static_cast<void>(::fsync(descriptor));  // some file systems cannot, and none needs it for its own order
  ::close(descriptor);
}

Result<void> move(const std::string& from, const std::string& to) {
  std::error_code error;
  fs::rename(from, to, error);
  if (error) return tl::make_unexpected(told("move", from, error));
  return {};
}

// Nothing where it is not there.
Result<std::optional<std::string>> text_of(const std::string& path) {
  auto text = read_file(path, Files::kMaxFileBytes);
  if (text) return std::optional(std::move(*text));
  if (text.error().code == Errc::not_found) return std::optional<std::string>();
  return tl::make_unexpected(text.error());
}

bool has(const std::string& path, const std::string& text) {
  const auto there = read_file(path, Files::kMaxFileBytes);
  return there && *there == text;
}

Result<void> make_folder(const std::string& path) {
  std::error_code error;
  const bool made = fs::create_directories(path, error);
  constexpr auto kFolderMode = fs::perms::owner_all | fs::perms::group_read | fs::perms::group_exec;
  if (made && !error) fs::permissions(path, kFolderMode, error);
  if (error) return tl::make_unexpected(told("make", path, error));
  return {};
}

}  // namespace

std::vector<std::string> kept_files() {
  std::vector<std::string> files;
  for (const std::string_view folder : {"", "simulated/"}) {
    for (const char* const name : kStores) files.push_back(fmt::format("{}{}", folder, name));
  }
  return files;
}

std::string Restoring::below(std::string_view name) const {
  return fmt::format("{}/{}", directory_, name);
}

Result<std::string> Restoring::begin() const {
  abandon();
  std::string folder = below(kGathered);
  if (auto made = make_folder(folder + "/simulated"); !made) return tl::make_unexpected(made.error());
  return folder;
}

void Restoring::abandon() const {
  std::error_code error;
  fs::remove_all(below(kGathered), error);
}

Result<void> Restoring::write_lists(const std::optional<RestoredSettings>& settings) const {
  const std::string folder = below(kGathered);
  std::vector<std::string> names;
  std::error_code error;
  for (const std::string& name : kept_files()) {
    if (fs::exists(folder + "/" + name, error)) names.push_back(name);
  }
  const auto write = [&](std::string_view name, std::string_view text) {
    return replace_file(fmt::format("{}/{}", folder, name), text, kMode);
  };
  auto written = write(kList, fmt::format("{}\n", fmt::join(names, "\n")));
  if (!settings) return written;
  if (written) written = write(kPlace, settings->path);
  if (written && settings->before) written = write(kOldSettings, *settings->before);
  return written;
}

// What an earlier restore left goes once this one is done, and not before: this one may fail.
void Restoring::set_earlier_aside() const {
  put_earlier_back();  // of one that was cut off
  std::error_code error;
  fs::rename(below(kBefore), below(kEarlier), error);  // there may be none
}

void Restoring::put_earlier_back() const {
  std::error_code error;
  if (fs::exists(below(kBefore), error)) {
    fs::remove_all(below(kEarlier), error);
  } else {
    fs::rename(below(kEarlier), below(kBefore), error);
  }
}

Result<void> Restoring::commit(const std::optional<RestoredSettings>& settings) const {
  if (auto written = write_lists(settings); !written) return written;
  flush_folder(below(kGathered) + "/simulated");
  flush_folder(below(kGathered));
  set_earlier_aside();
  if (auto done = move(below(kGathered), below(kCommitted)); !done) {
    put_earlier_back();
    return done;
  }
  flush_folder(directory_);
  auto put = settings ? put_settings(*settings) : Result<void>();
  if (put) return finish();
  static_cast<void>(move(below(kCommitted), below(kGathered)));
  put_earlier_back();
  return put;
}

// The one thing that lies elsewhere, where we may not write.
Result<void> Restoring::put_settings(const RestoredSettings& settings) const {
  auto put = settings.put ? settings.put(settings.path, settings.text) : replace_file(settings.path, settings.text);
  if (!put) return put;
  std::error_code error;
  fs::remove(fmt::format("{}/{}", below(kCommitted), kPlace), error);  // whoever finishes it need not
  fs::remove_all(below(kWaiting), error);                              // those of an earlier one are out of date
  return put;
}

bool Restoring::is_unfinished() const {
  return ::access(below(kCommitted).c_str(), F_OK) == 0;
}

// Each step may have been done already by somebody who did not come to the end.
Result<void> Restoring::finish() const {
  if (!is_unfinished()) return {};
  auto done = place_all();
  if (done) done = keep_old_settings();
  if (done) done = finish_settings();
  if (!done) return done;
  flush_folder(directory_);
  std::error_code error;
  fs::remove_all(below(kCommitted), error);
  if (error) return tl::make_unexpected(told("remove", below(kCommitted), error));
  if (fs::exists(below(kBefore), error)) fs::remove_all(below(kEarlier), error);
  return {};
}

Result<void> Restoring::place_all() const {
  const auto list = read_file(fmt::format("{}/{}", below(kCommitted), kList), Files::kMaxFileBytes);
  if (!list) return tl::make_unexpected(list.error());
  const auto names = split(*list, '\n');
  for (const std::string& name : kept_files()) {
    const bool is_new = std::ranges::find(names, std::string_view(name)) != names.end();
    if (auto placed = place(name, is_new); !placed) return placed;
  }
  return {};
}

// What is not among the new ones goes, too: the directory is to be as it was.
Result<void> Restoring::place(const std::string& name, bool is_new) const {
  const std::string target = below(name);
  const std::string fresh = fmt::format("{}/{}", below(kCommitted), name);
  const std::string before = fmt::format("{}/{}", below(kBefore), name);
  std::error_code error;
  if (is_new && !fs::exists(fresh, error)) return {};  // it was placed
  if (auto made = make_folder(fs::path(before).parent_path().string()); !made) return made;
  for (const std::string_view beside : kBeside) {  // first: beside a new file an old log would be taken for its own
    fs::rename(fmt::format("{}{}", target, beside), fmt::format("{}{}", before, beside), error);  // there may be none
  }
  if (fs::exists(target, error)) {
    if (auto moved = move(target, before); !moved) return moved;
  }
  if (!is_new) return {};
  if (auto made = make_folder(fs::path(target).parent_path().string()); !made) return made;
  return move(fresh, target);
}

Result<void> Restoring::keep_old_settings() const {
  const std::string old = fmt::format("{}/{}", below(kCommitted), kOldSettings);
  std::error_code error;
  if (!fs::exists(old, error)) return {};
  if (auto made = make_folder(below(kBefore)); !made) return made;
  return move(old, fmt::format("{}/{}", below(kBefore), kConfiguration));
}

// Those of a restore that was cut off before it had put them there.
Result<void> Restoring::finish_settings() const {
  const std::string fresh = fmt::format("{}/{}", below(kCommitted), kConfiguration);
  const auto target = text_of(fmt::format("{}/{}", below(kCommitted), kPlace));
  if (!target) return tl::make_unexpected(target.error());
  const auto text = text_of(fresh);
  if (!text) return tl::make_unexpected(text.error());
  if (!*target || !*text) return {};  // none were asked for, or they wait already
  if (has(**target, **text) || replace_file(**target, **text)) return {};
  if (auto made = make_folder(below(kWaiting)); !made) return made;
  if (auto kept = replace_file(fmt::format("{}/{}", below(kWaiting), kPlace), **target, kMode); !kept) return kept;
  return move(fresh, fmt::format("{}/{}", below(kWaiting), kConfiguration));
}

std::string Restoring::notice() const {
  const std::string waiting = fmt::format("{}/{}", below(kWaiting), kConfiguration);
  const auto target = read_file(fmt::format("{}/{}", below(kWaiting), kPlace), Files::kMaxFileBytes);
  const auto text = read_file(waiting, Files::kMaxFileBytes);
  if (!target || !text) return {};
  if (has(*target, *text)) {  // somebody did
    std::error_code error;
    fs::remove_all(below(kWaiting), error);
    return {};
  }
  return harmless(
      fmt::format("a restore was cut off before the settings were in their place, and we may not write there: type "
                  "\"sudo cp '{}' '{}'\" to have them, or \"sudo rm -r '{}'\" to leave them as they are",
                  waiting, *target, below(kWaiting)));
}

}  // namespace gpukeeper
