#include "actuators/kernel_files.hpp"

#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>

#include "core/files.hpp"

namespace gpukeeper {
namespace {

tl::unexpected<Error> failure(int error, const std::string& path, std::string_view what) {
  const bool refused = error == EINVAL || error == ERANGE;
  return fail(refused ? Errc::invalid_argument : errc_from_errno(error),
              fmt::format("{} {}: {}", what, path, std::generic_category().message(error)));
}

}  // namespace

Result<void> RealKernelFiles::write(const std::string& path, std::string_view text) {
  // Truncated as a shell's `>` does: nothing to the kernel's files, but a copy of them would keep what is longer.
  const int file = ::open((root_ + path).c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC);
  if (file < 0) return failure(errno, path, "open");
  ssize_t wrote = 0;
  do {
    wrote = ::write(file, text.data(), text.size());
  } while (wrote < 0 && errno == EINTR);
  const int error = wrote < 0 ? errno : 0;
  ::close(file);
  if (error != 0) return failure(error, path, "write");
  if (static_cast<std::size_t>(wrote) != text.size()) return failure(EIO, path, "write");
  return {};
}

}  // namespace gpukeeper
