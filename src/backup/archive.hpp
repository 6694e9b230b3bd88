#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/clock.hpp"
#include "core/result.hpp"
#include "storage/sqlite.hpp"

namespace gpukeeper::backup {

/// One file in an archive.
struct Member {
  std::string name;  ///< "leases.db"
  std::uint64_t size = 0;
  std::string sha256;  ///< hexadecimal
};

/// What an archive says of itself.
struct Manifest {
  std::string program;  ///< the version of the gpukeeper that made it
  std::string host;
  WallTime made{};
  std::string configured_in;  ///< where the file of settings was; empty where there was none
  std::vector<Member> members;

  const Member* find(std::string_view name) const;
};

/// Makes an archive: a file that is there once finish() has returned, whole, and before it not at all.
class ArchiveWriter {
 public:
  /// Errors: already_exists for a path where something is; others as the disk says.
  static Result<ArchiveWriter> create(std::string path);
  /// Takes back what was not finished.
  ~ArchiveWriter();
  ArchiveWriter(ArchiveWriter&&) noexcept = default;
  ArchiveWriter& operator=(ArchiveWriter&&) = delete;

  /// A file for whoever gathers something that is to be added; it goes with this.
  std::string scratch() const { return partial_ + ".member"; }

  /// Adds what is in that file. Errors: as the disk says.
  Result<void> add(const std::string& name, const std::string& file);

  /// Errors: as the disk says.
  Result<Manifest> finish(Manifest about);

 private:
  ArchiveWriter(std::string path, std::string partial, sqlite::Database database)
      : path_(std::move(path)),
        partial_(std::move(partial)),
        database_(std::make_unique<sqlite::Database>(std::move(database))) {}

  std::string path_;
  std::string partial_;
  std::unique_ptr<sqlite::Database> database_;  // null once this was moved from
  std::vector<Member> members_;
};

/// An archive whose every byte was checked.
class Archive {
 public:
  /// Errors: not_found; not_supported for that of a newer gpukeeper; invalid_argument for what is no archive or was
  /// damaged, with what is wrong.
  static Result<Archive> open(const std::string& path);

  const Manifest& manifest() const { return manifest_; }

  /// Writes a member into a new file, flushed; what is written is checked again. Errors: as the disk says.
  Result<void> extract(const Member& member, const std::string& file);

 private:
  Archive(std::string path, sqlite::Database database) : path_(std::move(path)), database_(std::move(database)) {}

  Result<void> read_manifest();
  Result<std::string> digest_of(const Member& member, int descriptor);

  std::string path_;
  sqlite::Database database_;
  Manifest manifest_;
};

}  // namespace gpukeeper::backup
