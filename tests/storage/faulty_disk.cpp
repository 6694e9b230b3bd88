#include "faulty_disk.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <limits>

#include <sqlite3.h>

namespace gpukeeper {
namespace {

std::atomic<int> fails_from = std::numeric_limits<int>::max();
std::atomic<int> failure = SQLITE_OK;
std::atomic<bool> tears = false;
std::atomic<int> tried = 0;

sqlite3_vfs* real = nullptr;

// A table of methods for each sort of file (databases with locks, logs without), and ours that stands before it.
struct Methods {
  const sqlite3_io_methods* real = nullptr;
  sqlite3_io_methods ours{};
};
std::array<Methods, 4> tables;

const sqlite3_io_methods& real_methods(const sqlite3_file* file) {
  return *std::ranges::find_if(tables, [&](const Methods& m) { return &m.ours == file->pMethods; })->real;
}

int write_or_fail(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 at) {
  const int number = tried++;
  if (number < fails_from) return real_methods(file).xWrite(file, bytes, size, at);
  if (tears && number == fails_from) real_methods(file).xWrite(file, bytes, size / 2, at);
  return failure;
}

int sync_or_fail(sqlite3_file* file, int flags) {
  if (tried++ < fails_from) return real_methods(file).xSync(file, flags);
  return failure == SQLITE_FULL ? SQLITE_FULL : SQLITE_IOERR_FSYNC;
}

int open_file(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out) {
  const int code = real->xOpen(real, name, file, flags, out);
  if (code != SQLITE_OK) return code;
  for (Methods& table : tables) {
    if (!table.real) {
      table.real = file->pMethods;
      table.ours = *table.real;
      table.ours.xWrite = write_or_fail;
      table.ours.xSync = sync_or_fail;
    }
    if (table.real != file->pMethods) continue;
    file->pMethods = &table.ours;
    break;
  }
  return code;
}

// Before any database is opened, as SQLite asks for its default once.
const bool registered = [] {
  real = sqlite3_vfs_find(nullptr);
  static sqlite3_vfs between = *real;
  between.zName = "faulty";
  between.xOpen = open_file;
  return sqlite3_vfs_register(&between, 1) == SQLITE_OK;
}();

}  // namespace

FaultyDisk::FaultyDisk(Fault fault, int after) {
  failure = registered && fault == Fault::full ? SQLITE_FULL : SQLITE_IOERR_WRITE;
  tears = fault == Fault::torn;
  fails_from = tried + after;
}

FaultyDisk::~FaultyDisk() {
  fails_from = std::numeric_limits<int>::max();
}

int FaultyDisk::writes() {
  return tried;
}

}  // namespace gpukeeper
