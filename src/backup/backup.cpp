#include "backup/backup.hpp"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "backup/acting_as_owner.hpp"
#include "core/files.hpp"
#include "core/replace_file.hpp"
#include "engine/restoring.hpp"
#include "engine/state_dir.hpp"

namespace gpukeeper::backup {
namespace {

namespace fs = std::filesystem;

const std::string kConfiguration{Restoring::kConfiguration};

// What cannot be seen is not left out: a restore would take it for what was not there.
Result<bool> is_there(const std::string& path) {
  std::error_code error;
  const bool there = fs::exists(path, error);
  if (!error) return there;
  return fail(errc_from_errno(error.value()),
              fmt::format("look at {}: {}; run it as the user to whom that belongs", path, error.message()));
}

// As it stands at one moment, whoever writes it meanwhile.
Result<void> copy_database(const std::string& from, const std::string& to) {
  auto database = sqlite::Database::open(from, sqlite::Database::Access::read);
  auto copied = database ? database->copy_to(to) : tl::make_unexpected(database.error());
  if (copied) return {};
  return fail(copied.error().error.code, fmt::format("{}: {}", from, copied.error().error.message));
}

Result<void> add_database(ArchiveWriter& archive, const std::string& name, const std::string& file) {
  const auto scratch = archive.scratch();
  if (!scratch) return tl::make_unexpected(scratch.error());
  if (auto copied = copy_database(file, *scratch); !copied) return copied;
  return archive.add(name, *scratch);
}

// How many there were.
Result<std::size_t> add_databases(ArchiveWriter& archive, const std::string& state) {
  std::size_t count = 0;
  for (const std::string& name : kept_files()) {
    const std::string file = state + "/" + name;
    const auto there = is_there(file);
    if (!there) return tl::make_unexpected(there.error());
    if (!*there) continue;
    if (auto added = add_database(archive, name, file); !added) return tl::make_unexpected(added.error());
    ++count;
  }
  return count;
}

// Whether there were any.
Result<bool> add_settings(ArchiveWriter& archive, const std::string& configuration) {
  if (configuration.empty()) return false;
  auto there = is_there(configuration);
  if (!there || !*there) return there;
  if (auto added = archive.add(kConfiguration, configuration); !added) return tl::make_unexpected(added.error());
  return true;
}

bool has_database(const Manifest& manifest) {
  return std::ranges::any_of(manifest.members, [](const Member& member) { return member.name != kConfiguration; });
}

// What the settings are to become; nothing where they stay. Whoever restores writes them, not the state's owner.
Result<std::optional<RestoredSettings>> settings_in(Archive& archive, const std::string& path) {
  const Member* const member = archive.manifest().find(kConfiguration);
  if (!member || path.empty()) return std::optional<RestoredSettings>();
  auto text = archive.text(*member);
  if (!text) return tl::make_unexpected(text.error());
  auto before = read_file(path, Files::kMaxFileBytes);
  if (!before && before.error().code != Errc::not_found) return tl::make_unexpected(before.error());
  RestoredSettings settings{.path = path, .text = std::move(*text), .before = std::nullopt};
  if (before) settings.before = std::move(*before);
  return std::optional(std::move(settings));
}

Result<void> gather(Archive& archive, const std::string& folder) {
  for (const Member& member : archive.manifest().members) {
    if (auto done = archive.extract(member, folder + "/" + member.name); !done) return done;
  }
  return {};
}

Result<void> put_back(Archive& archive, const std::string& state, std::optional<RestoredSettings> settings) {
  const auto owner = ActingAsOwner::of(state);
  if (!owner) return tl::make_unexpected(owner.error());
  const auto owned = StateDirectory::claim(state);
  if (!owned) return tl::make_unexpected(owned.error());
  if (settings) {
    settings->put = [&](const std::string& path, const std::string& text) {
      return owner->aside([&] { return replace_file(path, text); });
    };
  }
  const Restoring restoring(state);
  const auto folder = restoring.begin();
  auto done = folder ? gather(archive, *folder) : tl::make_unexpected(folder.error());
  if (done) done = restoring.commit(settings);
  if (!done) restoring.abandon();
  return done;
}

}  // namespace

Result<Manifest> back_up(const BackupOptions& options) {
  auto archive = ArchiveWriter::create(options.file);
  if (!archive) return tl::make_unexpected(archive.error());
  const auto databases = add_databases(*archive, options.state);
  if (!databases) return tl::make_unexpected(databases.error());
  if (*databases == 0) {
    return fail(Errc::not_found,
                fmt::format("there is nothing to be kept in {}: name the folder with --state-dir", options.state));
  }
  const auto configured = add_settings(*archive, options.configuration);
  if (!configured) return tl::make_unexpected(configured.error());
  return archive->finish({.program = options.program,
                          .host = options.host,
                          .made = options.now,
                          .configured_in = *configured ? options.configuration : "",
                          .members = {}});
}

Result<Manifest> restore(const RestoreOptions& options) {
  auto archive = Archive::open(options.file);
  if (!archive) return tl::make_unexpected(archive.error());
  if (!has_database(archive->manifest())) {
    return fail(Errc::invalid_argument,
                fmt::format("the archive {} cannot be used: it has nothing of a state directory, and {} would be empty",
                            options.file, options.state));
  }
  auto settings = settings_in(*archive, options.configuration);
  if (!settings) return tl::make_unexpected(settings.error());
  Manifest restored = archive->manifest();
  if (!*settings) std::erase_if(restored.members, [](const Member& member) { return member.name == kConfiguration; });
  if (auto done = put_back(*archive, options.state, std::move(*settings)); !done) {
    return tl::make_unexpected(done.error());
  }
  return restored;
}

}  // namespace gpukeeper::backup
