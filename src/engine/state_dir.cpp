#include "engine/state_dir.hpp"

#include <array>
#include <cerrno>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "core/files.hpp"
#include "core/text.hpp"
#include "engine/restoring.hpp"
#include "storage/sqlite_alert_store.hpp"
#include "storage/sqlite_fault_store.hpp"

namespace gpukeeper {
namespace {

constexpr mode_t kFolderMode = 0750;
constexpr mode_t kFileMode = 0640;
constexpr std::string_view kAdvice = "choose another folder with --state-dir, or make it one that this user may write";

Error failure(int error, const std::string& path, std::string_view what) {
  return {errc_from_errno(error), fmt::format("the state directory {}: {}: {}; {}", path, what,
                                              std::generic_category().message(error), kAdvice)};
}

// The folder and those above it.
Result<void> make_folders(const std::string& path) {
  for (std::size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
    const std::string part = path.substr(0, end);
    if (!part.empty() && ::mkdir(part.c_str(), kFolderMode) != 0 && errno != EEXIST) {
      return tl::make_unexpected(failure(errno, path, "it cannot be made"));
    }
    if (end == std::string::npos) break;
  }
  struct stat facts {};
  if (::stat(path.c_str(), &facts) != 0) return tl::make_unexpected(failure(errno, path, "it cannot be looked at"));
  if (!S_ISDIR(facts.st_mode)) return tl::make_unexpected(failure(ENOTDIR, path, "it cannot be used"));
  // Who may write there may put a link in the place of any of our files.
  const bool strange = facts.st_uid != ::geteuid() && facts.st_uid != 0;
  if (strange || (facts.st_mode & S_IWOTH) != 0) {
    return fail(Errc::not_permitted,
                fmt::format("the state directory {}: {}; choose another folder with --state-dir, or change that", path,
                            strange ? fmt::format("it belongs to the user {}, not to us or to root", facts.st_uid)
                                    : std::string("every user of this machine may write there")));
  }
  return {};
}

// For people only; on a full disk the lock holds without it. Who takes it a thousand times a second writes it once.
void note_owner(int lock) {
  const std::string pid = fmt::format("{}\n", ::getpid());
  std::array<char, 32> known{};
  const auto length = ::pread(lock, known.data(), known.size(), 0);
  if (length >= 0 && std::string_view(known.data(), static_cast<std::size_t>(length)) == pid) return;
  if (::ftruncate(lock, 0) == 0) static_cast<void>(::pwrite(lock, pid.data(), pid.size(), 0) < 0);
}

std::string owner_of(const std::string& lock) {
  const auto text = read_file(lock, 32);
  const auto pid = text ? parse_u64(*text) : std::nullopt;
  return pid ? fmt::format("process {}", *pid) : "another process";
}

}  // namespace

StateDirectory::StateDirectory(StateDirectory&& other) noexcept
    : path_(std::move(other.path_)), lock_(std::exchange(other.lock_, -1)) {}

StateDirectory::~StateDirectory() {
  if (lock_ >= 0) ::close(lock_);
}

Result<std::string> StateDirectory::usual_path(const Environment& environment, bool root) {
  const auto given = environment("STATE_DIRECTORY").value_or("");
  if (!given.empty()) return given.substr(0, given.find(':'));  // systemd lists several where a unit asks for several
  if (root) return std::string("/var/lib/gpukeeper");
  // The XDG base directory specification: a relative path is to be ignored.
  if (const auto state = environment("XDG_STATE_HOME").value_or(""); state.starts_with('/'))
    return state + "/gpukeeper";
  if (const auto home = environment("HOME").value_or(""); home.starts_with('/'))
    return home + "/.local/state/gpukeeper";
  return fail(Errc::invalid_argument,
              "there is no state directory: neither STATE_DIRECTORY, XDG_STATE_HOME nor HOME is set; give one with "
              "--state-dir");
}

Result<StateDirectory> StateDirectory::claim(const std::string& path) {
  if (path.empty()) return fail(Errc::invalid_argument, "the state directory has an empty name; give another");
  if (auto made = make_folders(path); !made) return tl::make_unexpected(made.error());
  const std::string lock = path + "/lock";
  const int descriptor = ::open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, kFileMode);
  if (descriptor < 0) return tl::make_unexpected(failure(errno, path, "its lock cannot be opened"));
  StateDirectory owned(path, descriptor);
  struct stat facts {};
  if (::fstat(descriptor, &facts) != 0 || !S_ISREG(facts.st_mode)) {
    return fail(Errc::not_permitted, fmt::format("the state directory {}: its lock is no regular file", path));
  }
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return tl::make_unexpected(failure(errno, path, "its lock cannot be taken"));
    return fail(Errc::unavailable,
                fmt::format("the state directory {} is in use by {}: stop that one, or choose another "
                            "folder with --state-dir",
                            path, owner_of(lock)));
  }
  if (const Restoring restoring(path); restoring.is_unfinished()) {
    if (auto finished = restoring.finish(); !finished) return tl::make_unexpected(finished.error());
  }
  note_owner(descriptor);
  return owned;
}

Result<std::string> StateDirectory::folder(std::string_view name) const {
  std::string below = fmt::format("{}/{}", path_, name);
  if (auto made = make_folders(below); !made) return tl::make_unexpected(made.error());
  return below;
}

Result<std::string> folder_for(const StateDirectory& directory, const Sources& sources) {
  return sources.machine ? Result<std::string>(directory.path()) : directory.folder("simulated");
}

namespace {

template <class Store, class Interface>
Result<std::shared_ptr<Interface>> open_store(const StateDirectory& directory, const Sources& sources) {
  auto folder = folder_for(directory, sources);
  if (!folder) return tl::make_unexpected(folder.error());
  auto store = Store::open(*folder, sources.machine == nullptr);
  if (!store) return tl::make_unexpected(store.error());
  return std::shared_ptr<Interface>(std::move(*store));
}

}  // namespace

Result<std::shared_ptr<FaultStore>> open_fault_store(const StateDirectory& directory, const Sources& sources) {
  return open_store<SqliteFaultStore, FaultStore>(directory, sources);
}

Result<std::shared_ptr<AlertStore>> open_alert_store(const StateDirectory& directory, const Sources& sources) {
  return open_store<SqliteAlertStore, AlertStore>(directory, sources);
}

}  // namespace gpukeeper
