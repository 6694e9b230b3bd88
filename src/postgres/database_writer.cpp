#include "postgres/database_writer.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "core/display_text.hpp"
#include "core/rfc3339.hpp"
#include "core/text.hpp"

namespace gpukeeper::postgres {

using std::chrono::nanoseconds;

namespace {

// Of what the server does for us, in this transaction: where the network between us breaks, it does not know that
// nobody is there any more. An attempt that waits for the row of an earlier one gives up, so that they do not pile up
// there.
constexpr std::string_view kBounds =
    "SELECT set_config('lock_timeout', '5s', true), set_config('idle_in_transaction_session_timeout', '60s', true), "
    "set_config('tcp_keepalives_idle', '30', true), set_config('tcp_keepalives_interval', '10', true), "
    "set_config('tcp_keepalives_count', '3', true)";

// A clock that is set back by less finds its month even where that has just ended.
constexpr std::chrono::hours kClockSlack{24};

}  // namespace

DatabaseWriter::DatabaseWriter(WriterOptions options, Connector& connector, Spool& spool, const Clock& clock, Log& log)
    : options_(std::move(options)),
      connector_(connector),
      spool_(spool),
      clock_(clock),
      log_(log),
      random_(options_.seed) {
  status_.name = "database";
}

std::optional<nanoseconds> DatabaseWriter::work(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const auto now = clock_.now();
    if (now < next_attempt_) return next_attempt_ - now;
    if (spool_.figures().waiting == 0) return std::nullopt;
    const auto well = write_some(stop);
    spool_.back();
    if (well) continue;
    connection_.reset();
    if (stop.stop_requested()) break;  // that is why it failed
    failed(well.error());
  }
  return nanoseconds::zero();
}

Result<void> DatabaseWriter::write_some(const std::stop_token& stop) {
  if (auto connected = be_connected(stop); !connected) return connected;
  const Batch taken = spool_.take(one_by_one_until_ ? 0 : kBatchBytes);
  const Batch batch = without_misfits(taken);
  const std::uint64_t last = taken.back()->number;
  if (batch.empty()) {
    done(last);
    return {};
  }
  if (auto written = write(batch); !written) {
    // What is in it will never be taken: it must not stand in the way of the rest. One by one it is found.
    if (written.error().code != Errc::invalid_argument) return written;
    if (one_by_one_until_) {
      give_up(batch, written.error().message);
      done(last);
    } else {
      one_by_one_until_ = last;
    }
    return written;
  }
  done(last);
  succeeded(batch);
  return {};
}

// They have arrived, or are given up.
void DatabaseWriter::done(std::uint64_t number) {
  spool_.done(number);
  if (one_by_one_until_ && number >= *one_by_one_until_) one_by_one_until_.reset();
}

Result<void> DatabaseWriter::be_connected(const std::stop_token& stop) {
  if (connection_ && clock_.now() < next_maintenance_) return {};
  if (!connection_) {
    auto made = connector_.connect(stop);
    if (!made) return tl::make_unexpected(made.error());
    connection_ = std::move(*made);
    devices_.clear();
  }
  return maintain();
}

Result<void> DatabaseWriter::maintain() {
  const Batch first = spool_.take(0);
  if (auto prepared = prepare_for(first.empty() ? clock_.wall() : first.front()->at); !prepared) return prepared;
  if (clock_.now() < next_maintenance_) return {};
  next_maintenance_ = clock_.now() + kMaintenance;  // also where it fails: it is not what matters
  const auto dropped = drop_old_months(*connection_);
  if (!dropped) return tl::make_unexpected(dropped.error());
  if (*dropped > 0) log_.info("the database dropped {} month{} of old readings", *dropped, *dropped == 1 ? "" : "s");
  return {};
}

