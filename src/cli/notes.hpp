#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/render.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper::cli {

/// What stands on every line of a device that is not this machine's own: "simulated", "recorded", or nothing.
std::string_view origin(const Device& device);

/// The machine in a heading: its name, and where it was asked when it is not this one: "gpu-box at 10.0.0.5:8737".
std::string machine_words(const Snapshot& snapshot, const RenderOptions& options);

/// The text in lines of the page's width, made harmless, each behind `prefix`.
std::vector<std::string> wrapped(const Span& prefix, const Span& text, const RenderOptions& options);
/// The same with a prefix of its own on the first line; the others' is as wide.
std::vector<std::string> wrapped(const Span& first, const Span& next, const Span& text, const RenderOptions& options);

/// "work should pause", "work should go at half speed", "work should go at 80 % of its speed", "work may go at full
/// speed".
std::string_view advice_words(double speed_multiplier);

/// A sentence about each device that has one; devices that share it share its line: "GPU 0, 2: it sleeps".
using DeviceSentence = std::function<std::string(const DeviceSnapshot&)>;
std::vector<std::string> device_notes(const Snapshot& snapshot, const DeviceSentence& sentence,
                                      const RenderOptions& options);

/// What the sources have to say: why one is not there, and what to do.
std::vector<std::string> source_notes(const Snapshot& snapshot, const RenderOptions& options);

/// How many alerts of this level fire, without those that are silenced.
std::size_t firing(const Snapshot& snapshot, AlertLevel level);

/// That alerts fire, how many, and the worst of them; nothing when none does. What is only for the record does not
/// count, nor what is silenced.
std::vector<std::string> alert_notes(const Snapshot& snapshot, const RenderOptions& options);

}  // namespace gpukeeper::cli
