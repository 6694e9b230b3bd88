#include "backup/backup.hpp"

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/files.hpp"
#include "engine/restoring.hpp"
#include "engine/state_dir.hpp"
#include "fakes/temporary_folder.hpp"
#include "storage/history_keeper.hpp"
#include "storage/sqlite_account_store.hpp"
#include "storage/sqlite_alert_store.hpp"
#include "storage/sqlite_fault_store.hpp"
#include "storage/sqlite_journal.hpp"

namespace gpukeeper::backup {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::StartsWith;

/// From now on the kernel answers these system calls with that error, as a disk does that cannot do it. For good.
void refuse(const std::vector<std::uint32_t>& calls, std::uint32_t error) {
  std::vector<sock_filter> program{BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr))};
  for (const std::uint32_t call : calls) {
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1));
    program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error));
  }
  program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  const sock_fprog filter{.len = static_cast<unsigned short>(program.size()), .filter = program.data()};
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0) {
    std::abort();
  }
}

mode_t mode_of(const std::string& path) {
  struct stat facts {};
  return ::stat(path.c_str(), &facts) == 0 ? facts.st_mode & 07777 : 0;
}

class BackupTest : public testing::Test {
 protected:
  BackupTest() {
    fs::create_directories(state_ + "/simulated");
    put("leases.db", 1);
    put("history.db", 2);
    put("simulated/history.db", 3);
    std::ofstream(settings_) << "temp_normal: 70\n";
  }

  /// A database of ours with that number in it, and a write-ahead log that was not copied back.
  void put(const std::string& name, int number) const {
    const std::string path = state_ + "/" + name;
    fs::remove(path);
    auto database = sqlite::Database::open(path, sqlite::Database::Access::own);
    ASSERT_TRUE(database->execute(
        fmt::format("PRAGMA journal_mode = WAL; CREATE TABLE t (n INTEGER, x BLOB); INSERT INTO t VALUES ({}, "
                    "randomblob(3000000))",
                    number)
            .c_str()));
  }

  int number(const std::string& name, const std::string& folder = "") const {
    const std::string path = (folder.empty() ? state_ : folder) + "/" + name;
    auto database = sqlite::Database::open(path, sqlite::Database::Access::own);
    return database ? static_cast<int>(database->integer("SELECT n FROM t").value_or(-1)) : -1;
  }

