#include "auth/token_file.hpp"

#include <cerrno>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "core/display_text.hpp"
#include "core/files.hpp"
#include "core/replace_file.hpp"

namespace gpukeeper::auth {
namespace {

constexpr unsigned kOwnerOnly = 0600;
constexpr std::size_t kLargestFile = 1 << 20;

// Held for as long as this lives; the kernel lets it go when the process ends.
class FileLock {
 public:
  static Result<FileLock> take(const std::string& path) {
    const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, kOwnerOnly);
    if (descriptor >= 0 && ::flock(descriptor, LOCK_EX) == 0) return FileLock(descriptor);
    const int error = errno;
    if (descriptor >= 0) ::close(descriptor);
    return fail(errc_from_errno(error),
                fmt::format("lock {}: {}", harmless(path), std::generic_category().message(error)));
  }
  FileLock(FileLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  FileLock& operator=(FileLock&&) = delete;
  ~FileLock() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }

 private:
  explicit FileLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

// Root makes tokens for a daemon that runs as another user, whose folder it is. Others cannot, and need not.
void give_to_owner_of(const std::filesystem::path& folder, const std::string& path) {
  struct stat facts {};
  if (::geteuid() == 0 && ::stat(folder.c_str(), &facts) == 0) {
    static_cast<void>(::lchown(path.c_str(), facts.st_uid, facts.st_gid));
  }
}

}  // namespace

TokenFile::TokenFile(std::string_view state_directory) : path_(fmt::format("{}/tokens.json", state_directory)) {}

Result<std::vector<Token>> TokenFile::read() const {
  const auto text = read_file(path_, kLargestFile);
  if (!text && text.error().code == Errc::not_found) return std::vector<Token>();
  if (!text) return tl::make_unexpected(text.error());
  auto tokens = parse_tokens(*text);
  if (tokens) return tokens;
  return fail(Errc::invalid_argument,
              fmt::format("the tokens in {} cannot be read: {}: mend the file, or remove it and make new ones",
                          harmless(path_), tokens.error().message));
}

Result<void> TokenFile::change(const Change& change) const {
  const auto folder = std::filesystem::path(path_).parent_path();
  std::error_code error;
  if (!std::filesystem::exists(folder, error)) {
    std::filesystem::create_directories(folder.parent_path(), error);
    if (::mkdir(folder.c_str(), 0750) != 0 && errno != EEXIST) {
      return fail(errc_from_errno(errno), fmt::format("make the folder {}: {}", harmless(folder.string()),
                                                      std::generic_category().message(errno)));
    }
  }
  const auto lock = FileLock::take(path_ + ".lock");
  if (!lock) return tl::make_unexpected(lock.error());
  auto tokens = read();
  if (!tokens) return tl::make_unexpected(tokens.error());
  if (auto changed = change(*tokens); !changed) return changed;
  if (auto written = replace_file(path_, tokens_text(*tokens), kOwnerOnly); !written) return written;
  give_to_owner_of(folder, path_);
  give_to_owner_of(folder, path_ + ".lock");
  return {};
}

std::string TokenFile::stamp() const {
  struct stat facts {};
  if (::stat(path_.c_str(), &facts) != 0) return "none";
  // The time of a change counts that of the owner, too: then it may be read that could not be before.
  return fmt::format("{}-{}-{}-{}.{}", facts.st_dev, facts.st_ino, facts.st_size, facts.st_ctim.tv_sec,
                     facts.st_ctim.tv_nsec);
}

LiveTokens::LiveTokens(std::string_view state_directory, Log& log)
    : anywhere_(!state_directory.empty()), file_(state_directory), log_(log) {
  look();
}

void LiveTokens::look() {
  if (!anywhere_) return;
  const std::lock_guard guard(looking_);
  const std::string stamp = file_.stamp();
  if (stamp == std::exchange(stamp_, stamp)) return;
  auto tokens = file_.read();
  if (!tokens) log_.error("no token counts: {}", tokens.error().message);
  tokens_.publish(std::make_shared<const std::vector<Token>>(tokens ? std::move(*tokens) : std::vector<Token>()));
}

}  // namespace gpukeeper::auth
