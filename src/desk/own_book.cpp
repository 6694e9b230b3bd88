#include "desk/own_book.hpp"

#include <chrono>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "booking/held_back_watch.hpp"
#include "booking/reality_of.hpp"
#include "engine/open_book.hpp"

namespace gpukeeper::desk {

using namespace std::chrono_literals;

namespace {

constexpr auto kLockPause = 1ms;  // from try to try, at first
constexpr auto kLongestLockPause = 20ms;

}  // namespace

struct OwnBook::Open {
  std::unique_ptr<Bookkeeper> keeper;
  std::shared_ptr<HeldBackWatch::Deaths> deaths = std::make_shared<HeldBackWatch::Deaths>();
  LedgerSettings set;
  std::optional<std::uint64_t> seen;  // the number of the snapshot that it was told of
  MonotonicTime due{};                // when it wants to look at its deadlines
};

OwnBook::OwnBook(Place place, BookSettings settings, Clock& clock)
    : place_(std::move(place)), clock_(clock), settings_(std::move(settings)) {
  sources_.machine = place_.machine;
}

OwnBook::~OwnBook() {
  pause();
  resume();
}

Result<StateDirectory> OwnBook::claim() const {
  const auto until = clock_.now() + place_.lock_patience;
  for (std::chrono::nanoseconds pause = kLockPause;;
       pause = std::min<std::chrono::nanoseconds>(2 * pause, kLongestLockPause)) {
    auto directory = StateDirectory::claim(*place_.folder);
    if (directory || directory.error().code != Errc::unavailable) return directory;
    if (clock_.now() >= until) {
      return fail(Errc::unavailable,
                  fmt::format("{}; if that is 'gpukeeper serve', say with --host where it listens, as it keeps the "
                              "ledger",
                              directory.error().message));
    }
    clock_.sleep_until(clock_.now() + pause, {});
  }
}

Result<void> OwnBook::with(const Snapshot& snapshot, const Work& work) {
  std::scoped_lock lock(mutex_);
  if (!place_.folder) return tl::make_unexpected(place_.folder.error());
  if (place_.folder->empty()) {
    bring_up_to_date(nullptr, snapshot);
    work(nullptr, *open_->keeper);
    return {};
  }
  const auto directory = claim();
  if (!directory) {
    open_.reset();  // whoever has it may have it for long
    return tl::make_unexpected(directory.error());
  }
  bring_up_to_date(&*directory, snapshot);
  work(&*directory, *open_->keeper);
  if (!place_.stays_open || open_->keeper->closed()) open_.reset();
  return {};
}

void OwnBook::bring_up_to_date(const StateDirectory* directory, const Snapshot& snapshot) {
  if (open_ && directory && open_->keeper->written_by_others()) open_.reset();
  if (!open_) {
    open_ = std::make_unique<Open>();
    open_->set = settings_for(settings_, snapshot);
    open_->keeper = open_book(open_->set, directory, sources_, clock_, [this](std::unique_ptr<OwnerWatch> watch) {
      return std::make_unique<HeldBackWatch>(std::move(watch), open_->deaths);
    });
    place_.opened(*open_->keeper);
  }
  open_->deaths->tell();
  if (open_->seen != snapshot.sequence) {
    if (auto settings = settings_for(settings_, snapshot); settings != open_->set) {
      open_->set = settings;
      open_->keeper->configure(std::move(settings));
    }
    open_->keeper->observe(reality_of(snapshot));
    open_->seen = snapshot.sequence;
    open_->keeper->look([&](const Ledger& ledger) { place_.observed(ledger, snapshot); });
    open_->due = clock_.now();
  }
  if (clock_.now() >= open_->due) open_->due = open_->keeper->tick();
}

void OwnBook::configure(BookSettings settings) {
  std::scoped_lock lock(mutex_);
  settings_ = std::move(settings);
  if (open_) open_->seen.reset();
}

// Under the lock, as for the last connection SQLite moves its log into the file.
void OwnBook::pause() {
  mutex_.lock();
  if (!open_ || place_.folder->empty()) return;
  const auto directory = StateDirectory::claim(*place_.folder);
  open_.reset();
}

void OwnBook::resume() {
  mutex_.unlock();
}

}  // namespace gpukeeper::desk
