#include "service/listener.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <fmt/format.h>

#include "core/files.hpp"

namespace gpukeeper::service {
namespace {

constexpr mode_t kSocketMode = 0660;  // the owner and the group: who may ask is who may open the file

tl::unexpected<Error> refused(const ListenAddress& address, Errc code, std::string_view why) {
  return fail(code, fmt::format("listen on {}: {}", address.to_string(), why));
}

std::string errno_text(int error) {
  return std::generic_category().message(error);
}

sockaddr_un socket_name(const std::string& path) {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  std::copy_n(path.data(), std::min(path.size(), kLongestSocketPath), name.sun_path);
  return name;
}

template <class Name>
const sockaddr* generic(const Name& name) {
  return reinterpret_cast<const sockaddr*>(&name);
}

// Whether someone answers at the path: 0, or why not.
int try_connect(const std::string& path) {
  const Descriptor probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const auto name = socket_name(path);
  return ::connect(probe.get(), generic(name), sizeof name) == 0 ? 0 : errno;
}

bool same_file(int descriptor, const std::string& path) {
  struct stat opened {};
  struct stat named {};
  return ::fstat(descriptor, &opened) == 0 && ::stat(path.c_str(), &named) == 0 && opened.st_ino == named.st_ino &&
         opened.st_dev == named.st_dev;
}

}  // namespace

Descriptor::~Descriptor() {
  if (number_ >= 0) ::close(number_);
}

Listener::Listener(Listener&& other) noexcept
    : address_(std::move(other.address_)),
      socket_(std::move(other.socket_)),
      lock_(std::move(other.lock_)),
      file_(std::exchange(other.file_, 0)) {}

Listener::~Listener() {
  withdraw();
}

Result<Listener> Listener::open(const ListenAddress& address) {
  Listener listener(address);
  auto opened = address.is_unix() ? listener.open_unix() : listener.open_tcp();
  if (!opened) return tl::make_unexpected(opened.error());
  return listener;
}

Result<Listener> Listener::adopt(Descriptor socket, bool tls) {
  sockaddr_storage name{};
  socklen_t size = sizeof name;
  int kind = 0;
  int listens = 0;
  socklen_t int_size = sizeof(int);
  const bool known = ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&name), &size) == 0 &&
                     ::getsockopt(socket.get(), SOL_SOCKET, SO_TYPE, &kind, &int_size) == 0 &&
                     ::getsockopt(socket.get(), SOL_SOCKET, SO_ACCEPTCONN, &listens, &int_size) == 0;
  if (!known || kind != SOCK_STREAM || listens == 0) {
    return fail(Errc::invalid_argument, "it must be a stream socket that listens (ListenStream=)");
  }
  ListenAddress address;
  char text[INET6_ADDRSTRLEN]{};
  if (name.ss_family == AF_UNIX) {
    const auto& unix_name = reinterpret_cast<const sockaddr_un&>(name);
    address.path.assign(unix_name.sun_path, ::strnlen(unix_name.sun_path, sizeof unix_name.sun_path));
    if (address.path.empty()) address.path = "(without a file)";  // in the abstract namespace
  } else if (name.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(name);
    address.host = ::inet_ntop(AF_INET, &v4.sin_addr, text, sizeof text);
    address.port = ntohs(v4.sin_port);
  } else if (name.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(name);
    address.host = ::inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof text);
    address.port = ntohs(v6.sin6_port);
  } else {
    return fail(Errc::invalid_argument, "it must be a socket of TCP or a unix socket");
  }
  address.tls = tls && !address.is_unix();
  ::fcntl(socket.get(), F_SETFL, ::fcntl(socket.get(), F_GETFL) | O_NONBLOCK);
  ::fcntl(socket.get(), F_SETFD, FD_CLOEXEC);
  Listener listener(std::move(address));
  listener.socket_ = std::move(socket);
  return listener;
}

void Listener::withdraw() {
  if (file_ != 0) {
    struct stat now {};
    // Someone may have put another file there by hand: that one stays.
    if (::lstat(address_.path.c_str(), &now) == 0 && now.st_ino == file_) ::unlink(address_.path.c_str());
    file_ = 0;
  }
  if (lock_.get() >= 0) {
    ::unlink((address_.path + ".lock").c_str());  // while it is held; who waits for it sees that it is gone
    lock_ = Descriptor();
  }
}

Result<void> Listener::listen_now() {
  if (::listen(socket_.get(), SOMAXCONN) == 0) return {};
  return refused(address_, Errc::internal, errno_text(errno));
}

