#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/context.hpp"

namespace gpukeeper::cli {

struct RecordOptions {
  enum class Form { recording, jsonl, csv };
  std::string file;                                ///< "-" is standard output
  std::optional<Form> form;                        ///< else by the file's ending
  std::optional<std::chrono::nanoseconds> length;  ///< of the source's time; else until interrupted
  std::optional<std::chrono::nanoseconds>
      period;                                ///< else `sample_interval`, or the frames of the recording that is played
  bool force = false;                        ///< overwrite the file
  std::optional<std::uint64_t> rotate_size;  ///< of text files: in bytes
  std::optional<std::chrono::nanoseconds> rotate_every;
  std::optional<std::size_t> keep;  ///< rotated files
  bool pack = false;                ///< rotated files
  std::vector<std::string> sources;
};

/// `gpukeeper record FILE`: keeps what the backends say, tick by tick, until it is interrupted, the time is over, or
/// the recording that is played ends. Says at the end how much that was.
Exit record(const RecordOptions& options, Context& context);

}  // namespace gpukeeper::cli
