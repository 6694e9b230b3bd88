#pragma once

#include <cstdint>

#include "core/files.hpp"

namespace gpukeeper {

/// Whether the pids in this /proc are those that the host counts, which KFD, DRM and older drivers of NVIDIA report.
/// Inside a pid namespace (a container without the host's) they would name strangers. A /proc of the host that is
/// mounted into such a container (/host/proc) does count as the host does. Where it cannot be told the answer is yes:
/// only a container's links are readable and differ.
bool pids_are_the_hosts(const Files& files);

/// Whether this process is in the host's pid namespace itself. A newer driver of NVIDIA leaves out of its lists of
/// processes those that the namespace of who asks does not see, and tells the others by their pids there (osFindNsPid
/// in open-gpu-kernel-modules), whatever /proc is mounted. Where it cannot be told the answer is yes.
bool in_the_hosts_pid_namespace(const Files& files);

/// Whether this /proc calls this very process by the pid that it calls itself: then system calls that take a pid mean
/// the same processes.
bool pids_are_our_own(const Files& files);

}  // namespace gpukeeper
