#include "telemetry/history_block.hpp"

#include <bit>

namespace gpukeeper {
namespace {

using std::chrono::milliseconds;

MonotonicTime moment(milliseconds at) {
  return MonotonicTime(at);
}

double number(std::uint64_t word, bool whole) {
  return whole ? static_cast<double>(word) : std::bit_cast<double>(word);
}

}  // namespace

void OpenBlock::add(const HistoryRow& row) {
  if (times_.capacity() < kTicks) {  // once, and after a rest
    times_.reserve(kTicks);
    present_.reserve(kTicks);
    words_.reserve(kTicks * metrics_);
  }
  times_.push_back(row.at);
  present_.push_back(row.present);
  words_.insert(words_.end(), row.words.begin(), row.words.end());
}

void OpenBlock::clear() {
  times_.clear();
  present_.clear();
  words_.clear();
}

void OpenBlock::release() {
  *this = OpenBlock(metrics_);
}

std::size_t OpenBlock::bytes() const {
  return times_.capacity() * sizeof(milliseconds) + (present_.capacity() + words_.capacity()) * sizeof(std::uint64_t);
}

std::optional<milliseconds> OpenBlock::last() const {
  return times_.empty() ? std::nullopt : std::optional(times_.back());
}

std::optional<std::uint64_t> OpenBlock::word(std::size_t tick, std::size_t metric) const {
  if ((present_[tick] >> metric & 1) == 0) return std::nullopt;
  return words_[tick * metrics_ + metric];
}

void OpenBlock::read(std::size_t metric, bool whole, MonotonicTime from, MonotonicTime to,
                     std::vector<TimedValue>& out) const {
  for (std::size_t tick = 0; tick < times_.size(); ++tick) {
    const MonotonicTime at = moment(times_[tick]);
    if (at < from || at >= to) continue;
    if (const auto value = word(tick, metric)) out.push_back({at, number(*value, whole)});
  }
}

HistoryBlock::HistoryBlock(const OpenBlock& open, std::span<const StoredMetric> metrics)
    : first_(open.times().front()), last_(open.times().back()), size_(open.size()) {
  std::vector<std::optional<std::uint64_t>> wholes(size_);
  std::vector<std::optional<double>> reals(size_);
  PackedBytes packed;
  for (std::size_t i = 0; i < size_; ++i) wholes[i] = static_cast<std::uint64_t>((open.times()[i] - first_).count());
  pack(wholes, packed);
  ends_.push_back(static_cast<std::uint32_t>(packed.size()));
  for (std::size_t metric = 0; metric < metrics.size(); ++metric) {
    for (std::size_t i = 0; i < size_; ++i) {
      wholes[i] = open.word(i, metric);
      reals[i] = wholes[i] ? std::optional(std::bit_cast<double>(*wholes[i])) : std::nullopt;
    }
    if (metrics[metric].whole) {
      pack(wholes, packed);
    } else {
      pack(reals, packed);
    }
    ends_.push_back(static_cast<std::uint32_t>(packed.size()));
  }
  packed_.assign(packed.begin(), packed.end());  // without the room that growing left
}

std::size_t HistoryBlock::bytes() const {
  return sizeof(*this) + packed_.capacity() + ends_.capacity() * sizeof(std::uint32_t);
}

std::span<const std::uint8_t> HistoryBlock::column(std::size_t index) const {
  const std::size_t begin = index == 0 ? 0 : ends_[index - 1];
  return std::span(packed_).subspan(begin, ends_[index] - begin);
}

void HistoryBlock::read(std::size_t metric, bool whole, MonotonicTime from, MonotonicTime to,
                        std::vector<TimedValue>& out) const {
  const auto times = unpack_wholes(column(0), size_);
  const auto append = [&](const auto& values) {
    for (std::size_t i = 0; i < size_; ++i) {
      const MonotonicTime at = moment(first_ + milliseconds(static_cast<std::int64_t>(*times[i])));
      if (values[i] && at >= from && at < to) out.push_back({at, static_cast<double>(*values[i])});
    }
  };
  if (whole) {
    append(unpack_wholes(column(metric + 1), size_));
  } else {
    append(unpack_reals(column(metric + 1), size_));
  }
}

}  // namespace gpukeeper
