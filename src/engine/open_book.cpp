#include "engine/open_book.hpp"

#include <string>
#include <utility>

#include "booking/pidfd_watch.hpp"
#include "storage/sqlite_journal.hpp"

namespace gpukeeper {
namespace {

/// In place of a journal that cannot be had: knows of nothing and keeps nothing, so that nothing is granted.
class NoJournal final : public Journal {
 public:
  explicit NoJournal(Error why) : why_(std::move(why)) {}

  std::string place() const override { return {}; }
  std::optional<Error> damage() const override { return why_; }
  Result<LedgerMemory> load(std::size_t) override { return LedgerMemory(); }
  Result<void> write(const LedgerChanges&) override { return tl::make_unexpected(why_); }

 private:
  const Error why_;
};

Result<std::unique_ptr<Journal>> open_journal(const StateDirectory* directory, const Sources& sources,
                                              const std::string& boot_id) {
  if (!directory) return std::unique_ptr<Journal>();
  const auto folder = sources.machine ? Result<std::string>(directory->path()) : directory->folder("simulated");
  if (!folder) return tl::make_unexpected(folder.error());
  auto journal = SqliteJournal::open(*folder, boot_id);
  if (!journal) return tl::make_unexpected(journal.error());
  return std::unique_ptr<Journal>(std::move(*journal));
}

Result<std::unique_ptr<Bookkeeper>> try_to_open(const LedgerSettings& settings, const StateDirectory* directory,
                                                const Sources& sources, Clock& clock, const ReplaceWatch& watch) {
  std::string boot_id = boot_id_of_this_machine();
  auto journal = open_journal(directory, sources, boot_id);
  if (!journal) return tl::make_unexpected(journal.error());
  auto owners = PidfdWatch::start();
  if (!owners) return tl::make_unexpected(owners.error());
  std::unique_ptr<OwnerWatch> watching = std::move(*owners);
  if (watch) watching = watch(std::move(watching));
  return Bookkeeper::open(settings, {clock, std::move(*journal), std::move(watching), std::move(boot_id)});
}

}  // namespace

std::unique_ptr<Bookkeeper> open_book(LedgerSettings settings, const StateDirectory* directory, const Sources& sources,
                                      Clock& clock, const ReplaceWatch& watch) {
  auto book = try_to_open(settings, directory, sources, clock, watch);
  if (book) return std::move(*book);
  // Of a book without leases and without owners nothing can fail.
  return Bookkeeper::open(std::move(settings), {clock, std::make_unique<NoJournal>(book.error()), nullptr, {}}).value();
}

}  // namespace gpukeeper
