#pragma once

#include "cli/context.hpp"

namespace gpukeeper::cli {

struct MetricsOptions {
  enum class Form { table, json, markdown };
  Form form = Form::table;
};

/// `gpukeeper metrics`: the metric table as documentation. docs/metrics.md is its --markdown.
Exit metrics(const MetricsOptions& options, Context& context);

}  // namespace gpukeeper::cli
