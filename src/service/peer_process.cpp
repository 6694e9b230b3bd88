#include "service/peer_process.hpp"

#include <cerrno>
#include <string>

#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fmt/format.h>

#include "booking/pidfd_watch.hpp"
#include "core/files.hpp"
#include "core/text.hpp"
#include "service/listener.hpp"

namespace gpukeeper::service {
namespace {

#ifndef SO_PEERPIDFD
constexpr int SO_PEERPIDFD = 77;  // asm-generic/socket.h since Linux 6.5; the headers of Debian 12 are older
#endif

constexpr std::size_t kLongestStatus = 16 << 10;

Descriptor descriptor_of(pid_t pid) {
  return Descriptor(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
}

Descriptor descriptor_of_peer(int socket, pid_t pid) {
  int descriptor = -1;
  socklen_t size = sizeof descriptor;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERPIDFD, &descriptor, &size) == 0) return Descriptor(descriptor);
  // Any other error than "no such option" is about that process: it has gone, and its pid may be another's by now.
  return errno == ENOPROTOOPT ? descriptor_of(pid) : Descriptor();
}

bool has_ended(const Descriptor& process) {
  pollfd look{process.get(), POLLIN, 0};
  return ::poll(&look, 1, 0) > 0;
}

// What /proc says is asked while the descriptor is held: as long as its process lives, nobody else has its pid.
template <class Ask>
auto while_it_lives(const Descriptor& process, Ask ask) -> decltype(ask()) {
  const bool is_gone = process.get() < 0 && (errno == ESRCH || errno == ENODATA || errno == EINVAL);
  if (is_gone) return std::nullopt;
  auto answer = ask();
  if (process.get() >= 0 && has_ended(process)) return std::nullopt;
  return answer;
}

// "Uid:\treal\teffective\tsaved\tfilesystem" of /proc/PID/status: the real one, whose signals it would take.
std::optional<uid_t> real_user(pid_t pid) {
  const auto status = read_file(fmt::format("/proc/{}/status", pid), kLongestStatus);
  if (!status) return std::nullopt;
  for (const std::string_view line : lines(*status)) {
    if (!line.starts_with("Uid:\t")) continue;
    const auto uid = parse_u64(split(line, '\t')[1]);
    return uid ? std::optional(static_cast<uid_t>(*uid)) : std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

std::optional<ProcessOwner> peer_process(int socket, pid_t pid) {
  if (pid <= 0) return std::nullopt;
  const Descriptor process = descriptor_of_peer(socket, pid);
  return while_it_lives(process, [pid] { return process_now(pid); });
}

std::optional<LiveProcess> find_process(pid_t pid) {
  if (pid <= 0) return std::nullopt;
  const Descriptor descriptor = descriptor_of(pid);
  return while_it_lives(descriptor, [pid]() -> std::optional<LiveProcess> {
    const auto process = process_now(pid);
    const auto uid = process ? real_user(pid) : std::nullopt;
    if (!uid) return std::nullopt;
    return LiveProcess{*process, *uid};
  });
}

std::shared_ptr<const Peer> this_process() {
  auto peer = std::make_shared<Peer>();
  peer->credentials = Credentials{::getpid(), ::geteuid(), ::getegid()};
  if (const auto process = process_now(::getpid())) peer->credentials->start_ticks = process->start_ticks;
  return peer;
}

}  // namespace gpukeeper::service