Result<void> Listener::open_tcp() {
  sockaddr_in v4{};
  sockaddr_in6 v6{};
  v4.sin_family = AF_INET;
  v4.sin_port = v6.sin6_port = htons(address_.port);
  v6.sin6_family = AF_INET6;
  const bool is_v6 = address_.is_v6();
  ::inet_pton(is_v6 ? AF_INET6 : AF_INET, address_.host.c_str(),
              is_v6 ? static_cast<void*>(&v6.sin6_addr) : static_cast<void*>(&v4.sin_addr));
  socket_ = Descriptor(::socket(is_v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (socket_.get() < 0) return refused(address_, Errc::unavailable, errno_text(errno));
  const int on = 1;  // a port whose connections of a minute ago still linger may be taken again
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (is_v6) ::setsockopt(socket_.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);

  const int bound =
      is_v6 ? ::bind(socket_.get(), generic(v6), sizeof v6) : ::bind(socket_.get(), generic(v4), sizeof v4);
  if (bound != 0) {
    switch (errno) {
      case EADDRINUSE:
        return refused(address_, Errc::already_exists,
                       "another program listens there; choose another port with --listen, or 0 for any that is free");
      case EACCES:
        return refused(address_, Errc::not_permitted,
                       "ports below 1024 need root or CAP_NET_BIND_SERVICE; choose one above");
      case EADDRNOTAVAIL:
        return refused(address_, Errc::not_found, "this machine has no such address; 'ip address' lists those it has");
      default: return refused(address_, Errc::internal, errno_text(errno));
    }
  }
  socklen_t size = is_v6 ? sizeof v6 : sizeof v4;
  ::getsockname(socket_.get(), is_v6 ? reinterpret_cast<sockaddr*>(&v6) : reinterpret_cast<sockaddr*>(&v4), &size);
  address_.port = ntohs(is_v6 ? v6.sin6_port : v4.sin_port);
  return listen_now();
}

Result<void> Listener::take_lock() {
  const std::string path = address_.path + ".lock";
  for (;;) {
    Descriptor lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (lock.get() < 0) {
      const auto folder = address_.path.substr(0, address_.path.rfind('/'));
      switch (errno) {
        case ENOENT:
          return refused(address_, Errc::not_found,
                         fmt::format("there is no folder {}: make it, or choose another path", folder));
        case EACCES:
        case EROFS:
          return refused(address_, Errc::not_permitted,
                         fmt::format("no file may be made in that folder ({}): grant it, or choose another path",
                                     errno_text(errno)));
        default: return refused(address_, errc_from_errno(errno), fmt::format("{}: {}", path, errno_text(errno)));
      }
    }
    if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
      return refused(address_, Errc::already_exists,
                     "another gpukeeper listens there; stop it, or choose another path");
    }
    if (!same_file(lock.get(), path)) continue;  // its owner ended between our open and our flock, and took it away
    lock_ = std::move(lock);
    return {};
  }
}

Result<void> Listener::clear_path() const {
  struct stat status {};
  if (::lstat(address_.path.c_str(), &status) != 0) return {};
  if (!S_ISSOCK(status.st_mode)) {
    return refused(address_, Errc::already_exists, "there is a file that is no socket; it is left alone");
  }
  if (const int error = try_connect(address_.path); error == 0 || error == EAGAIN) {
    return refused(address_, Errc::already_exists, "another program listens there; stop it, or choose another path");
  }
  ::unlink(address_.path.c_str());  // nobody listens: a killed server left it
  return {};
}

Result<void> Listener::open_unix() {
  if (address_.path.size() > kLongestSocketPath) {  // one that was put together: $XDG_RUNTIME_DIR may be long
    return refused(address_, Errc::invalid_argument,
                   fmt::format("the path has {} bytes, and that of a unix socket at most {}", address_.path.size(),
                               kLongestSocketPath));
  }
  if (auto locked = take_lock(); !locked) return locked;
  if (auto cleared = clear_path(); !cleared) return cleared;
  socket_ = Descriptor(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (socket_.get() < 0) return refused(address_, Errc::unavailable, errno_text(errno));
  ::fchmod(socket_.get(), kSocketMode);  // bind() takes the file's mode from here: it is never wider, not for a moment
  const auto name = socket_name(address_.path);
  if (::bind(socket_.get(), generic(name), sizeof name) != 0) {
    return refused(address_, errc_from_errno(errno), errno_text(errno));
  }
  struct stat status {};
  if (::lstat(address_.path.c_str(), &status) == 0) file_ = status.st_ino;
  ::chmod(address_.path.c_str(), kSocketMode);  // whatever the umask took away
  return listen_now();
}

}  // namespace gpukeeper::service
