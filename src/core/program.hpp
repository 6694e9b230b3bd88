#pragma once

#include <chrono>
#include <cstddef>
#include <mutex>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "core/result.hpp"

namespace gpukeeper {

/// What to run and what it may take.
struct ProgramCall {
  std::string path;                    ///< as Programs::find gave it
  std::vector<std::string> arguments;  ///< without the program's own name
  std::chrono::milliseconds deadline{10'000};
  std::size_t output_limit = std::size_t{8} << 20;  ///< of each of its two outputs
  std::string input = {};                           ///< what stands on its standard input; it need not read it
};

struct ProgramOutput {
  int exit_status = 0;  ///< as a shell counts: 128 and the signal's number for one that a signal ended
  std::string out;
  std::string err;
};

/// The other programs of this machine. An interface, so that tests answer for them.
/// Threads: every member may be called from any thread.
class Programs {
 public:
  virtual ~Programs() = default;

  /// The path of a program: `name` itself where it holds a slash, else the first executable of that name in PATH, then
  /// in `also_in`. Errors: not_found, with where it was looked for.
  virtual Result<std::string> find(std::string_view name, const std::vector<std::string>& also_in) const = 0;

  /// Runs it to its end with `input` on its standard input, and collects what it prints. Whatever its exit status: an
  /// Output. A program past its deadline, or above its limit, is killed with everything that it started in its process
  /// group. Errors: not_found or not_permitted when it cannot be started, deadline_exceeded, resource_exhausted for the
  /// output limit, unavailable when a stop was requested meanwhile, or when the last call of the same program was
  /// killed but still hangs in the kernel (a driver that does not answer): a second one would hang beside it.
  virtual Result<ProgramOutput> run(const ProgramCall& call, std::stop_token stop) = 0;
};

/// The machine's own programs.
class RealPrograms final : public Programs {
 public:
  Result<std::string> find(std::string_view name, const std::vector<std::string>& also_in) const override;
  Result<ProgramOutput> run(const ProgramCall& call, std::stop_token stop) override;

 private:
  struct Hanging {
    std::string path;
    pid_t pid = 0;
  };

  std::mutex mutex_;
  std::vector<Hanging> hanging_;  // guarded by mutex_: killed, but not gone yet
};

}  // namespace gpukeeper