Result<void> DatabaseWriter::prepare_for(WallTime oldest) {
  auto prepared = prepare(*connection_, {.host = options_.host,
                                         .stream = options_.stream,
                                         .metrics = options_.metrics,
                                         .keep = options_.keep,
                                         .oldest = oldest - kClockSlack});
  if (!prepared) return tl::make_unexpected(prepared.error());
  prepared_ = std::move(*prepared);
  return {};
}

// Ticks of a clock that was wrong when they were made, or of an outage longer than anything is kept. They are given up
// once, though the batch may have to be written again.
DatabaseWriter::Batch DatabaseWriter::without_misfits(const Batch& batch) {
  Batch fitting;
  Batch misfits;
  for (const auto& tick : batch) {
    if (tick->at >= prepared_.from && tick->at < prepared_.to) {
      fitting.push_back(tick);
    } else if (tick->number > last_misfit_) {
      misfits.push_back(tick);
    }
  }
  if (!misfits.empty()) {
    last_misfit_ = misfits.back()->number;
    give_up(misfits, fmt::format("of {}, and the database takes what is between {} and {}",
                                 rfc3339(misfits.front()->at), rfc3339(prepared_.from), rfc3339(prepared_.to)));
  }
  return fitting;
}

Result<void> DatabaseWriter::write(const Batch& batch) {
  if (auto begun = connection_->query("BEGIN"); !begun) return tl::make_unexpected(begun.error());
  if (auto bounded = connection_->query(std::string(kBounds)); !bounded) return tl::make_unexpected(bounded.error());
  // Whoever wrote under this name before, on a connection that was lost, is waited for here.
  const auto before =
      connection_->query("SELECT last_number FROM gpukeeper.writer WHERE stream = $1 FOR UPDATE", {options_.stream});
  if (!before) return tl::make_unexpected(before.error());
  const auto after = parse_u64(before->first());
  if (!after) return fail(Errc::unavailable, "the database has lost its row about us in gpukeeper.writer");
  const auto lines = lines_of(batch, *after);
  if (!lines) return tl::make_unexpected(lines.error());
  if (!lines->empty()) {
    const std::string columns = column_list(options_.metrics);
    auto copied = connection_->copy(fmt::format("COPY gpukeeper.reading (taken_at, device_id, state{}{}) FROM STDIN",
                                                columns.empty() ? "" : ", ", columns),
                                    *lines);
    if (!copied) return copied;
  }
  const auto noted = connection_->query(
      "UPDATE gpukeeper.writer SET last_number = greatest(last_number, $2::bigint), dropped = $3::bigint, written_at = "
      "now() WHERE stream = $1",
      {options_.stream, std::to_string(batch.back()->number), std::to_string(status().dropped)});
  if (!noted) return tl::make_unexpected(noted.error());
  if (auto ended = connection_->query("COMMIT"); !ended) return tl::make_unexpected(ended.error());
  return {};
}

// As COPY takes them, of what comes after that number.
Result<std::string> DatabaseWriter::lines_of(const Batch& batch, std::uint64_t after) {
  std::string lines;
  rows_in_batch_ = 0;
  for (const auto& tick : batch) {
    rows_in_batch_ += tick->rows.size();
    if (tick->number <= after) continue;  // it had arrived, but the answer had not
    const std::string at = rfc3339(tick->at);
    for (const ReadingRow& row : tick->rows) {
      const auto id = id_of(row);
      if (!id) return id;
      lines += at;
      lines += '\t';
      lines += *id;
      lines += row.values;
      lines += '\n';
    }
  }
  return lines;
}

