#include "backup/backup.hpp"

#include <filesystem>
#include <system_error>

#include <fmt/format.h>

#include "engine/restoring.hpp"
#include "engine/state_dir.hpp"

namespace gpukeeper::backup {
namespace {

namespace fs = std::filesystem;

const std::string kConfiguration{Restoring::kConfiguration};

// As it stands at one moment, whoever writes it meanwhile.
Result<void> copy_database(const std::string& from, const std::string& to) {
  auto database = sqlite::Database::open(from, sqlite::Database::Access::read);
  auto copied = database ? database->copy_to(to) : tl::make_unexpected(database.error());
  if (copied) return {};
  return fail(copied.error().error.code, fmt::format("{}: {}", from, copied.error().error.message));
}

Result<void> gather(Archive& archive, const std::string& folder) {
  for (const Member& member : archive.manifest().members) {
    if (auto done = archive.extract(member, folder + "/" + member.name); !done) return done;
  }
  return {};
}

}  // namespace

Result<Manifest> back_up(const BackupOptions& options) {
  auto archive = ArchiveWriter::create(options.file);
  if (!archive) return tl::make_unexpected(archive.error());
  bool any = false;
  std::error_code error;
  for (const std::string& name : kept_files()) {
    const std::string file = options.state + "/" + name;
    if (!fs::exists(file, error)) continue;
    const auto scratch = archive->scratch();
    if (!scratch) return tl::make_unexpected(scratch.error());
    if (auto copied = copy_database(file, *scratch); !copied) return tl::make_unexpected(copied.error());
    if (auto added = archive->add(name, *scratch); !added) return tl::make_unexpected(added.error());
    any = true;
  }
  const bool configured = !options.configuration.empty() && fs::exists(options.configuration, error);
  if (configured) {
    if (auto added = archive->add(kConfiguration, options.configuration); !added) {
      return tl::make_unexpected(added.error());
    }
    any = true;
  }
  if (!any) {
    return fail(Errc::not_found,
                fmt::format("there is nothing to be kept in {}: name the folder with --state-dir", options.state));
  }
  return archive->finish({.program = options.program,
                          .host = options.host,
                          .made = options.now,
                          .configured_in = configured ? options.configuration : "",
                          .members = {}});
}

Result<Manifest> restore(const RestoreOptions& options) {
  auto archive = Archive::open(options.file);
  if (!archive) return tl::make_unexpected(archive.error());
  const Manifest& manifest = archive->manifest();
  auto owned = StateDirectory::claim(options.state);
  if (!owned) return tl::make_unexpected(owned.error());
  const Restoring restoring(options.state);
  const auto folder = restoring.begin();
  if (!folder) return tl::make_unexpected(folder.error());
  if (auto gathered = gather(*archive, *folder); !gathered) {
    restoring.abandon();
    return tl::make_unexpected(gathered.error());
  }
  const bool configures = manifest.find(kConfiguration) && !options.configuration.empty();
  if (auto done = restoring.commit(configures ? options.configuration : ""); !done) {
    restoring.abandon();
    return tl::make_unexpected(done.error());
  }
  return manifest;
}

}  // namespace gpukeeper::backup
