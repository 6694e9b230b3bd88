#pragma once

#include <string>

#include "backup/archive.hpp"

namespace gpukeeper::backup {

struct BackupOptions {
  std::string file;           ///< the archive
  std::string state;          ///< the state directory
  std::string configuration;  ///< the file of settings; empty where there is none
  std::string program;        ///< version
  std::string host;
  WallTime now{};
};

/// Puts the settings and all that the state directory keeps (kept_files) into a new archive, with or without a daemon
/// that writes meanwhile: each database as it stood at one moment. What is not there is left out; what cannot be seen
/// is an error. Errors: not_found where the directory has nothing to be kept, settings alone are no backup;
/// not_permitted for who may not look into it; as for ArchiveWriter; as the disk says.
Result<Manifest> back_up(const BackupOptions& options);

struct RestoreOptions {
  std::string file;           ///< the archive
  std::string state;          ///< the state directory; made where it is not there
  std::string configuration;  ///< where the settings go; empty: they stay as they are
};

/// Gives a state directory the files of an archive, and the settings their old text: all of it, or nothing where that
/// fails. What was there is kept in `before-restore/`, the settings, too. Root acts in the directory of another user as
/// that one (ActingAsOwner), and writes the settings as root. What was put back, settings only where they were.
/// Errors: as for Archive::open, before anything is touched; invalid_argument for an archive without a database;
/// unavailable while a daemon owns the directory; as the disk says.
Result<Manifest> restore(const RestoreOptions& options);

}  // namespace gpukeeper::backup
