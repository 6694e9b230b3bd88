#pragma once

#include <string>

#include "cli/render.hpp"
#include "format/alerts_json.hpp"

namespace gpukeeper::cli {

/// What a page of alerts is made of.
struct AlertsView {
  AlertsDocument document;
  bool all = false;        ///< pending and resolved ones stand in it, too
  std::size_t others = 0;  ///< so many that pend, where they do not
  std::string watched;     ///< what was watched, for how long: "2 GPUs, for 10 min"
};

/// What fires, where, since when, and what to do; that all is well, else.
std::string render_alerts(const AlertsView& view, const RenderOptions& options);

std::string render_silences(const SilenceList& silences, const RenderOptions& options);

/// The table of rules.
std::string render_alert_rules(const RenderOptions& options);

}  // namespace gpukeeper::cli
