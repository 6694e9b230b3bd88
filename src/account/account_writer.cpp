#include "account/account_writer.hpp"

#include <algorithm>
#include <system_error>
#include <utility>

#include <fmt/format.h>

namespace gpukeeper::account {
namespace {

// Forgetting reads and writes a lot: not with every save.
constexpr auto kForgetEvery = std::chrono::hours(1);

}  // namespace

AccountWriter::AccountWriter(std::shared_ptr<AccountStore> store, std::shared_ptr<Accountant> accountant,
                             Keeping keeping, std::shared_ptr<const Clock> clock)
    : store_(std::move(store)), accountant_(std::move(accountant)), clock_(std::move(clock)), keeping_(keeping) {
  try {
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  } catch (const std::system_error& error) {
    message_ = fmt::format("no thread could be made to save the account to {} ({}); it is saved at the end",
                           store_->place(), error.what());
    ended_ = true;
  }
}

AccountWriter::~AccountWriter() {
  if (thread_.joinable()) {
    thread_.request_stop();
    thread_.join();
  } else {
    static_cast<void>(turn());  // loads
    static_cast<void>(turn());
  }
}

void AccountWriter::configure(Keeping keeping) {
  std::scoped_lock lock(mutex_);
  if (keeping_ == keeping) return;
  keeping_ = keeping;
  wake_.notify_one();
}

Keeping AccountWriter::keeping() const {
  std::scoped_lock lock(mutex_);
  return keeping_;
}

std::string AccountWriter::message() const {
  std::scoped_lock lock(mutex_);
  return message_;
}

void AccountWriter::ask_to_stop() {
  thread_.request_stop();
}

bool AccountWriter::ended() const {
  std::scoped_lock lock(mutex_);
  return ended_;
}

Result<void> AccountWriter::load() {
  const WallTime now = clock_->wall();
  auto kept = store_->load(now, kLoaded);
  if (!kept) return tl::make_unexpected(kept.error());
  accountant_->restore(*kept, kept->since ? std::min(now, kept->until) - kLoaded : WallTime{});
  loaded_ = true;
  return {};
}

Result<void> AccountWriter::learn() {
  while (const auto stretch = accountant_->unknown()) {
    const auto kept = store_->read(
        {.since = stretch->begin, .until = stretch->end, .column = std::chrono::seconds(0), .known = stretch->known});
    if (!kept && kept.error().code != Errc::not_found) return tl::make_unexpected(kept.error());
    accountant_->learn(*stretch, kept ? *kept : Account());
  }
  return {};
}

Result<void> AccountWriter::save() {
  for (bool again = true; again;) {
    if (auto learned = learn(); !learned) return learned;
    const auto changes = accountant_->take_changes();
    if (!changes) return {};
    const auto saved = store_->save(*changes);
    if (!saved) {
      accountant_->change_again(*changes);
      return tl::make_unexpected(saved.error());
    }
    again = *saved == AccountStore::Saved::anew;
    if (again) accountant_->change_all();
  }
  return {};
}

Result<void> AccountWriter::forget() {
  const auto now = accountant_->steady_date();
  if (!now) return {};
  const WallTime before = *now - std::chrono::duration_cast<WallTime::duration>(keeping().length);
  if (forgotten_before_ && before >= *forgotten_before_ && before < *forgotten_before_ + kForgetEvery) return {};
  auto forgotten = store_->forget(before);
  if (forgotten) forgotten_before_ = before;
  return forgotten;
}

std::string AccountWriter::explained(const Error& error) const {
  std::string text = loaded_ ? fmt::format(
                                   "the account cannot be saved to {}: {}; it goes on in memory, and is saved when "
                                   "that succeeds",
                                   store_->place(), error.message)
                             : fmt::format(
                                   "the account in {} cannot be read: {}; until it can be, it goes on in memory "
                                   "without what was before",
                                   store_->place(), error.message);
  if (error.code == Errc::resource_exhausted) text += "; free some space on that disk";
  return text;
}

std::chrono::nanoseconds AccountWriter::turn() {
  std::scoped_lock turn(turn_);
  auto done = loaded_ ? Result<void>() : load();
  if (done) done = save();
  if (done) done = forget();
  std::scoped_lock lock(mutex_);
  message_ = done ? std::string() : explained(done.error());
  return done ? keeping_.interval : std::min<std::chrono::nanoseconds>(keeping_.interval, kLongestPause);
}

void AccountWriter::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const Keeping known = keeping();  // what is set while it saves counts at once, too
    const auto pause = turn();
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, stop, pause, [&] { return keeping_ != known; });
  }
  static_cast<void>(turn());
  std::scoped_lock lock(mutex_);
  ended_ = true;
}

}  // namespace gpukeeper::account
