#include "storage/own_file.hpp"

#include <filesystem>
#include <system_error>
#include <utility>

#include <sys/stat.h>

#include <fmt/format.h>

namespace gpukeeper::sqlite {
namespace {

constexpr int kMostDamaged = 9;  // files kept aside; then the last is overwritten

std::uint64_t inode_of(const std::string& path) {
  struct stat facts {};
  return ::stat(path.c_str(), &facts) == 0 ? facts.st_ino : 0;
}

Failure newer(std::int64_t version, std::int64_t ours) {
  return {{Errc::not_supported,
           fmt::format("it was written by a newer gpukeeper (version {}, this one knows {}); use that one, or move the "
                       "file away",
                       version, ours)},
          false};
}

Outcome<void> check_whole(Database& database) {
  const auto damage = database.prepare("PRAGMA quick_check(1)").and_then([](Statement check) -> Outcome<std::string> {
    const auto row = check.step();
    if (!row) return tl::make_unexpected(row.error());
    return check.text();
  });
  if (!damage) return tl::make_unexpected(damage.error());
  if (*damage != "ok") return tl::make_unexpected(Failure{{Errc::internal, *damage}, true});
  return {};
}

}  // namespace

Outcome<void> OwnFile::open() {
  database_.reset();
  auto opened = Database::open(path_, access_);
  if (!opened) return tl::make_unexpected(opened.error());
  if (auto prepared = prepare(*opened); !prepared) return prepared;
  inode_ = inode_of(path_);
  database_ = std::make_unique<Database>(std::move(*opened));
  return {};
}

Outcome<void> OwnFile::prepare(Database& database) const {
  const auto newest = static_cast<std::int64_t>(migrations_.size());
  const auto version = database.integer("PRAGMA user_version");
  if (!version) return tl::make_unexpected(version.error());
  if (*version > newest) return tl::make_unexpected(newer(*version, newest));
  if (access_ == Database::Access::read) {
    if (*version == newest) return {};
    return tl::make_unexpected(Failure{{Errc::unavailable, "its owner has not made it ready yet"}, false});
  }
  if (auto shaped = database.execute(shape_); !shaped) return shaped;
  // FULL: a faulty GPU may well take the machine with it, and then the last line is the one that is wanted.
  auto done = database.execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON");
  if (done) done = check_whole(database);
  if (!done || *version == newest) return done;

  auto transaction = Transaction::begin(database);
  if (!transaction) return tl::make_unexpected(transaction.error());
  for (auto from = *version; from < newest && done; ++from) {
    done = database.execute(migrations_[static_cast<std::size_t>(from)]);
  }
  if (done) done = database.execute(fmt::format("PRAGMA user_version = {}", newest).c_str());
  return done ? transaction->commit() : done;
}

bool OwnFile::is_in_place() const {
  return inode_of(path_) == inode_;
}

Result<std::string> OwnFile::replace(const std::string& why) {
  database_.reset();
  auto aside = move_aside();
  if (!aside)
    return fail(aside.error().code, fmt::format("{} is damaged ({}), and {}", path_, why, aside.error().message));
  if (const auto opened = open(); !opened) {
    return fail(opened.error().error.code, fmt::format("{}: {}", path_, opened.error().error.message));
  }
  return aside;
}

Result<std::string> OwnFile::move_aside() const {
  std::error_code error;
  std::string aside;
  for (int number = 1; number <= kMostDamaged; ++number) {
    aside = fmt::format("{}.damaged-{}", path_, number);
    if (!std::filesystem::exists(aside, error)) break;
  }
  std::filesystem::rename(path_, aside, error);
  if (error) return fail(Errc::internal, fmt::format("it cannot be moved to {}: {}", aside, error.message()));
  std::filesystem::rename(path_ + "-wal", aside + "-wal", error);  // there may be none
  std::filesystem::remove(path_ + "-shm", error);
  return aside;
}

}  // namespace gpukeeper::sqlite
