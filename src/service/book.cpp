#include "service/book.hpp"

#include <utility>

namespace gpukeeper::service {
namespace {

// A wait's end.
void measure_wait(const Bookkeeper::Meter& meter, const LedgerEvent& event, const Lease& lease) {
  const bool granted = event.kind == LedgerEvent::Kind::granted;
  const bool in_vain = event.kind == LedgerEvent::Kind::ended && lease.reason == EndReason::timed_out;
  if (!granted && !in_vain) return;
  Bookkeeper::Served served{.kind = granted ? Bookkeeper::Served::Kind::granted : Bookkeeper::Served::Kind::refused,
                            .service = std::string(lease.service.text()),
                            .took = lease.changed - lease.created};
  if (!lease.device.text().empty()) served.devices.emplace_back(lease.device.text());
  meter(served);
}

}  // namespace

Book::Book(BookSettings settings, std::shared_ptr<Clock> clock, std::shared_ptr<const Files> files,
           std::shared_ptr<Signals> signals, Log& log)
    : clock_(std::move(clock)),
      log_(log),
      lease_log_(log),
      overuse_(settings.overuse, std::move(files), std::move(signals), clock_, log),
      settings_(std::move(settings)) {}

void Book::open(const StateDirectory* directory, const Sources& sources) {
  BookSettings settings;
  {
    std::scoped_lock lock(mutex_);
    settings = settings_;
  }
  auto opened = std::make_unique<Open>();
  opened->keeper = open_book(settings.ledger, directory, sources, *clock_);
  opened->housekeeping = std::make_unique<Housekeeping>(*opened->keeper, clock_, settings);
  opened->keeper->listen([this](const LedgerEvent& event, const Lease& lease) { lease_log_.note(event, lease); });
  if (meter_) {
    opened->keeper->measure(meter_);
    opened->keeper->listen(
        [meter = meter_](const LedgerEvent& event, const Lease& lease) { measure_wait(meter, event, lease); });
  }
  if (listener_) opened->keeper->listen(listener_);
  opened->housekeeping->on_overuse([this](const std::vector<OverusedLease>& leases) { overuse_.look(leases); });
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

std::shared_ptr<const std::vector<account::LeasedProcess>> Book::leased() const {
  const Open* open = opened();
  return open ? open->housekeeping->leased() : std::make_shared<const std::vector<account::LeasedProcess>>();
}

void Book::see(std::shared_ptr<const Snapshot> snapshot) {
  if (const Open* open = opened()) open->housekeeping->see(std::move(snapshot));
}

void Book::configure(BookSettings settings) {
  overuse_.configure(settings.overuse);
  std::scoped_lock lock(mutex_);
  settings_ = std::move(settings);
  if (open_) open_->housekeeping->configure(settings_);
}

void Book::look() {
  lease_log_.look();
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
