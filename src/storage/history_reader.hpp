#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "storage/sqlite.hpp"
#include "telemetry/older_history.hpp"

namespace gpukeeper::history_file {

/// Reads `history.db` beside its writer: of each stretch of time the coarsest tier that is fine enough, a finer one
/// where that is not summed up yet, and a coarser one where the finer are gone.
///
/// A piece that begins within the time that is asked for belongs to it. What is damaged is left out.
/// Threads: any, several at once.
class HistoryReader final : public OlderHistory {
 public:
  /// `run`: that of this process, as its blocks have it. `on_damage` is told why the file is no good.
  HistoryReader(std::string path, std::int64_t run, std::function<void(const std::string&)> on_damage)
      : path_(std::move(path)), run_(run), on_damage_(std::move(on_damage)) {}

  Result<void> read(const Query& query, const Take& take) const override;
  std::optional<WallTime> oldest() const override;

  /// Of what does not end before that moment.
  std::optional<WallTime> oldest_after(WallTime moment) const;

 private:
  Error told(const sqlite::Failure& failure) const;

  const std::string path_;
  const std::int64_t run_;
  const std::function<void(const std::string&)> on_damage_;
};

/// What the file is made of, for who only reads it.
sqlite::Outcome<sqlite::Database> open_to_read(const std::string& path);

}  // namespace gpukeeper::history_file
