#include "service/kept_account.hpp"

#include <utility>

#include <fmt/format.h>

#include "core/playback_clock.hpp"
#include "storage/sqlite_account_store.hpp"

namespace gpukeeper::service {
namespace {

using namespace std::chrono_literals;

// Of a longer time days are enough: hours of years fill the memory.
constexpr auto kInDetail = 62 * 24h;

// Nobody may ask again whether the file can be read, so that it could not is said for so long.
constexpr auto kSaid = 10min;

std::vector<std::pair<WallTime, WallTime>> spans_of(const account::Account& account) {
  std::vector<std::pair<WallTime, WallTime>> spans;
  for (const auto& slot : account.slots) spans.emplace_back(slot->begin, slot->end());
  return spans;
}

}  // namespace

KeptAccount::KeptAccount(account::Keeping keeping, std::shared_ptr<const Clock> clock)
    : clock_(std::move(clock)), keeping_(keeping) {}

Result<void> KeptAccount::open(const StateDirectory* directory, const Sources& sources) {
  const bool is_played = dynamic_cast<const PlaybackClock*>(clock_.get()) != nullptr;
  if (!directory || is_played) return {};
  auto folder = sources.machine ? Result<std::string>(directory->path()) : directory->folder("simulated");
  if (!folder) return tl::make_unexpected(folder.error());
  auto kept = std::make_shared<Kept>();
  kept->store = std::make_shared<SqliteAccountStore>(*folder);
  std::scoped_lock lock(mutex_);
  kept->writer = std::make_unique<account::AccountWriter>(kept->store, accountant_, keeping_, clock_);
  kept_ = std::move(kept);
  return {};
}

std::shared_ptr<const KeptAccount::Kept> KeptAccount::kept() const {
  std::scoped_lock lock(mutex_);
  return kept_;
}

void KeptAccount::see(const Snapshot& snapshot, std::span<const account::LeasedProcess> leased) {
  accountant_->add(snapshot, leased);
}

account::Account KeptAccount::account(std::optional<WallTime> since, std::optional<WallTime> until) const {
  auto known = accountant_->account();
  const auto complete = accountant_->complete_since();
  const auto here = kept();
  if (!since || !complete || *since >= *complete || !here) return known;
  const bool long_ago = known.until - *since > kInDetail;
  auto older =
      here->store->read({.since = since, .until = until, .column = long_ago ? 24h : 0h, .known = spans_of(known)});
  std::scoped_lock lock(mutex_);
  unreadable_ = older ? std::string() : fmt::format("the account before this start: {}", older.error().message);
  unreadable_at_ = clock_->now();
  return older ? joined(std::move(*older), known) : known;
}

std::vector<std::string> KeptAccount::trouble() const {
  const auto here = kept();
  std::vector<std::string> all;
  if (!here) return all;
  if (auto message = here->writer->message(); !message.empty()) all.push_back(std::move(message));
  std::scoped_lock lock(mutex_);
  if (!unreadable_.empty() && clock_->now() - unreadable_at_ < kSaid) all.push_back(unreadable_);
  return all;
}

void KeptAccount::look(Log& log) {
  const auto here = kept();
  if (!here) return;
  if (auto notice = here->store->notice(); notice != noticed_) {
    log.warning("{}", notice);
    noticed_ = std::move(notice);
  }
  auto message = here->writer->message();
  if (message == said_) return;
  if (message.empty()) {
    log.info("the account is saved to {} again", here->store->place());
  } else {
    log.error("{}", message);
  }
  said_ = std::move(message);
}

void KeptAccount::configure(account::Keeping keeping) {
  std::scoped_lock lock(mutex_);
  keeping_ = keeping;
  if (kept_) kept_->writer->configure(keeping);
}

void KeptAccount::ask_to_stop() {
  if (const auto here = kept()) here->writer->ask_to_stop();
}

bool KeptAccount::ended() const {
  const auto here = kept();
  return !here || here->writer->ended();
}

}  // namespace gpukeeper::service
