#pragma once

#include <string>
#include <utility>

#include <sys/types.h>

#include "core/listen_address.hpp"
#include "core/result.hpp"

namespace gpukeeper::service {

/// A file descriptor that is closed with its owner.
class Descriptor {
 public:
  explicit Descriptor(int number = -1) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(other.release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Descriptor();

  int get() const { return number_; }
  int release() { return std::exchange(number_, -1); }

 private:
  int number_;
};

/// A socket that listens. Of a unix socket it keeps the file, mode 0660, and takes it away at its end.
///
/// Beside the file stands PATH.lock, held for as long as this lives, so that two servers that start at once cannot both
/// take the other's file for one left behind. What a killed server left is replaced.
class Listener {
 public:
  /// Errors, each naming the address and what would be right:
  ///   already_exists  another server listens there, or the path is some other file
  ///   not_permitted   the folder or the port is not ours to use
  ///   not_found       the folder, or the address on this machine, is not there
  static Result<Listener> open(const ListenAddress& address);

  /// One that somebody else has opened, and whose file is his. `tls`: it is spoken there.
  /// Errors: invalid_argument for what is no listening stream socket of TCP or unix.
  static Result<Listener> adopt(Descriptor socket, bool tls);

  Listener(Listener&& other) noexcept;
  Listener& operator=(Listener&&) = delete;
  ~Listener();

  /// As it was opened; a port of 0 has become the one that was given.
  const ListenAddress& address() const { return address_; }

  /// The socket itself, not blocking, for whoever accepts; the caller closes it.
  int take_socket() { return socket_.release(); }

  /// No new client finds it any more; those that have come are still there to be accepted.
  void withdraw();

 private:
  explicit Listener(ListenAddress address) : address_(std::move(address)) {}
  Result<void> open_tcp();
  Result<void> open_unix();
  Result<void> take_lock();
  Result<void> clear_path() const;
  Result<void> listen_now();

  ListenAddress address_;
  Descriptor socket_;
  Descriptor lock_;
  ino_t file_ = 0;  // of the unix socket that we made; 0 when there is none to take away
};

}  // namespace gpukeeper::service
