#include "backup/archive.hpp"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <stdio.h>  // renameat2
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "backup/digest.hpp"
#include "core/files.hpp"
#include "engine/restoring.hpp"
#include "storage/sqlite_script.hpp"

namespace gpukeeper::backup {
namespace {

using sqlite::Database;
using sqlite::Failure;
using sqlite::Script;

constexpr std::int64_t kApplication = 0x676b6261;  // "gkba", by which file(1) may know it
constexpr std::int64_t kVersion = 1;
constexpr std::size_t kPiece = 1 << 20;  // bytes in a row
constexpr int kLongestRow = (1 << 20) + 4096;
constexpr mode_t kMode = 0600;           // it has what the state directory keeps from others
constexpr mode_t kExtractedMode = 0640;  // as the state directory's files are

constexpr const char* kTables = R"sql(
PRAGMA journal_mode = OFF;
CREATE TABLE manifest (program TEXT NOT NULL, host TEXT NOT NULL, made_ns INTEGER NOT NULL,
  configured_in TEXT NOT NULL) STRICT;
CREATE TABLE member (name TEXT PRIMARY KEY, size INTEGER NOT NULL, sha256 TEXT NOT NULL) STRICT;
CREATE TABLE piece (member TEXT NOT NULL, number INTEGER NOT NULL, data BLOB NOT NULL,
  PRIMARY KEY (member, number)) STRICT;
)sql";

Error system_error(const std::string& path, int error) {
  return {errc_from_errno(error), fmt::format("{}: {}", path, std::generic_category().message(error))};
}

Error told(const std::string& path, const Failure& failure) {
  return {failure.error.code, fmt::format("{}: {}", path, failure.error.message)};
}

auto damaged(const std::string& path, std::string_view why) {
  return fail(Errc::invalid_argument, fmt::format("the archive {} cannot be used: {}", path, why));
}

Result<void> flush(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return tl::make_unexpected(system_error(path, errno));
  const int flushed = ::fsync(descriptor);
  const int error = errno;
  ::close(descriptor);
  if (flushed != 0) return tl::make_unexpected(system_error(path, error));
  return {};
}

Result<void> write_all(int descriptor, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const auto written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return tl::make_unexpected(system_error(path, errno));
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

// A file that is made, and closed in the end.
class NewFile {
 public:
  NewFile(const std::string& path, mode_t mode)
      : descriptor_(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode)) {
    if (descriptor_ >= 0) static_cast<void>(::fchmod(descriptor_, mode));  // whatever the umask is
  }
  ~NewFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;
  int descriptor() const { return descriptor_; }

 private:
  const int descriptor_;
};

// Refuses where rename(2) would overwrite what came there meanwhile. Disks for everybody (FAT, exFAT) know no links,
// and some network file systems no such rename.
bool give_name(const std::string& from, const std::string& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return true;
  if (errno != EINVAL && errno != ENOSYS) return false;
  return ::link(from.c_str(), to.c_str()) == 0;
}

// All that stands in a database, as it was made.
sqlite::Outcome<std::vector<std::string>> shape_of(Database& database) {
  constexpr std::int64_t kMost = 16;
  std::vector<std::string> shape;
  sqlite::Outcome<void> outcome;
  sqlite::each_row(database,
                   "SELECT type || ' ' || name || ' ' || coalesce(sql, '') FROM sqlite_schema ORDER BY type, name "
                   "LIMIT ?",
                   kMost, outcome, [&](sqlite::Statement& row) { shape.push_back(row.text()); });
  if (!outcome) return tl::make_unexpected(outcome.error());
  return shape;
}

sqlite::Outcome<std::vector<std::string>> usual_shape() {
  auto usual = Database::open(":memory:", Database::Access::own);
  if (!usual) return tl::make_unexpected(usual.error());
  if (auto made = usual->execute(kTables); !made) return tl::make_unexpected(made.error());
  return shape_of(*usual);
}

}  // namespace

const Member* Manifest::find(std::string_view name) const {
  const auto found = std::ranges::find(members, name, [](const Member& m) -> std::string_view { return m.name; });
  return found == members.end() ? nullptr : &*found;
}