  Result<Manifest> back_up() const {
    return backup::back_up({.file = file_,
                            .state = state_,
                            .configuration = settings_,
                            .program = "0.1.0",
                            .host = "node1",
                            .now = WallTime(std::chrono::seconds(1'780'000'000))});
  }
  Result<Manifest> restore(const std::string& state) const {
    return backup::restore({.file = file_, .state = state, .configuration = settings_});
  }
  std::string refusal() const {
    const auto done = restore(state_);
    return done ? "" : done.error().message;
  }
  std::string settings() const { return read_file(settings_, 1000).value_or(""); }
  std::string text(const std::string& name) const { return read_file(state_ + "/" + name, 1000).value_or(""); }

  /// Changes the archive as somebody might who wants to do harm. What SQLite says of it.
  void forge(const char* sql) const {
    auto archive = sqlite::Database::open(file_, sqlite::Database::Access::own);
    const auto done = archive->execute(sql);
    ASSERT_TRUE(done) << done.error().error.message;
  }
  std::string refused(std::string_view why) const {
    return fmt::format("the archive {} cannot be used: {}", file_, why);
  }

  /// A restore that was cut off once it was committed; the settings are to go to that file.
  void cut_off(const std::string& configured_in) const {
    const Restoring restoring(state_);
    const auto folder = restoring.begin();
    ASSERT_TRUE(folder);
    auto archive = Archive::open(file_);
    ASSERT_TRUE(archive) << archive.error().message;
    for (const Member& member : archive->manifest().members) {
      ASSERT_TRUE(archive->extract(member, *folder + "/" + member.name));
    }
    std::ofstream(*folder + "/files") << "leases.db\nhistory.db\nsimulated/history.db\n";
    std::ofstream(*folder + "/configured-in") << configured_in;
    std::ofstream(*folder + "/gpukeeper.yaml.before") << "temp_normal: 60\n";
    fs::rename(*folder, state_ + "/restoring");
  }

  const TemporaryFolder temporary_;
  const std::string state_ = (temporary_.path() / "state").string();
  const std::string settings_ = (temporary_.path() / "gpukeeper.yaml").string();
  const std::string file_ = (temporary_.path() / "saved").string();
};

TEST_F(BackupTest, EverythingComesBackOnAnotherMachineToo) {
  const auto made = back_up();
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(made->members.size(), 4u);
  std::ofstream(settings_) << "temp_normal: 60\n";
  const std::string other = (temporary_.path() / "other").string();
  const auto done = restore(other);
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(done->host, "node1");
  EXPECT_EQ(done->program, "0.1.0");
  EXPECT_EQ(done->made, WallTime(std::chrono::seconds(1'780'000'000)));
  EXPECT_EQ(number("leases.db", other), 1);
  EXPECT_EQ(number("history.db", other), 2);
  EXPECT_EQ(number("simulated/history.db", other), 3);
  EXPECT_FALSE(fs::exists(other + "/faults.db"));
  EXPECT_FALSE(fs::exists(other + "/restoring"));
  EXPECT_EQ(settings(), "temp_normal: 70\n");
}

TEST_F(BackupTest, TheDirectoryIsAsItWasAndWhatWasThereIsKeptAside) {
  ASSERT_TRUE(back_up());
  put("leases.db", 10);
  put("alerts.db", 11);  // was not there
  ASSERT_TRUE(restore(state_));
  EXPECT_EQ(number("leases.db"), 1);
  EXPECT_FALSE(fs::exists(state_ + "/alerts.db"));
  EXPECT_EQ(number("leases.db", state_ + "/before-restore"), 10);
  EXPECT_EQ(number("alerts.db", state_ + "/before-restore"), 11);
}

TEST_F(BackupTest, ADatabaseThatIsWrittenMeanwhileIsCopiedAsOfOneMoment) {
  auto writer = sqlite::Database::open(state_ + "/faults.db", sqlite::Database::Access::own);
  ASSERT_TRUE(writer->execute("PRAGMA journal_mode = WAL; CREATE TABLE a (n INTEGER); CREATE TABLE b (n INTEGER)"));
  std::jthread busy([&](const std::stop_token& stop) {
    for (int i = 0; !stop.stop_requested(); ++i) {
      static_cast<void>(writer->execute("BEGIN; INSERT INTO a VALUES (1); INSERT INTO b VALUES (1); COMMIT"));
    }
  });
  ASSERT_TRUE(back_up());
  busy.request_stop();
  busy.join();
  const std::string other = (temporary_.path() / "other").string();
  ASSERT_TRUE(restore(other));
  auto copy = sqlite::Database::open(other + "/faults.db", sqlite::Database::Access::own);
  EXPECT_EQ(copy->integer("SELECT (SELECT count(*) FROM a) - (SELECT count(*) FROM b)").value_or(-1), 0);
}

TEST_F(BackupTest, AFileThatIsThereIsNotOverwritten) {
  std::ofstream(file_) << "dear";
  const auto made = back_up();
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error(), (Error{Errc::already_exists, file_ + " is there already: name another file, or remove it"}));
  EXPECT_EQ(read_file(file_, 100).value_or(""), "dear");
}

TEST_F(BackupTest, NothingIsLeftOfABackupThatFails) {
  std::ofstream(state_ + "/alerts.db") << std::string(10'000, 'z');
  const auto made = back_up();
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().message, HasSubstr("alerts.db"));
  for (const auto& entry : fs::directory_iterator(temporary_.path())) {
    EXPECT_THAT(entry.path().filename().string(), testing::AnyOf("state", "gpukeeper.yaml"));
  }
}

TEST_F(BackupTest, WhileADaemonOwnsTheDirectoryNothingIsRestored) {
  ASSERT_TRUE(back_up());
  put("leases.db", 10);
  const auto owner = StateDirectory::claim(state_);
  ASSERT_TRUE(owner);
  EXPECT_THAT(refusal(), HasSubstr("is in use by process"));
  EXPECT_EQ(number("leases.db"), 10);
}

TEST_F(BackupTest, NoByteOfAnArchiveMayHaveChanged) {
  ASSERT_TRUE(back_up());
  put("leases.db", 10);
  const auto size = static_cast<std::streamoff>(fs::file_size(file_));
  std::size_t refused = 0;
  for (std::streamoff at = 40; at < size; at += size / 40) {
    const std::string whole = read_file(file_, 1 << 28).value();
    std::string changed = whole;
    changed[static_cast<std::size_t>(at)] = static_cast<char>(changed[static_cast<std::size_t>(at)] ^ 0x55);
    std::ofstream(file_, std::ios::binary) << changed;
    const bool taken = refusal().empty();
    ASSERT_EQ(number("leases.db"), taken ? 1 : 10) << at;  // never another
    if (taken) put("leases.db", 10);
    refused += taken ? 0 : 1;
    std::ofstream(file_, std::ios::binary) << whole;
  }
  EXPECT_GE(refused, 36u);  // what lies between the rows of a page belongs to nobody
}

TEST_F(BackupTest, WhatIsNoArchiveIsRefused) {
  EXPECT_EQ(refusal(), "there is no " + file_);
  std::ofstream(file_) << "not one";
  EXPECT_EQ(refusal(), "the archive " + file_ + " cannot be used: sqlite: file is not a database");
  fs::remove(file_);
  fs::copy(state_ + "/leases.db", file_);
  EXPECT_EQ(refusal(), "the archive " + file_ + " cannot be used: it is no archive of gpukeeper backup");
}

TEST_F(BackupTest, AnArchiveCutShortIsRefused) {
  ASSERT_TRUE(back_up());
  fs::resize_file(file_, fs::file_size(file_) / 2);
  EXPECT_THAT(refusal(), StartsWith("the archive " + file_ + " cannot be used: "));
  EXPECT_EQ(number("leases.db"), 1);
}

TEST_F(BackupTest, ANameThatLeadsElsewhereIsRefused) {
  ASSERT_TRUE(back_up());
  forge(
      "UPDATE member SET name = '../../x' WHERE name = 'leases.db'; "
      "UPDATE piece SET member = '../../x' WHERE member = 'leases.db'");
  EXPECT_EQ(refusal(), refused("it has a file that no backup has"));
}

TEST_F(BackupTest, SettingsThatCannotBeWrittenStopEverything) {
  ASSERT_TRUE(back_up());
  put("leases.db", 10);
  const auto done =
      backup::restore({.file = file_, .state = state_, .configuration = "/proc/there/is/none/gpukeeper.yaml"});
  ASSERT_FALSE(done);
  EXPECT_EQ(number("leases.db"), 10);
  EXPECT_FALSE(fs::exists(state_ + "/restoring"));
  EXPECT_FALSE(fs::exists(state_ + "/restore-new"));
}

// As if the machine had gone down after any of its steps: whoever claims the directory next finishes it.
TEST_F(BackupTest, ACrashInBetweenIsMadeGoodByTheNextOwner) {
  ASSERT_TRUE(back_up());
  for (int placed = 0; placed <= 3; ++placed) {
    put("leases.db", 10);
    put("history.db", 20);
    put("alerts.db", 30);
    const Restoring restoring(state_);
    const auto folder = restoring.begin();
    ASSERT_TRUE(folder);
    auto archive = Archive::open(file_);
    for (const Member& member : archive->manifest().members) {
      ASSERT_TRUE(archive->extract(member, *folder + "/" + member.name));
    }
    std::ofstream(*folder + "/files") << "leases.db\nhistory.db\nsimulated/history.db\n";
    fs::rename(*folder, state_ + "/restoring");
    fs::create_directories(state_ + "/before-restore");
    if (placed > 0) fs::rename(state_ + "/leases.db", state_ + "/before-restore/leases.db");
    if (placed > 1) fs::rename(state_ + "/restoring/leases.db", state_ + "/leases.db");
    if (placed > 2) fs::rename(state_ + "/alerts.db", state_ + "/before-restore/alerts.db");
    ASSERT_TRUE(StateDirectory::claim(state_));
    EXPECT_EQ(number("leases.db"), 1) << placed;
    EXPECT_EQ(number("history.db"), 2) << placed;
    EXPECT_FALSE(fs::exists(state_ + "/alerts.db")) << placed;
    EXPECT_FALSE(restoring.is_unfinished());
  }
}

TEST_F(BackupTest, WhatWasGatheredAndNotCommittedChangesNothing) {
  const Restoring restoring(state_);
  const auto folder = restoring.begin();
  ASSERT_TRUE(folder);
  std::ofstream(*folder + "/leases.db") << "half";
  ASSERT_TRUE(StateDirectory::claim(state_));
  EXPECT_EQ(number("leases.db"), 1);
}

TEST_F(BackupTest, EveryStoreIsKept) {
  for (const char* const name : {SqliteJournal::kFileName, SqliteFaultStore::kFileName, SqliteAlertStore::kFileName,
                                 HistoryKeeper::kFileName, SqliteAccountStore::kFileName}) {
    EXPECT_THAT(kept_files(), testing::Contains(name));
    EXPECT_THAT(kept_files(), testing::Contains(fmt::format("simulated/{}", name)));
  }
}

// What a user who may not look into it sees of another's directory; a link to itself stands for that, as tests may run
// as root.
TEST_F(BackupTest, WhatCannotBeSeenIsNotTakenForWhatIsNotThere) {
  fs::create_symlink("faults.db", state_ + "/faults.db");
  const auto made = back_up();
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().message, "look at " + state_ +
                                      "/faults.db: Too many levels of symbolic links; run it as the user to whom that "
                                      "belongs");
  EXPECT_FALSE(fs::exists(file_));
}

TEST_F(BackupTest, SettingsAloneAreNoBackup) {
  fs::remove_all(state_);
  const auto made = back_up();
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error(), (Error{Errc::not_found,
                                 "there is nothing to be kept in " + state_ + ": name the folder with --state-dir"}));
}

TEST_F(BackupTest, AnArchiveThatWouldEmptyTheDirectoryIsRefused) {
  auto archive = ArchiveWriter::create(file_);
  ASSERT_TRUE(archive->add("gpukeeper.yaml", settings_));
  ASSERT_TRUE(archive->finish({.program = "0.1.0", .host = "node1", .made = {}, .configured_in = "", .members = {}}));
  EXPECT_EQ(refusal(), refused("it has nothing of a state directory, and " + state_ + " would be empty"));
  EXPECT_EQ(number("leases.db"), 1);
}

TEST_F(BackupTest, SettingsThatStayAreNotAmongWhatIsRestored) {
  ASSERT_TRUE(back_up());
  const auto done = backup::restore({.file = file_, .state = state_, .configuration = ""});
  ASSERT_TRUE(done);
  EXPECT_EQ(done->find("gpukeeper.yaml"), nullptr);
  EXPECT_NE(done->find("leases.db"), nullptr);
}

TEST_F(BackupTest, OldSettingsAreKeptAside) {
  ASSERT_TRUE(back_up());
  std::ofstream(settings_) << "temp_normal: 60\n";
  ASSERT_TRUE(restore(state_));
  EXPECT_EQ(settings(), "temp_normal: 70\n");
  EXPECT_EQ(text("before-restore/gpukeeper.yaml"), "temp_normal: 60\n");
}

TEST_F(BackupTest, ARestoreThatFailsLeavesWhatAnEarlierOneKept) {
  ASSERT_TRUE(back_up());
  put("leases.db", 10);
  ASSERT_TRUE(restore(state_));
  put("leases.db", 11);
  ASSERT_FALSE(
      backup::restore({.file = file_, .state = state_, .configuration = "/proc/there/is/none/gpukeeper.yaml"}));
  EXPECT_EQ(number("leases.db"), 11);
  EXPECT_EQ(number("leases.db", state_ + "/before-restore"), 10);
  EXPECT_FALSE(fs::exists(state_ + "/before-restore.old"));
  ASSERT_TRUE(restore(state_));
  EXPECT_EQ(number("leases.db", state_ + "/before-restore"), 11);
  EXPECT_FALSE(fs::exists(state_ + "/before-restore.old"));
}

TEST_F(BackupTest, TheCopyOfLeasesThatAreRestoredIsNotTakenForTheirLoss) {
  fs::remove(state_ + "/leases.db");
  ASSERT_TRUE(back_up());
  put("leases.db", 10);
  std::ofstream(state_ + "/leases.db.good") << "a copy";
  ASSERT_TRUE(restore(state_));
  EXPECT_FALSE(fs::exists(state_ + "/leases.db.good"));
  EXPECT_EQ(text("before-restore/leases.db.good"), "a copy");
}

TEST_F(BackupTest, AServiceThatMayNotWriteItsSettingsStartsAllTheSameAndSaysWhatToType) {
  ASSERT_TRUE(back_up());
  put("leases.db", 10);
  const std::string etc = (temporary_.path() / "etc").string();
  std::ofstream(etc) << "no folder";  // nobody may write a file in it
  const std::string target = etc + "/gpukeeper.yaml";
  cut_off(target);
  ASSERT_TRUE(StateDirectory::claim(state_));
  EXPECT_EQ(number("leases.db"), 1);
  EXPECT_FALSE(fs::exists(state_ + "/restoring"));
  EXPECT_EQ(text("before-restore/gpukeeper.yaml"), "temp_normal: 60\n");
  const std::string waiting = state_ + "/restored-settings";
  EXPECT_EQ(Restoring(state_).notice(),
            fmt::format("a restore was cut off before the settings were in their place, and we may not write there: "
                        "type \"sudo cp '{0}/gpukeeper.yaml' '{1}'\" to have them, or \"sudo rm -r '{0}'\" to leave "
                        "them as they are",
                        waiting, target));
  fs::remove(etc);
  fs::create_directory(etc);
  fs::copy(waiting + "/gpukeeper.yaml", target);
  EXPECT_EQ(Restoring(state_).notice(), "");
  EXPECT_FALSE(fs::exists(waiting));
}

TEST_F(BackupTest, SettingsThatWereNotReachedBeforeACrashAreWrittenByWhoeverMay) {
  ASSERT_TRUE(back_up());
  std::ofstream(settings_) << "temp_normal: 60\n";
  cut_off(settings_);
  ASSERT_TRUE(StateDirectory::claim(state_));
  EXPECT_EQ(settings(), "temp_normal: 70\n");
  EXPECT_EQ(Restoring(state_).notice(), "");
}

TEST_F(BackupTest, RootRestoresForTheUserOfTheService) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root may give files to others";
  constexpr uid_t kUser = 65'531;
  ASSERT_TRUE(back_up());
  fs::permissions(temporary_.path(), fs::perms(0711));
  fs::permissions(settings_, fs::perms(0600));  // the user may not even read it
  ASSERT_EQ(::chown(state_.c_str(), kUser, kUser), 0);
  for (const auto& entry : fs::recursive_directory_iterator(state_)) {
    ASSERT_EQ(::chown(entry.path().c_str(), kUser, kUser), 0);
  }
  put("alerts.db", 11);
  std::ofstream(settings_) << "temp_normal: 60\n";
  const auto done = restore(state_);
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(::geteuid(), 0u);
  EXPECT_EQ(settings(), "temp_normal: 70\n");
  EXPECT_EQ(text("before-restore/gpukeeper.yaml"), "temp_normal: 60\n");
  for (const auto& entry : fs::recursive_directory_iterator(state_)) {
    if (entry.path().filename() == "alerts.db") continue;  // root's own was only moved
    struct stat facts {};
    ASSERT_EQ(::stat(entry.path().c_str(), &facts), 0);
    EXPECT_EQ(facts.st_uid, kUser) << entry.path();
    EXPECT_EQ(facts.st_gid, kUser) << entry.path();
  }
  EXPECT_EQ(mode_of(state_ + "/leases.db"), 0640u);
  EXPECT_EQ(mode_of(state_ + "/before-restore"), 0750u);
  struct stat facts {};
  ASSERT_EQ(::stat(settings_.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_uid, 0u);
}

TEST_F(BackupTest, WhatIsCopiedIsForItsOwnerAloneFromTheBeginning) {
  const mode_t before = ::umask(0);
  const auto archive = ArchiveWriter::create(file_);
  ASSERT_TRUE(archive);
  const auto first = archive->scratch();
  ASSERT_TRUE(first);
  EXPECT_EQ(mode_of(*first), 0600u);
  std::ofstream(temporary_.path() / "dear") << "mine";
  fs::remove(*first);
  fs::create_symlink("dear", *first);
  const auto second = archive->scratch();
  ASSERT_TRUE(second);
  EXPECT_TRUE(fs::is_regular_file(fs::symlink_status(*second)));
  auto source = sqlite::Database::open(state_ + "/leases.db", sqlite::Database::Access::read);
  ASSERT_TRUE(source->copy_to(*second));
  EXPECT_EQ(mode_of(*second), 0600u);
  ::umask(before);
}

TEST_F(BackupTest, ADiskWithoutLinksTakesABackup) {
  const auto without_links = [&] {
    std::vector<std::uint32_t> calls{SYS_linkat};
#ifdef SYS_link
    calls.push_back(SYS_link);
#endif
    refuse(calls, EPERM);
    std::_Exit(back_up() ? 0 : 1);
  };
  EXPECT_EXIT(without_links(), testing::ExitedWithCode(0), "");
  EXPECT_TRUE(restore(state_));
}

TEST_F(BackupTest, ADiskThatCannotRenameWithoutReplacingTakesABackup) {
  const auto without_rename = [&] {
    refuse({SYS_renameat2}, EINVAL);
    std::_Exit(back_up() ? 0 : 1);
  };
  EXPECT_EXIT(without_rename(), testing::ExitedWithCode(0), "");
  EXPECT_TRUE(restore(state_));
}

TEST_F(BackupTest, AForgedArchiveIsRefusedBeforeItCostsMemoryOrRoom) {
  struct Case {
    const char* sql;
    std::string why;
  };
  const std::string tables = "it has other tables than a backup has";
  for (const auto& [sql, why] : {
           Case{"CREATE VIEW more AS SELECT 1", tables},
           Case{"CREATE INDEX other ON member (size)", tables},
           Case{"CREATE TRIGGER t AFTER INSERT ON member BEGIN SELECT 1; END", tables},
           Case{"ALTER TABLE member ADD COLUMN more INTEGER", tables},
           Case{"UPDATE member SET size = 1000000000000 WHERE name = 'leases.db'",
                "leases.db in it is said to be larger than it is"},
           Case{"UPDATE member SET size = -1 WHERE name = 'leases.db'",
                "leases.db in it is said to be larger than it is"},
           Case{"UPDATE member SET size = 10 WHERE name = 'leases.db'",
                "there is more of leases.db in it than it says"},
           Case{"INSERT INTO piece VALUES ('leases.db', 100, x'')", "there is more of leases.db in it than it says"},
           Case{"UPDATE piece SET data = zeroblob(50000000) WHERE member = 'leases.db' AND number = 0",
                "sqlite: string or blob too big"},
           Case{"UPDATE member SET name = 'shadow' WHERE name = 'leases.db'", "it has a file that no backup has"},
           Case{"DELETE FROM manifest", "it has no manifest"},
       }) {
    fs::remove(file_);
    ASSERT_TRUE(back_up());
    forge(sql);
    EXPECT_EQ(refusal(), refused(why)) << sql;
    EXPECT_EQ(number("leases.db"), 1);
  }
}

}  // namespace
}  // namespace gpukeeper::backup
