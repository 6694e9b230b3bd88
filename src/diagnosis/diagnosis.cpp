#include "diagnosis/diagnosis.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/display_text.hpp"
#include "diagnosis/answers.hpp"
#include "diagnosis/summary.hpp"
#include "diagnosis/words.hpp"
#include "format/columns.hpp"

namespace gpukeeper {
namespace {

struct TopicRow {
  Topic topic;
  std::string_view name;
  std::string_view question;
  Diagnosis (*explain)(const diagnosis::Subject&);
};

constexpr TopicRow kTopics[] = {
    {Topic::fan, "fan", "Why is the fan running?", diagnosis::explain_fan},
    {Topic::slow, "slow", "Why is it slow?", diagnosis::explain_slow},
    {Topic::hot, "hot", "Is it too hot?", diagnosis::explain_hot},
    {Topic::busy, "busy", "Who keeps it busy?", diagnosis::explain_busy},
    {Topic::memory, "memory", "Is there room in its memory?", diagnosis::explain_memory},
};

std::vector<Diagnosis> answers_for(const diagnosis::Subject& subject, std::optional<Topic> topic) {
  std::vector<Diagnosis> answers;
  for (const TopicRow& row : kTopics) {
    if (topic && row.topic != *topic) continue;
    Diagnosis answer = row.explain(subject);
    const bool unasked = !topic && row.topic != Topic::fan && row.topic != Topic::slow;
    if (unasked && answer.tone < Tone::notice) continue;
    answers.push_back(std::move(answer));
  }
  return answers;
}

}  // namespace

std::string_view to_string(Topic topic) {
  for (const TopicRow& row : kTopics) {
    if (row.topic == topic) return row.name;
  }
  return "availability";
}

std::string_view question(Topic topic) {
  for (const TopicRow& row : kTopics) {
    if (row.topic == topic) return row.question;
  }
  return "Is it there?";
}

std::vector<std::string_view> topic_names() {
  std::vector<std::string_view> names;
  for (const TopicRow& row : kTopics) names.push_back(row.name);
  return names;
}

Result<Topic> parse_topic(std::string_view name) {
  for (const TopicRow& row : kTopics) {
    if (row.name == name) return row.topic;
  }
  return fail(Errc::invalid_argument,
              fmt::format("why does not know '{}': it answers for {}", harmless(name), fmt::join(topic_names(), ", ")));
}

std::string_view to_string(Tone tone) {
  switch (tone) {
    case Tone::good: return "good";
    case Tone::plain: return "plain";
    case Tone::notice: return "notice";
    case Tone::bad: return "bad";
  }
  return "plain";
}

DiagnosisReport diagnose(const Snapshot& snapshot, std::optional<Topic> topic) {
  DiagnosisReport report;
  const auto rows = process_rows(snapshot);
  std::vector<diagnosis::Subject> subjects;
  for (const DeviceSnapshot& d : snapshot.devices) {
    const Device& device = *d.device;
    DeviceDiagnosis& result = report.devices.emplace_back();
    result.index = index_text({&d});
    result.uuid = device.id.text;
    result.name = device.partition ? *device.partition : device.name;
    result.simulated = device.simulated;
    result.recorded = device.recorded;
    if (d.available) {
      subjects.emplace_back(snapshot, rows, d);
      result.answers = answers_for(subjects.back(), topic);
      // Such as that it is left alone so that it can fall asleep, and its figures are old.
      if (!d.reason.empty()) result.answers.front().evidence.push_back(diagnosis::sentence(harmless(d.reason)));
    } else {
      result.answers.push_back(diagnosis::explain_availability(d));
    }
    for (const Diagnosis& answer : result.answers) report.tone = std::max(report.tone, answer.tone);
  }
  report.summary = diagnosis::summary_of(subjects, report);
  report.warnings = diagnosis::miner_warnings(rows, snapshot.taken_at);
  if (!report.warnings.empty()) report.tone = Tone::bad;
  return report;
}

}  // namespace gpukeeper
