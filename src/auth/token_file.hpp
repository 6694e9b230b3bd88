#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "auth/token.hpp"
#include "core/log.hpp"
#include "core/published.hpp"

namespace gpukeeper::auth {

/// The tokens of a state directory: a file that only its owner may read (mode 0600), although it has hashes alone.
/// Several processes may change it: `gpukeeper token` does beside a daemon that runs.
class TokenFile {
 public:
  explicit TokenFile(std::string_view state_directory);

  const std::string& path() const { return path_; }

  /// No file is no token. Errors: as for Files::read; invalid_argument, with path and place, for a damaged one.
  Result<std::vector<Token>> read() const;

  /// Reads, has it changed and writes it again, all under the file's lock. Makes it and its folder where they are not
  /// there. Errors: those of read(), of `change` and of replace_file.
  using Change = std::function<Result<void>(std::vector<Token>&)>;
  Result<void> change(const Change& change) const;

  /// Different whenever the file is another; the same for none.
  std::string stamp() const;

 private:
  std::string path_;
};

/// The tokens as they are now, for a daemon: a changed file counts from the next look on. Of a damaged one no token
/// counts, which the log says.
/// Threads: any.
class LiveTokens {
 public:
  /// An empty folder: there is nowhere to keep any.
  LiveTokens(std::string_view state_directory, Log& log);

  void look();
  std::shared_ptr<const std::vector<Token>> now() const { return tokens_.read(); }

 private:
  const bool anywhere_;
  const TokenFile file_;
  Log& log_;
  std::mutex looking_;
  std::string stamp_;  // of what was read last; guarded by looking_
  Published<std::vector<Token>> tokens_;
};

}  // namespace gpukeeper::auth
