#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "backend/detect.hpp"
#include "booking/book_settings.hpp"
#include "booking/bookkeeper.hpp"
#include "core/clock.hpp"
#include "engine/state_dir.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper::desk {

/// The ledger that a state directory keeps, for who has no daemon: its lock is held for as long as each piece of work
/// takes, so that whoever comes next sees what was done. Or one in memory.
///
/// Threads: every member may be called from any; one piece of work is done after the other.
class OwnBook {
 public:
  struct Place {
    /// The state directory, or why none is known; empty: in memory, and so it stays open.
    Result<std::string> folder;
    std::shared_ptr<const Files> machine;  ///< as in Sources: null books in the folder's `simulated/`
    bool stays_open = false;               ///< between two pieces of work: for who does many
    std::chrono::nanoseconds lock_patience = std::chrono::seconds(3);  ///< others hold the lock for milliseconds
    std::function<void(Bookkeeper&)> opened = [](Bookkeeper&) {};      ///< each time that it was, before any work
    std::function<void(const Ledger&, const Snapshot&)> observed = [](const Ledger&, const Snapshot&) {
    };  ///< after it was told what the drivers say
  };
  /// `clock`: that of the clients, which outlives this.
  OwnBook(Place place, BookSettings settings, Clock& clock);
  ~OwnBook();
  OwnBook(const OwnBook&) = delete;
  OwnBook& operator=(const OwnBook&) = delete;

  /// Of a book in memory the directory is null.
  using Work = std::function<void(const StateDirectory*, Bookkeeper&)>;

  /// Has that done with the book, which was told what the drivers say in `snapshot` and what is due.
  /// Errors: those of StateDirectory::claim; unavailable when somebody else, such as a daemon, keeps the lock.
  Result<void> with(const Snapshot& snapshot, const Work& work);

  void configure(BookSettings settings);

  /// For fork(): the file is closed, and nobody opens it before resume(). SQLite must not be open in a child.
  void pause();
  void resume();

  const Place& place() const { return place_; }

 private:
  struct Open;
  Result<StateDirectory> claim() const;
  void bring_up_to_date(const StateDirectory* directory, const Snapshot& snapshot);

  const Place place_;
  Clock& clock_;
  Sources sources_;  // only the machine of it
  std::mutex mutex_;
  BookSettings settings_;       // guarded by mutex_, as below
  std::unique_ptr<Open> open_;  // null while it is not
};

}  // namespace gpukeeper::desk
