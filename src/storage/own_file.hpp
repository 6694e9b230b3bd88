#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "core/result.hpp"
#include "storage/sqlite.hpp"

namespace gpukeeper::sqlite {

/// A database file of gpukeeper's own: begun where there is none, brought to the newest version, moved aside when it is
/// damaged. What is committed survives a kill and a power cut.
/// Threads: one at a time.
class OwnFile {
 public:
  /// Scripts that lead from the version of their place to the next; none is ever changed once it was released.
  using Migrations = std::span<const char* const>;

  /// Opens nothing. With `Access::read` a file is taken as it is, beside the process that owns it.
  /// `shape`: what is to be said to SQLite of a file before it has anything in it: the size of its pages.
  OwnFile(std::string path, Migrations migrations, Database::Access access = Database::Access::own,
          const char* shape = "")
      : path_(std::move(path)), migrations_(migrations), access_(access), shape_(shape) {}

  const std::string& path() const { return path_; }

  /// Null when it is not open.
  Database* database() { return database_.get(); }

  /// Opens it anew. Errors: not_supported for the file of a newer gpukeeper, which is left alone; unavailable when it
  /// is only to be read and its owner has not made it ready; others as the disk says, or damaged.
  Outcome<void> open();

  /// Closes it.
  void close() { database_.reset(); }

  /// Whether what is open still stands at its path.
  bool is_in_place() const;

  /// Moves a damaged file to PATH.damaged-1 (-2, …) and begins a new one: where the old one lies. The write-ahead log
  /// goes along: what it holds may be of use to whoever looks into the file. `why` it is damaged.
  /// Errors: as the disk says, with the path.
  Result<std::string> replace(const std::string& why);

 private:
  Outcome<void> prepare(Database& database) const;
  Result<std::string> move_aside() const;

  const std::string path_;
  const Migrations migrations_;
  const Database::Access access_;
  const char* const shape_;
  std::unique_ptr<Database> database_;
  std::uint64_t inode_ = 0;  // of the file that is open
};

}  // namespace gpukeeper::sqlite
