#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "top/keys.hpp"
#include "top/news.hpp"

namespace gpukeeper::top {

/// What is to be kept up to date, beyond the snapshots.
struct Needs {
  bool leases = false;
  bool past = false;  ///< the history of one GPU
  std::string device;
  std::chrono::seconds range{0};
  std::size_t buckets = 300;
  std::vector<std::int64_t> pids;  ///< of processes of this machine whose names are to be known
  friend bool operator==(const Needs&, const Needs&) = default;
};

/// Where the view gets what it shows, on threads of its own: no member keeps its caller waiting, whatever a driver or a
/// daemon does.
/// Threads: the view's.
class Feeder {
 public:
  virtual ~Feeder() = default;

  /// Becomes readable when there is something new; news() makes it unreadable.
  virtual int descriptor() const = 0;
  virtual News news() = 0;
  virtual void need(const Needs& needs) = 0;
  virtual void play(const PlayWish& wish) = 0;
  /// Its outcome comes as News::reply.
  virtual void act(const Deed& deed) = 0;
};

}  // namespace gpukeeper::top
