#include "config/session_options.hpp"

#include <memory>
#include <utility>

#include "classify/classifier.hpp"

namespace gpukeeper::config {

Result<SessionOptions> session_options(const Settings& settings, bool attribute) {
  SessionOptions session;
  EngineOptions& engine = session.engine;
  engine.sampler.period = settings.engine.sample_interval;
  engine.sampler.processes = settings.process_monitoring;
  engine.governor = settings.engine.governor;
  engine.andon = settings.engine.andon;
  engine.history = settings.engine.history;
  engine.history.interval = settings.engine.governor.monitor_interval;
  engine.attribute = attribute;
  if (attribute && settings.rules) {
    auto classifier = Classifier::load(*settings.rules);
    if (!classifier) return tl::make_unexpected(classifier.error());
    engine.classifier = std::make_shared<const Classifier>(std::move(*classifier));
  }
  return session;
}

}  // namespace gpukeeper::config
