#include "service/book.hpp"

#include <utility>

namespace gpukeeper::service {

Book::Book(LedgerSettings settings, std::shared_ptr<Clock> clock, Log& log)
    : clock_(std::move(clock)), log_(log), settings_(std::move(settings)) {}

void Book::open(const StateDirectory* directory, const Sources& sources) {
  LedgerSettings settings;
  {
    std::scoped_lock lock(mutex_);
    settings = settings_;
  }
  auto opened = std::make_unique<Open>();
  opened->keeper = open_book(settings, directory, sources, *clock_);
  opened->housekeeping = std::make_unique<Housekeeping>(*opened->keeper, clock_);
  std::scoped_lock lock(mutex_);
  if (settings_ != settings) opened->housekeeping->configure(settings_);  // changed meanwhile
  if (!stopped_) opened->housekeeping->start();
  open_ = std::move(opened);
}

const Book::Open* Book::opened() const {
  std::scoped_lock lock(mutex_);
  return open_.get();
}

Bookkeeper* Book::keeper() const {
  const Open* open = opened();
  return open ? open->keeper.get() : nullptr;
}

std::shared_ptr<const Booked> Book::booked() const {
  const Open* open = opened();
  return open ? open->housekeeping->booked() : nullptr;
}

void Book::see(std::shared_ptr<const Snapshot> snapshot) {
  if (const Open* open = opened()) open->housekeeping->see(std::move(snapshot));
}

void Book::configure(LedgerSettings settings) {
  std::scoped_lock lock(mutex_);
  settings_ = std::move(settings);
  if (open_) open_->housekeeping->configure(settings_);
}

void Book::look() {
  const auto now = booked();
  if (!now || now->closed == closed_) return;
  closed_ = now->closed;
  if (closed_.empty()) {
    log_.info("leases are granted again");
  } else {
    log_.error("no leases are granted: {}", closed_);
  }
}

void Book::ask_to_stop() {
  std::scoped_lock lock(mutex_);
  stopped_ = true;
  if (open_) open_->housekeeping->ask_to_stop();
}

bool Book::ended() const {
  const Open* open = opened();
  return !open || open->housekeeping->ended();
}

}  // namespace gpukeeper::service
