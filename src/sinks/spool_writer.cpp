#include "sinks/spool_writer.hpp"

#include <utility>

#include <fmt/format.h>

namespace gpukeeper {

SpoolWriter::SpoolWriter(std::unique_ptr<SpoolStore> store) : store_(std::move(store)) {
  const auto text = store_->load();
  if (!text) {
    found_ = fmt::format("what waited cannot be read and is begun anew: {}", text.error().message);
    everything_ = true;
  } else {
    loaded_ = parse_spool(*text);
    added_ = text->size();
    if (loaded_.damaged > 0) {
      found_ = fmt::format("{} damaged line{} of what waited {} left out", loaded_.damaged,
                           loaded_.damaged == 1 ? "" : "s", loaded_.damaged == 1 ? "was" : "were");
    }
    // Half a line at the end would spoil the line that is added next.
    everything_ = loaded_.damaged > 0 || (!text->empty() && text->back() != '\n');
  }
  message_ = found_;
}

bool SpoolWriter::save(SinkQueue& queue) {
  const auto unsaved = queue.take_unsaved(everything_ || added_ > kRewriteAfter);
  if (!unsaved.instead && unsaved.changes.empty()) return true;
  std::string text;
  if (unsaved.instead) text = spool_text(*unsaved.instead);
  for (const SinkQueue::Change& change : unsaved.changes) {
    const auto* const waiting = std::get_if<WaitingNotice>(&change);
    text += waiting ? spool_line(*waiting) : done_line(std::get<std::uint64_t>(change));
  }
  const auto written = unsaved.instead ? store_->replace(text) : store_->append(text);
  everything_ = !written;
  if (!written) {
    say(fmt::format("what waits is kept in memory only: {}", written.error().message));
    return false;
  }
  added_ = unsaved.instead ? 0 : added_ + text.size();
  say(found_);
  return true;
}

std::string SpoolWriter::message() const {
  const std::scoped_lock lock(mutex_);
  return message_;
}

void SpoolWriter::say(std::string text) {
  const std::scoped_lock lock(mutex_);
  message_ = std::move(text);
}

}  // namespace gpukeeper
