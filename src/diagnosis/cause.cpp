#include <algorithm>

#include <fmt/format.h>

#include "core/display_text.hpp"
#include "diagnosis/answers.hpp"
#include "diagnosis/words.hpp"
#include "format/human.hpp"

namespace gpukeeper::diagnosis {
namespace {

constexpr double kWarm = 50;  // °C; an idle board in a well aired case stays below it
constexpr std::size_t kLongestCommand = 120;
constexpr std::size_t kNamed = 3;  // processes that are named before the rest is counted

void add_command(Cause& cause, const ProcessRow& row) {
  if (row.facts == nullptr || !row.facts->command_line || row.facts->command_line->empty()) return;
  cause.evidence.push_back(
      fmt::format("It was started as: {}", fit(harmless(*row.facts->command_line), kLongestCommand)));
}

void add_root(Cause& cause, const ProcessRow& row) {
  if (row.facts == nullptr || !row.facts->root || !*row.facts->root) return;
  const InteractiveRoot& root = **row.facts->root;
  const std::string where = root.terminal.empty() ? "" : fmt::format(" on {}", fit(harmless(root.terminal), 20));
  cause.evidence.push_back(
      fmt::format("A person started it from {} (PID {}){}.", fit(harmless(root.name), 20), root.pid, where));
}

// "python3 (…) with 40 %, Xorg (…) with 3 % and 2 more".
std::string named(const std::vector<const ProcessRow*>& rows, WallTime now, bool with_share = true) {
  std::vector<std::string> words;
  for (const ProcessRow* row : rows) {
    if (words.size() == kNamed && rows.size() > kNamed + 1) {
      words.push_back(fmt::format("{} more", rows.size() - kNamed));
      break;
    }
    std::string word = who_text(*row, now);
    if (with_share && row->process->utilization) word += fmt::format(" with {}", text(*row->process->utilization));
    words.push_back(std::move(word));
  }
  return listed(words);
}

std::string processes_unknown(const Subject& subject) {
  return sentence(fmt::format("its processes are not known: {}", harmless(subject.device.processes_reason)));
}

// "3 desktop programs" where all are of one kind, else "3 processes".
std::string of_kind(const std::vector<const ProcessRow*>& rows) {
  const auto kind_of = [](const ProcessRow* row) {
    return row->facts == nullptr ? ProcessClass::unknown : row->facts->classification.kind;
  };
  const ProcessClass kind = kind_of(rows.front());
  const bool same = std::ranges::all_of(rows, [&](const ProcessRow* row) { return kind_of(row) == kind; });
  if (!same || kind == ProcessClass::unknown) return counted(rows.size(), "process", "processes");
  return counted(rows.size(), fmt::format("{} process", class_text(kind)),
                 fmt::format("{} processes", class_text(kind)));
}

Cause work_of_one(const Subject& subject) {
  constexpr double kNearlyAll = 0.9;
  const ProcessRow& row = subject.workers.front();
  const auto share = row.process->utilization;
  Cause cause;
  const std::string who = who_text(row, subject.snapshot.taken_at);
  const bool all_of_it = !share || !subject.load || share->value() >= kNearlyAll * *subject.load;
  const std::string does =
      all_of_it ? fmt::format("keeps the GPU {}", load_text(subject))
                : fmt::format("uses {} of the GPU ({} in all)", text(*share), text(Percent(*subject.load)));
  cause.because = fmt::format("most likely because of {}, which {}", who, does);
  cause.alone = fmt::format("{} {}.", who, does);
  add_command(cause, row);
  add_root(cause, row);
  std::vector<const ProcessRow*> others;
  for (const ProcessRow* each : working(subject)) {
    if (each->process != row.process) others.push_back(each);
  }
  const bool explained = share && all_of_it;  // then nobody else had a part in it
  if (!others.empty() && !explained)
    cause.others.push_back(fmt::format("work of {}", named(others, subject.snapshot.taken_at)));
  return cause;
}

Cause work_of_many(const Subject& subject, const std::vector<const ProcessRow*>& rows) {
  Cause cause;
  const bool told = rows.front()->process->utilization.has_value();
  const std::string who = of_kind(rows);
  cause.because = fmt::format("most likely because of {}, which together keep the GPU {}", who, load_text(subject));
  cause.alone = fmt::format("{} together keep the GPU {}.", who, load_text(subject));
  cause.evidence.push_back(fmt::format("They are {}.", named(rows, subject.snapshot.taken_at)));
  if (!told) cause.evidence.emplace_back("How much each of them works is not reported.");
  return cause;
}

Cause work_of_nobody_seen(const Subject& subject) {
  Cause cause;
  if (!subject.sees_processes()) {
    const std::string state = fmt::format("the GPU is {}; whose work that is cannot be seen", load_text(subject));
    cause.because = fmt::format("because {}", state);
    cause.alone = sentence(state);
    cause.evidence.push_back(processes_unknown(subject));
    if (subject.is_ours()) cause.advice.emplace_back("Ask again as root, or let gpukeeper doctor say how to see them.");
    return cause;
  }
  const std::string state =
      fmt::format("the GPU is {}, though no process that does it can be seen", load_text(subject));
  cause.because = fmt::format("because {}", state);
  cause.alone = sentence(state);
  cause.others = {"a process in a container or pid namespace that hides it", "one that ended a moment ago",
                  "the driver's own work"};
  return cause;
}

// What is there and does nothing; in `idle` who that is, in words that follow "though".
std::string idle_processes(const Subject& subject, Cause& cause) {
  if (!subject.sees_processes()) {
    cause.evidence.push_back(processes_unknown(subject));
    return "nothing works on it";
  }
  if (subject.workers.empty()) return "no process uses it";
  std::vector<const ProcessRow*> all;
  for (const ProcessRow& row : subject.workers) all.push_back(&row);
  cause.evidence.push_back(fmt::format("{}: {}.",
                                       all.size() == 1 ? "One process is there and does next to nothing now"
                                                       : "Processes are there and do next to nothing now",
                                       named(all, subject.snapshot.taken_at, false)));
  return "nothing works on it";
}

// Nothing works: what remains is warmth, and what a board does by itself.
Cause no_work(const Subject& subject) {
  Cause cause;
  const auto temperature = guarding_temperature(subject.reading);
  const std::string idle = idle_processes(subject, cause);
  if (temperature && temperature->value() >= kWarm) {
    cause.because = fmt::format("because the GPU is still at {}, though {} now", text(*temperature), idle);
    cause.alone = fmt::format("The GPU is still at {}, though {} now.", text(*temperature), idle);
    cause.others = {"work that ended a while ago", "warm air in the case or from a card beside it"};
  } else if (temperature) {
    cause.because = fmt::format("though the GPU is cool ({}) and {}: most likely its board never lets it turn slower",
                                text(*temperature), idle);
    cause.alone = fmt::format("The GPU is cool ({}) and {}.", text(*temperature), idle);
    cause.others = {"background activity of the driver", "a fan speed that somebody set by hand"};
  } else {
    cause.because = fmt::format("though {}, as far as can be seen; the GPU's temperature is not reported", idle);
    cause.alone = fmt::format("Its temperature is not reported, and {} now.", idle);
    cause.others = {"warmth that no sensor tells", "a board that never lets its fan turn slower"};
  }
  return cause;
}

// A desktop's drawing and the like, too little to warm the board.
Cause little_work(const Subject& subject, Celsius temperature) {
  Cause cause;
  const auto rows = working(subject);
  const std::string state = fmt::format("the GPU is cool ({}) and hardly used ({} of the time)", text(temperature),
                                        text(Percent(*subject.load)));
  cause.because = fmt::format("though {}: most likely its board never lets it turn slower", state);
  cause.alone = sentence(state);
  if (!rows.empty()) {
    cause.evidence.push_back(fmt::format("The little it does is for {}.", named(rows, subject.snapshot.taken_at)));
  } else if (!subject.sees_processes()) {
    cause.evidence.push_back(processes_unknown(subject));
  }
  cause.others = {"a fan speed that somebody set by hand"};
  return cause;
}

// Neither its use nor its power tells whether it works.
Cause unknown_work(const Subject& subject) {
  Cause cause;
  const auto temperature = guarding_temperature(subject.reading);
  const auto rows = working(subject);
  if (!rows.empty()) {
    const std::string who = of_kind(rows);
    cause.because = fmt::format("perhaps because of {}; how busy the GPU is, nobody reports", who);
    cause.alone = fmt::format("{} {} the GPU; how busy it is, nobody reports.", who, rows.size() == 1 ? "uses" : "use");
    cause.evidence.push_back(
        fmt::format("{} {}.", rows.size() == 1 ? "It is" : "They are", named(rows, subject.snapshot.taken_at)));
    if (rows.size() == 1) add_command(cause, *rows.front());
  } else if (temperature) {
    cause.because =
        fmt::format("most likely because the GPU is at {}; how busy it is, nobody reports", text(*temperature));
    cause.alone = fmt::format("The GPU is at {}; how busy it is, nobody reports.", text(*temperature));
  } else {
    cause.because = "and why is not known: the GPU reports neither load nor temperature";
    cause.alone = "The GPU reports neither load nor temperature.";
  }
  if (rows.empty() && !subject.sees_processes()) cause.evidence.push_back(processes_unknown(subject));
  return cause;
}

}  // namespace

Cause cause_of_work(const Subject& subject) {
  if (subject.work == Work::idle) return no_work(subject);
  if (subject.work == Work::unknown) return unknown_work(subject);
  const auto temperature = guarding_temperature(subject.reading);
  if (subject.work == Work::light && temperature && temperature->value() < kWarm)
    return little_work(subject, *temperature);
  if (is_the_worker(subject)) return work_of_one(subject);
  const auto rows = working(subject);
  if (rows.empty()) return work_of_nobody_seen(subject);
  return rows.size() == 1 ? work_of_one(subject) : work_of_many(subject, rows);
}

std::string heat_sentence(const Reading& r) {
  const auto temperature = guarding_temperature(r);
  std::string power;
  if (r.power) power = fmt::format("draws {}", text(*r.power));
  if (r.power && r.power_limit) power += fmt::format(" of at most {}", text(*r.power_limit));
  if (temperature && !power.empty()) return fmt::format("It is at {} and {}.", text(*temperature), power);
  if (temperature) return fmt::format("It is at {}.", text(*temperature));
  return power.empty() ? std::string() : fmt::format("It {}.", power);
}

}  // namespace gpukeeper::diagnosis
