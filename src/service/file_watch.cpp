#include "service/file_watch.hpp"

#include <array>
#include <climits>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include <sys/inotify.h>
#include <unistd.h>

namespace gpukeeper::service {
namespace {

// Not IN_MODIFY: a file that is half written is no change yet.
constexpr std::uint32_t kEvents = IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_DELETE | IN_MOVED_FROM;

std::string folder_of(const std::filesystem::path& path) {
  const auto folder = path.parent_path();
  return folder.empty() ? "." : folder.string();
}

}  // namespace

FileWatch::FileWatch(const std::string& path) {
  if (path.empty()) return;
  const std::filesystem::path named(path);
  name_ = named.filename().string();
  Descriptor events(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (::inotify_add_watch(events.get(), folder_of(named).c_str(), kEvents) < 0) return;
  std::array<char, PATH_MAX> real{};
  if (::realpath(path.c_str(), real.data())) {
    const std::filesystem::path target(real.data());
    std::error_code ignored;
    through_link_ = !std::filesystem::equivalent(target.parent_path(), folder_of(named), ignored) ||
                    target.filename() != named.filename();
    if (through_link_) ::inotify_add_watch(events.get(), folder_of(target).c_str(), kEvents);
  }
  events_ = std::move(events);
}

bool FileWatch::take() {
  bool concerned = false;
  alignas(inotify_event) std::array<char, 4096> room;
  for (;;) {
    const auto got = ::read(events_.get(), room.data(), room.size());
    if (got <= 0) return concerned;
    for (std::size_t at = 0; at < static_cast<std::size_t>(got);) {
      inotify_event event{};
      std::memcpy(&event, room.data() + at, sizeof event);
      const char* name = event.len > 0 ? room.data() + at + sizeof event : "";
      concerned = concerned || through_link_ || (event.mask & IN_Q_OVERFLOW) != 0 || name_ == name;
      at += sizeof event + event.len;
    }
  }
}

}  // namespace gpukeeper::service
