#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "cli/feed.hpp"
#include "client/daemon.hpp"

namespace gpukeeper::cli {

struct DaemonFeedOptions {
  bool follows = false;  ///< goes on: snapshots are taken as they are made, from the daemon's stream of events
  std::string host;      ///< as given to --host; empty: what the environment says, else the usual sockets
  client::Daemon::Variable environment;
  /// Says a sentence beside the output: why a daemon that listens is not asked after all.
  std::function<void(std::string_view)> remark = [](std::string_view) {};
  /// Of one that follows: something is new. On the feed's own thread, from before it is returned until it is gone.
  std::function<void()> changed = [] {};
};

/// The snapshots of a running daemon, each as it is when it is asked for; one that follows has a thread that keeps the
/// latest, by asking once a second where the daemon is too old for a stream of events. A daemon that is gone later is a
/// trouble of the feed, which then gives the last snapshot that there was, and asks anew.
///
/// Null when nobody says where a daemon is and none answers at the usual sockets, or none that this user may ask: then
/// the caller looks for itself. One that listens there and cannot answer is remarked, after at most a few seconds.
///
/// Errors: where somebody says where it is: as for Daemon::find and Daemon::ask, and unavailable where its answer is no
/// snapshot that this release understands.
Result<std::unique_ptr<Feed>> open_daemon_feed(const DaemonFeedOptions& options);

}  // namespace gpukeeper::cli