Result<ArchiveWriter> ArchiveWriter::create(std::string path) {
  std::error_code error;
  if (std::filesystem::exists(std::filesystem::symlink_status(path, error))) {
    return fail(Errc::already_exists, fmt::format("{} is there already: name another file, or remove it", path));
  }
  std::string partial = fmt::format("{}.partial-{}", path, ::getpid());
  {
    const NewFile made(partial, kMode);
    if (made.descriptor() < 0) return tl::make_unexpected(system_error(partial, errno));
  }
  auto database = Database::open(partial, Database::Access::own);
  if (!database) return tl::make_unexpected(told(partial, database.error()));
  ArchiveWriter writer(std::move(path), std::move(partial), std::move(*database));
  if (auto done = writer.database_->execute(kTables); !done) {
    return tl::make_unexpected(told(writer.partial_, done.error()));
  }
  return writer;
}

ArchiveWriter::~ArchiveWriter() {
  if (!database_) return;
  database_.reset();
  std::error_code error;
  std::filesystem::remove(partial_, error);
  std::filesystem::remove(scratch_path(), error);
}

Result<std::string> ArchiveWriter::scratch() const {
  std::string path = scratch_path();
  std::error_code error;
  std::filesystem::remove(path, error);
  const NewFile made(path, kMode);
  if (made.descriptor() < 0) return tl::make_unexpected(system_error(path, errno));
  return path;
}

Result<void> ArchiveWriter::add(const std::string& name, const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return tl::make_unexpected(system_error(file, errno));
  Digest digest;
  Member member{.name = name, .size = 0, .sha256 = {}};
  Script script(*database_);
  std::string piece(kPiece, '\0');
  for (std::int64_t number = 0;; ++number) {
    in.read(piece.data(), static_cast<std::streamsize>(piece.size()));
    const auto length = static_cast<std::size_t>(in.gcount());
    if (length == 0) break;
    const std::span<const char> bytes(piece.data(), length);
    digest.add(bytes);
    member.size += length;
    const auto* data = reinterpret_cast<const std::uint8_t*>(bytes.data());
    script.run("INSERT INTO piece VALUES (?, ?, ?)", name, number, std::span<const std::uint8_t>(data, length));
  }
  if (in.bad()) return tl::make_unexpected(system_error(file, EIO));
  member.sha256 = digest.text();
  script.run("INSERT INTO member VALUES (?, ?, ?)", member.name, member.size, member.sha256);
  if (!script.outcome) return tl::make_unexpected(told(partial_, script.outcome.error()));
  members_.push_back(std::move(member));
  return {};
}

Result<Manifest> ArchiveWriter::finish(Manifest about) {
  Script script(*database_);
  script.run("INSERT INTO manifest VALUES (?, ?, ?, ?)", about.program, about.host, about.made, about.configured_in);
  if (script.outcome) {
    script.outcome = database_->execute(
        fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {}", kApplication, kVersion).c_str());
  }
  if (!script.outcome) return tl::make_unexpected(told(partial_, script.outcome.error()));
  if (auto flushed = flush(partial_); !flushed) return tl::make_unexpected(flushed.error());
  if (!give_name(partial_, path_)) return tl::make_unexpected(system_error(path_, errno));
  const auto folder = std::filesystem::path(path_).parent_path();
  static_cast<void>(flush(folder.empty() ? "." : folder.string()));
  about.members = std::move(members_);
  return about;  // another name, where it has one, goes with the writer
}

Result<Archive> Archive::open(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) {
    if (error) return tl::make_unexpected(system_error(path, error.value()));
    return fail(Errc::not_found, fmt::format("there is no {}", path));
  }
  auto database = Database::open(path, Database::Access::read);
  if (!database) return tl::make_unexpected(told(path, database.error()));
  Archive archive(path, std::move(*database));
  for (const auto step : {&Archive::check_kind, &Archive::check_shape, &Archive::read_manifest}) {
    if (auto done = (archive.*step)(); !done) return tl::make_unexpected(done.error());
  }
  if (auto checked = archive.check_members(); !checked) return tl::make_unexpected(checked.error());
  for (const Member& member : archive.manifest_.members) {
    auto read = archive.each_piece(member, [](std::string_view) { return Result<void>(); });
    if (!read) return tl::make_unexpected(read.error());
  }
  return archive;
}

// Nothing in it may be run or be large, whoever made it. From here on it is read as it stands now.
Result<void> Archive::check_kind() {
  database_.bound_values(kLongestRow);
  const auto begun = database_.execute("PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; BEGIN");
  if (!begun) return damaged(path_, begun.error().error.message);
  const auto application = database_.integer("PRAGMA application_id");
  if (!application) return damaged(path_, application.error().error.message);
  if (*application != kApplication) return damaged(path_, "it is no archive of gpukeeper backup");
  const auto version = database_.integer("PRAGMA user_version");
  if (!version) return damaged(path_, version.error().error.message);
  if (*version <= kVersion) return {};
  return fail(Errc::not_supported, fmt::format("{} was made by a newer gpukeeper (version {}, this one knows {})",
                                               path_, *version, kVersion));
}

