#include "faults/fault_writer.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <system_error>
#include <tuple>
#include <utility>

#include <fmt/format.h>

namespace gpukeeper {

struct FaultWriter::Pending {
  std::map<std::uint64_t, FaultRecord> records;
  std::deque<FaultReport> reports;
  std::map<std::tuple<DeviceId, EventKind, Severity>, FaultTotal> totals;
  std::map<std::pair<DeviceId, std::string>, WatchMark> marks;

  bool empty() const { return records.empty() && reports.empty() && totals.empty() && marks.empty(); }

  void add(FaultEntries entries) {
    for (FaultRecord& record : entries.records) records.insert_or_assign(record.id, std::move(record));
    std::ranges::move(entries.reports, std::back_inserter(reports));
    for (FaultTotal& total : entries.totals) {
      totals.insert_or_assign(std::tuple(total.device, total.kind, total.severity), std::move(total));
    }
    for (WatchMark& mark : entries.marks) marks.insert_or_assign(std::pair(mark.device, mark.name), std::move(mark));
  }

  FaultEntries entries() const {
    FaultEntries result;
    for (const auto& [id, record] : records) result.records.push_back(record);
    result.reports.assign(reports.begin(), reports.end());
    for (const auto& [key, total] : totals) result.totals.push_back(total);
    for (const auto& [key, mark] : marks) result.marks.push_back(mark);
    return result;
  }

  /// Drops the oldest above the limits; says how many records.
  std::size_t shorten() {
    std::size_t given_up = 0;
    for (; records.size() > kMostRecords; ++given_up) records.erase(records.begin());
    while (reports.size() > kMostReports) reports.pop_front();
    return given_up;
  }
};

FaultWriter::FaultWriter(std::shared_ptr<FaultStore> store)
    : store_(std::move(store)), pending_(std::make_unique<Pending>()) {
  try {
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  } catch (const std::system_error& error) {
    message_ = fmt::format("no thread could be made to write the fault journal to {} ({}); it is written at the end",
                           store_->place(), error.what());
  }
}

FaultWriter::~FaultWriter() {
  if (thread_.joinable()) {
    thread_.request_stop();
    thread_.join();
  }
  static_cast<void>(write_pending());
}

void FaultWriter::put(FaultEntries changes) {
  if (changes.empty()) return;
  {
    std::scoped_lock lock(mutex_);
    pending_->add(std::move(changes));
    given_up_ += pending_->shorten();
  }
  changed_.notify_one();
}

std::string FaultWriter::message() const {
  std::scoped_lock lock(mutex_);
  return message_;
}

bool FaultWriter::wants_everything() {
  std::scoped_lock lock(mutex_);
  return std::exchange(wants_everything_, false);
}

std::optional<std::chrono::nanoseconds> FaultWriter::write_pending() {
  auto taken = std::make_unique<Pending>();
  {
    std::scoped_lock lock(mutex_);
    if (pending_->empty()) return std::nullopt;
    taken.swap(pending_);
  }
  const auto written = store_->write(taken->entries());
  std::scoped_lock lock(mutex_);
  if (written) {
    failures_ = 0;
    message_ = given_up_ == 0 ? ""
                              : fmt::format("{} faults were lost while the journal could not be written to {}",
                                            given_up_, store_->place());
    return std::nullopt;
  }
  taken->add(pending_->entries());  // what has come meanwhile is newer
  given_up_ += taken->shorten();
  pending_ = std::move(taken);
  note_failure(written.error());
  return std::min<std::chrono::nanoseconds>(kLongestPause, kFirstPause * (1 << std::min(failures_ - 1, 6)));
}

void FaultWriter::note_failure(const Error& error) {
  ++failures_;
  if (error.code == Errc::not_found) wants_everything_ = true;
  message_ = fmt::format(
      "the fault journal cannot be written to {}: {}; it goes on in memory, and is written when that "
      "succeeds",
      store_->place(), error.message);
  if (error.code == Errc::resource_exhausted) message_ += "; free some space on that disk";
  if (given_up_ > 0) message_ += fmt::format("; {} faults were given up", given_up_);
}

void FaultWriter::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const auto pause = write_pending();
    std::unique_lock lock(mutex_);
    if (pause) {
      changed_.wait_for(lock, stop, *pause, [] { return false; });  // what comes meanwhile waits too
    } else {
      changed_.wait(lock, stop, [&] { return !pending_->empty(); });
    }
  }
}

}  // namespace gpukeeper
