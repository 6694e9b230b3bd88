#pragma once

#include <memory>
#include <string>

#include "cli/record.hpp"
#include "recording/recorder.hpp"

namespace gpukeeper::cli {

/// Where `record` puts its ticks.
class Sink {
 public:
  virtual ~Sink() = default;

  /// False when the reader has gone. Errors: as writing has them.
  virtual Result<bool> add(const Snapshot& snapshot) = 0;
  virtual Result<void> close() = 0;

  /// "12 KiB in r.gkr"; empty when nothing is to be said.
  virtual std::string summary() const = 0;
};

/// The form that the options ask for, or that the file's ending stands for.
/// Errors: invalid_argument when neither says it, and for options that do not go together.
Result<RecordOptions::Form> form_of(const RecordOptions& options);

/// Makes the file. `recorder` knows what the backends said, `host` is whose GPUs these are, `out` is standard output.
/// Errors: those of form_of; already_exists, and others as making a file has them.
Result<std::unique_ptr<Sink>> open_sink(const RecordOptions& options, std::shared_ptr<recording::Recorder> recorder,
                                        const std::string& host, Output& out);

}  // namespace gpukeeper::cli