// Asked once a connection, and when something of the device has changed: another driver, another place.
Result<std::string> DatabaseWriter::id_of(const ReadingRow& row) {
  const Device& device = *row.device;
  const auto known = devices_.find(device.id.text);
  if (known != devices_.end() && known->second.is_same(row)) return known->second.id;
  const auto text = [](bool value) { return std::optional<std::string>(value ? "true" : "false"); };
  std::vector<std::optional<std::string>> parameters = {prepared_.host_id,
                                                        harmless(device.id.text),
                                                        std::to_string(row.index),
                                                        harmless(device.name),
                                                        std::string(to_string(device.vendor)),
                                                        std::nullopt,
                                                        std::nullopt,
                                                        harmless(device.source),
                                                        text(device.simulated),
                                                        text(device.recorded),
                                                        std::nullopt};
  if (device.parent) parameters[5] = harmless(device.parent->text);
  if (device.partition) parameters[6] = harmless(*device.partition);
  if (row.partition_index) parameters[10] = std::to_string(*row.partition_index);
  auto there = connection_->query(
      "UPDATE gpukeeper.device SET index = $3::integer, name = $4, vendor = $5, parent_uuid = $6, partition = $7, "
      "source = $8, simulated = $9::boolean, recorded = $10::boolean, partition_index = $11::integer WHERE host_id = "
      "$1::integer AND uuid = $2 "
      "RETURNING id",
      parameters);
  if (there && there->size() == 0) {
    there = connection_->query(
        "INSERT INTO gpukeeper.device (host_id, uuid, index, name, vendor, parent_uuid, partition, source, simulated, "
        "recorded, partition_index) VALUES ($1::integer, $2, $3::integer, $4, $5, $6, $7, $8, $9::boolean, "
        "$10::boolean, $11::integer) "
        "ON CONFLICT (host_id, uuid) DO UPDATE SET name = excluded.name RETURNING id",
        parameters);
  }
  if (!there) return tl::make_unexpected(there.error());
  devices_[device.id.text] = {there->first(), row.device, row.index, row.partition_index};
  return there->first();
}

void DatabaseWriter::succeeded(const Batch& batch) {
  if (std::exchange(failures_, 0) > 0) {
    log_.info("the database takes readings again; {} waited for it", batch.size() + spool_.figures().waiting);
  }
  next_attempt_ = {};
  const std::scoped_lock lock(mutex_);
  status_.up = true;
  status_.sent += rows_in_batch_;
  status_.last_success = clock_.wall();
  status_.error.clear();
}

void DatabaseWriter::failed(const Error& error) {
  // Doubled each time, then shortened by up to a half: many machines that lost the same database come back apart.
  const auto longest = std::min<nanoseconds>(kLongestPause, kFirstPause * (1 << std::min(failures_, 6)));
  const double part = std::uniform_real_distribution<double>(0.5, 1.0)(random_);
  const auto pause = std::chrono::duration_cast<nanoseconds>(longest * part);
  next_attempt_ = clock_.now() + pause;
  if (failures_++ == 0) {
    log_.warning("readings do not reach the database and wait in memory: {}", error.message);
  } else {
    log_.debug("readings do not reach the database, the next attempt is in {:.1f} s: {}",
               std::chrono::duration<double>(pause).count(), error.message);
  }
  const std::scoped_lock lock(mutex_);
  status_.up = false;
  ++status_.failures;
  status_.error = error.message;
}

void DatabaseWriter::give_up(const Batch& batch, std::string_view why) {
  log_.warning("{} tick{} of readings will not come into the database: {}", batch.size(), batch.size() == 1 ? "" : "s",
               why);
  {
    const std::scoped_lock lock(mutex_);
    status_.dropped += batch.size();
  }
}

void DatabaseWriter::end() {
  connection_.reset();
  const auto left = spool_.figures().waiting;
  if (left > 0) log_.warning("{} tick{} of readings did not reach the database", left, left == 1 ? "" : "s");
}

ExportStatus DatabaseWriter::status() const {
  ExportStatus status;
  {
    const std::scoped_lock lock(mutex_);
    status = status_;
  }
  const auto figures = spool_.figures();
  status.waiting = figures.waiting;
  status.waiting_bytes = figures.bytes;
  status.dropped += figures.dropped;
  return status;
}

}  // namespace gpukeeper::postgres
