#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/context.hpp"
#include "diagnosis/diagnosis.hpp"

namespace gpukeeper::cli {

struct WhyOptions {
  std::optional<Topic> topic;
  std::vector<std::string> devices;  ///< selectors; empty for all
  bool json = false;
  std::string html = {};  ///< a file, or "-"; empty for none
};

/// `gpukeeper why`: why a GPU's fan runs, why it is slow, and so on, in sentences.
Exit why(const WhyOptions& options, Context& context);

/// The page of it. Above kInFull devices only verdicts are given, unless a topic was asked for. Every line ends in a
/// line feed and is at most render.width columns wide.
std::string render_why(const Snapshot& snapshot, const DiagnosisReport& report, const WhyOptions& options,
                       const RenderOptions& render);
inline constexpr std::size_t kInFull = 4;

}  // namespace gpukeeper::cli
