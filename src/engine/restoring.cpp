#include "engine/restoring.hpp"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/files.hpp"
#include "core/replace_file.hpp"
#include "core/text.hpp"

namespace gpukeeper {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kGathered = "restore-new";
constexpr std::string_view kCommitted = "restoring";
constexpr std::string_view kBefore = "before-restore";
constexpr std::string_view kList = "files";           // the names of all that is new
constexpr std::string_view kPlace = "configured-in";  // where the file of settings goes
constexpr std::string_view kLogs[] = {"-wal", "-shm"};
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

Result<void> make_folder(const std::string& path) {
  std::error_code error;
  const bool made = fs::create_directories(path, error);
  if (made && !error) fs::permissions(path, fs::perms::owner_all, error);
  if (error) return tl::make_unexpected(told("make", path, error));
  return {};
}

}  // namespace

std::vector<std::string> kept_files() {
  std::vector<std::string> files;
  for (const std::string_view folder : {"", "simulated/"}) {
    for (const std::string_view name : {"leases.db", "faults.db", "alerts.db", "history.db"}) {
      files.push_back(fmt::format("{}{}", folder, name));
    }
  }
  return files;
}

Result<std::string> Restoring::begin() const {
  abandon();
  std::string folder = fmt::format("{}/{}", directory_, kGathered);
  if (auto made = make_folder(folder + "/simulated"); !made) return tl::make_unexpected(made.error());
  return folder;
}

void Restoring::abandon() const {
  std::error_code error;
  fs::remove_all(fmt::format("{}/{}", directory_, kGathered), error);
}

Result<void> Restoring::commit(const std::string& configuration) const {
  const std::string folder = fmt::format("{}/{}", directory_, kGathered);
  std::vector<std::string> names;
  std::error_code error;
  for (const std::string& name : kept_files()) {
    if (fs::exists(folder + "/" + name, error)) names.push_back(name);
  }
  const auto list = fmt::format("{}\n", fmt::join(names, "\n"));
  if (auto kept = replace_file(fmt::format("{}/{}", folder, kList), list, kMode); !kept) return kept;
  if (!configuration.empty()) {
    if (auto kept = replace_file(fmt::format("{}/{}", folder, kPlace), configuration, kMode); !kept) return kept;
  }
  flush_folder(folder + "/simulated");
  flush_folder(folder);
  fs::remove_all(fmt::format("{}/{}", directory_, kBefore), error);  // of an earlier one
  const std::string committed = fmt::format("{}/{}", directory_, kCommitted);
  if (auto done = move(folder, committed); !done) return done;
  flush_folder(directory_);
  if (auto placed = place_configuration(); !placed) {  // the one thing that lies elsewhere, where we may not write
    static_cast<void>(move(committed, folder));
    return placed;
  }
  return finish();
}

bool Restoring::is_unfinished() const {
  return ::access(fmt::format("{}/{}", directory_, kCommitted).c_str(), F_OK) == 0;
}

// Each step may have been done already by somebody who did not come to the end.
Result<void> Restoring::finish() const {
  if (!is_unfinished()) return {};
  const std::string folder = fmt::format("{}/{}", directory_, kCommitted);
  const auto list = read_file(fmt::format("{}/{}", folder, kList), Files::kMaxFileBytes);
  if (!list) return tl::make_unexpected(list.error());
  const auto names = split(*list, '\n');
  if (auto placed = place_configuration(); !placed) return placed;
  for (const std::string& name : kept_files()) {
    const bool is_new = std::ranges::find(names, std::string_view(name)) != names.end();
    if (auto placed = place(name, is_new); !placed) return placed;
  }
  flush_folder(directory_);
  std::error_code error;
  fs::remove_all(folder, error);
  if (error) return tl::make_unexpected(told("remove", folder, error));
  return {};
}

// What is not among the new ones goes, too: the directory is to be as it was.
Result<void> Restoring::place(const std::string& name, bool is_new) const {
  const std::string target = fmt::format("{}/{}", directory_, name);
  const std::string fresh = fmt::format("{}/{}/{}", directory_, kCommitted, name);
  const std::string before = fmt::format("{}/{}/{}", directory_, kBefore, name);
  std::error_code error;
  if (is_new && !fs::exists(fresh, error)) return {};  // it was placed
  if (auto made = make_folder(fs::path(before).parent_path().string()); !made) return made;
  for (const std::string_view log : kLogs) {  // first: beside a new file an old log would be taken for its own
    fs::rename(fmt::format("{}{}", target, log), fmt::format("{}{}", before, log), error);  // there may be none
  }
  if (fs::exists(target, error)) {
    if (auto moved = move(target, before); !moved) return moved;
  }
  if (!is_new) return {};
  if (auto made = make_folder(fs::path(target).parent_path().string()); !made) return made;
  return move(fresh, target);
}

Result<void> Restoring::place_configuration() const {
  const std::string folder = fmt::format("{}/{}", directory_, kCommitted);
  const auto target = read_file(fmt::format("{}/{}", folder, kPlace), Files::kMaxFileBytes);
  if (!target) return {};  // none was asked for
  const auto text = read_file(fmt::format("{}/{}", folder, kConfiguration), Files::kMaxFileBytes);
  if (!text) return tl::make_unexpected(text.error());
  return replace_file(*target, *text);
}

}  // namespace gpukeeper
