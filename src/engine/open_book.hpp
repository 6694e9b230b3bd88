#pragma once

#include <functional>
#include <memory>

#include "backend/detect.hpp"
#include "booking/bookkeeper.hpp"
#include "core/clock.hpp"
#include "engine/state_dir.hpp"

namespace gpukeeper {

/// Opens the book of leases that a state directory keeps (`leases.db`), as `serve` does for as long as it lives and a
/// command without a daemon for one question. Where none of the sources looks at a living machine it is one of its own,
/// in `simulated/`: nothing made up is ever charged to a real GPU. Without a directory it is kept in memory.
///
/// There is always a book. What hinders it is what its closed() says and every request is answered: a damaged journal,
/// one of a newer version, a disk that cannot be read.
/// `clock` outlives it; it is that of the clients, not one that is played.
/// `watch` may put another in place of who sees owners die.
using ReplaceWatch = std::function<std::unique_ptr<OwnerWatch>(std::unique_ptr<OwnerWatch>)>;
std::unique_ptr<Bookkeeper> open_book(LedgerSettings settings, const StateDirectory* directory, const Sources& sources,
                                      Clock& clock, const ReplaceWatch& watch = nullptr);

}  // namespace gpukeeper