Result<void> Archive::check_shape() {
  const auto shape = shape_of(database_);
  if (!shape) return damaged(path_, shape.error().error.message);
  const auto usual = usual_shape();
  if (!usual) return tl::make_unexpected(told(path_, usual.error()));
  if (*shape != *usual) return damaged(path_, "it has other tables than a backup has");
  return {};
}

Result<void> Archive::read_manifest() {
  sqlite::Outcome<void> outcome;
  bool there = false;
  sqlite::each_row(database_, "SELECT program, host, made_ns, configured_in FROM manifest LIMIT ?", 1, outcome,
                   [&](sqlite::Statement& row) {
                     there = true;
                     manifest_.program = row.text();
                     manifest_.host = row.text();
                     manifest_.made = sqlite::wall_time(row.integer());
                     manifest_.configured_in = row.text();
                   });
  constexpr std::int64_t kMost = 64;
  sqlite::each_row(database_, "SELECT name, size, sha256 FROM member ORDER BY name LIMIT ?", kMost, outcome,
                   [&](sqlite::Statement& row) {
                     Member member{.name = row.text(), .size = 0, .sha256 = {}};
                     member.size = row.number();
                     member.sha256 = row.text();
                     manifest_.members.push_back(std::move(member));
                   });
  if (!outcome) return damaged(path_, outcome.error().error.message);
  if (!there) return damaged(path_, "it has no manifest");
  return {};
}

// Their names lead nowhere else, and they are no more than there is room for in the file: pages that stand for several
// pieces could make any size of it.
Result<void> Archive::check_members() const {
  const auto known = kept_files();
  std::error_code error;
  std::uintmax_t room = std::filesystem::file_size(path_, error);
  if (error) return tl::make_unexpected(system_error(path_, error.value()));
  for (const Member& member : manifest_.members) {
    if (member.name != Restoring::kConfiguration && std::ranges::find(known, member.name) == known.end()) {
      return damaged(path_, "it has a file that no backup has");
    }
    if (member.size > room) return damaged(path_, fmt::format("{} in it is said to be larger than it is", member.name));
    room -= member.size;
  }
  return {};
}

// What is stored of a member, piece by piece, and at the end whether it was all.
Result<void> Archive::each_piece(const Member& member, const TakePiece& take) {
  auto query = database_.prepare("SELECT data FROM piece WHERE member = ? ORDER BY number");
  if (!query) return damaged(path_, query.error().error.message);
  query->bind(std::string_view(member.name));
  Digest digest;
  std::uint64_t size = 0;
  for (;;) {
    const auto row = query->step();
    if (!row) return damaged(path_, row.error().error.message);
    if (!*row) break;
    const std::string bytes = query->text();
    size += bytes.size();
    if (bytes.empty() || size > member.size) {
      return damaged(path_, fmt::format("there is more of {} in it than it says", member.name));
    }
    digest.add(bytes);
    if (auto taken = take(bytes); !taken) return taken;
  }
  if (size != member.size) return damaged(path_, fmt::format("a part of {} in it is missing", member.name));
  if (digest.text() != member.sha256)
    return damaged(path_, fmt::format("{} in it was changed or damaged", member.name));
  return {};
}

Result<void> Archive::extract(const Member& member, const std::string& file) {
  const NewFile made(file, kExtractedMode);
  if (made.descriptor() < 0) return tl::make_unexpected(system_error(file, errno));
  auto read = each_piece(member, [&](std::string_view bytes) { return write_all(made.descriptor(), bytes, file); });
  if (!read) return read;
  if (::fsync(made.descriptor()) != 0) return tl::make_unexpected(system_error(file, errno));
  return {};
}

Result<std::string> Archive::text(const Member& member) {
  if (member.size > Files::kMaxFileBytes) {
    return fail(Errc::resource_exhausted,
                fmt::format("{} in {} is larger than {} bytes", member.name, path_, std::size_t{Files::kMaxFileBytes}));
  }
  std::string text;
  auto read = each_piece(member, [&](std::string_view bytes) {
    text += bytes;
    return Result<void>();
  });
  if (!read) return tl::make_unexpected(read.error());
  return text;
}

}  // namespace gpukeeper::backup
