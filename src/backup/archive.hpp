#pragma once

#include <cstdint>
#include <functional>
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

  /// An empty file that only its owner may read, for whoever gathers something that is to be added; it goes with this,
  /// and with the next. Errors: as the disk says.
  Result<std::string> scratch() const;

  /// Adds what is in that file. Errors: as the disk says.
  Result<void> add(const std::string& name, const std::string& file);

  /// Errors: as the disk says.
  Result<Manifest> finish(Manifest about);

 private:
  ArchiveWriter(std::string path, std::string partial, sqlite::Database database)
      : path_(std::move(path)),
        partial_(std::move(partial)),
        database_(std::make_unique<sqlite::Database>(std::move(database))) {}

  std::string scratch_path() const { return partial_ + ".member"; }

  std::string path_;
  std::string partial_;
  std::unique_ptr<sqlite::Database> database_;  // null once this was moved from
  std::vector<Member> members_;
};

/// An archive whose every byte was checked. It may come from anywhere: what is not exactly as ArchiveWriter makes it is
/// refused before it can cost memory or room.
class Archive {
 public:
  /// Errors: not_found; not_supported for that of a newer gpukeeper; invalid_argument for what is no archive, was
  /// damaged or has files that no backup has, with what is wrong.
  static Result<Archive> open(const std::string& path);

  const Manifest& manifest() const { return manifest_; }

  /// Writes a member into a new file, flushed; what is written is checked again. Errors: as the disk says.
  Result<void> extract(const Member& member, const std::string& file);

  /// What is in a small member, checked again. Errors: resource_exhausted above Files::kMaxFileBytes.
  Result<std::string> text(const Member& member);

 private:
  Archive(std::string path, sqlite::Database database) : path_(std::move(path)), database_(std::move(database)) {}

  using TakePiece = std::function<Result<void>(std::string_view bytes)>;

  Result<void> check_kind();
  Result<void> check_shape();
  Result<void> read_manifest();
  Result<void> check_members() const;
  Result<void> each_piece(const Member& member, const TakePiece& take);

  std::string path_;
  sqlite::Database database_;
  Manifest manifest_;
};

}  // namespace gpukeeper::backup
