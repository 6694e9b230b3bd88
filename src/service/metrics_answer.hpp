#pragma once

#include <string_view>

#include "prometheus/metrics_text.hpp"
#include "service/http.hpp"

namespace gpukeeper::service {

/// The format that suits an Accept header best: OpenMetrics 1.0 (or 0.0.1, of which it is a part) where it is wanted at
/// least as much as text, else text; without a header, and for whatever else is wanted, too.
prometheus::Syntax wanted_syntax(std::string_view accept);

/// GET /metrics: what Prometheus scrapes; of ?family= only these, names with commas between them.
/// `configured`: what is answered without. 400 for a parameter or a family that there is not, or that is not
/// configured.
Response metrics_answer(const Request& request, const prometheus::MetricFacts& facts,
                        const prometheus::FamilySet& configured);

}  // namespace gpukeeper::service
