#include "embed/open_keeper.hpp"

#include "embed/daemon_keeper.hpp"
#include "embed/local_keeper.hpp"

namespace gpukeeper::embed {

Result<std::unique_ptr<Keeper>> open_keeper(const KeeperOptions& options) {
  return options.host.empty() ? LocalKeeper::open(options) : DaemonKeeper::open(options);
}

}  // namespace gpukeeper::embed
