#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

#include "backend/nvml/attach.hpp"
#include "backend/nvml/session.hpp"

namespace gpukeeper::nvml {

/// A search for devices, from one index to another, by a thread that may hang in the driver: whoever waits for it goes
/// on without it after a while.
struct Search {
  struct Answer {
    abi::Code code = abi::kUnknown;
    Found found;
    std::vector<FoundPartition> partitions;
  };

  std::mutex mutex;
  std::condition_variable progress;
  std::vector<Answer> answers;  // guarded by mutex, as is what follows; in the order of indices
  bool given_up = false;        // nobody waits any more
};

/// Does the search, until it is through or given up. Holds all that it needs, so that its thread may be left behind.
void search(const std::shared_ptr<Session>& session, const SystemFacts& system, unsigned from, unsigned to,
            const std::shared_ptr<Search>& search);

}  // namespace gpukeeper::nvml
