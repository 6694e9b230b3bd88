#include "core/replace_file.hpp"

#include <array>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "core/display_text.hpp"
#include "core/files.hpp"

namespace gpukeeper {
namespace {

tl::unexpected<Error> failed(const std::string& path, int error) {
  return fail(errc_from_errno(error),
              fmt::format("write {}: {}", harmless(path), std::generic_category().message(error)));
}

bool write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const auto written = ::write(descriptor, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

void sync_folder(const std::string& folder) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  ::fsync(descriptor);
  ::close(descriptor);
}

}  // namespace

Result<void> replace_file(const std::string& path, std::string_view text, unsigned mode) {
  std::array<char, PATH_MAX> room{};
  const bool there = ::realpath(path.c_str(), room.data()) != nullptr;  // through symbolic links
  const std::string target = there ? room.data() : path;
  const auto folder = std::filesystem::path(target).parent_path();
  std::error_code error;
  if (!there && !folder.empty()) std::filesystem::create_directories(folder, error);
  if (error) return failed(path, error.value());

  struct stat before {};
  const bool known = ::stat(target.c_str(), &before) == 0;
  std::string temporary = target + ".XXXXXX";
  const int descriptor = ::mkostemp(temporary.data(), O_CLOEXEC);
  if (descriptor < 0) return failed(path, errno);
  bool well = ::fchmod(descriptor, known ? before.st_mode & 07777U : mode) == 0;
  if (known) static_cast<void>(::fchown(descriptor, before.st_uid, before.st_gid));  // root may, others need not
  well = well && write_all(descriptor, text) && ::fsync(descriptor) == 0;
  int reason = errno;
  ::close(descriptor);
  if (well && ::rename(temporary.c_str(), target.c_str()) == 0) {
    sync_folder(folder.empty() ? "." : folder.string());
    return {};
  }
  if (well) reason = errno;
  ::unlink(temporary.c_str());
  return failed(path, reason);
}

}  // namespace gpukeeper
