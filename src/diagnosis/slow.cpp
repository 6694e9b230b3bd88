#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "core/display_text.hpp"
#include "diagnosis/answers.hpp"
#include "diagnosis/words.hpp"

namespace gpukeeper::diagnosis {
namespace {

/// One thing that slows a device down.
struct Finding {
  int weight = 0;  // which of several comes first
  Tone tone = Tone::notice;
  std::string brief;  // "too hot": in the summary of all devices; empty where it does not belong there
  std::string verdict;
  std::vector<std::string> evidence = {};
  std::vector<std::string> advice = {};
};
using Findings = std::vector<Finding>;

constexpr double kFull = 95;            // percent of memory from which allocations begin to fail
constexpr double kWaiting = 50;         // percent of use below which a GPU with work waits for it
constexpr double kOneCore = 90;         // percent of a core from which a process is held by it
constexpr double kLowClock = 0.7;       // of the highest clock
constexpr double kLoweredLimit = 0.97;  // of the usual power limit
constexpr std::size_t kWorthNaming = 4;

bool yes(const Metric<bool>& flag) {
  return flag && *flag;
}

bool some(const Metric<Count>& count) {
  return count && count->value() > 0;
}

bool works(const Subject& subject) {
  return subject.work == Work::busy || subject.work == Work::light ||
         (subject.work == Work::unknown && !subject.workers.empty());
}

Metric<Megahertz> clock_of(const Reading& r) {
  return r.clock_graphics ? r.clock_graphics : r.clock_sm;
}

Metric<Megahertz> clock_max_of(const Reading& r) {
  return r.clock_graphics ? r.clock_graphics_max : r.clock_sm_max;
}

// "It runs at 840 MHz of at most 1410 MHz."
std::vector<std::string> clock_evidence(const Reading& r) {
  const auto now = clock_of(r);
  const auto most = clock_max_of(r);
  if (!now) return {};
  if (!most) return {fmt::format("It runs at {}.", text(*now))};
  return {fmt::format("It runs at {} of at most {}.", text(*now), text(*most))};
}

// "(it is at 92 °C, and its limit is 89 °C)"; without the limit where it is not crossed: another spot is the hot one.
std::string heat_text(const Reading& r) {
  const auto temperature = guarding_temperature(r);
  if (!temperature) return {};
  if (!r.temperature_slowdown || *temperature < *r.temperature_slowdown) {
    return fmt::format(" (it is at {} now)", text(*temperature));
  }
  return fmt::format(" (it is at {}, and its limit is {})", text(*temperature), text(*r.temperature_slowdown));
}

void find_heat(const Reading& r, const ThrottleReasons& reasons, Findings& findings) {
  const std::vector<std::string> cooling{
      "Give it air: clean filters and fans, and look at the chassis's fans and the air that enters.",
      "Until then a lower power limit keeps it cooler."};
  if (reasons.has(Throttle::hardware_thermal) || reasons.has(Throttle::thermal)) {
    findings.push_back({100, Tone::bad, "too hot",
                        fmt::format("It slows itself down because it is too hot{}.", heat_text(r)), clock_evidence(r),
                        cooling});
  } else if (reasons.has(Throttle::software_thermal)) {
    findings.push_back(
        {70, Tone::notice, "held down by heat",
         fmt::format("The driver holds its clocks down so that it does not become too hot{}.", heat_text(r)),
         clock_evidence(r), cooling});
  }
  if (reasons.has(Throttle::thermal_memory)) {
    const std::string how = r.temperature_memory ? fmt::format(" ({})", text(*r.temperature_memory)) : "";
    findings.push_back({95, Tone::bad, "held down by hot memory",
                        fmt::format("It slows itself down because its memory is too hot{}.", how), clock_evidence(r),
                        cooling});
  }
  if (reasons.has(Throttle::thermal_regulator)) {
    findings.push_back({94, Tone::bad, "held down by hot voltage regulators",
                        "It slows itself down because its voltage regulators are too hot.", clock_evidence(r),
                        cooling});
  }
}

void find_brakes(const Reading& r, const ThrottleReasons& reasons, Findings& findings) {
  if (reasons.has(Throttle::hardware_power_brake)) {
    findings.push_back({90,
                        Tone::bad,
                        "braked by the power supply",
                        "The machine's power supply told it to slow down (hardware power brake).",
                        clock_evidence(r),
                        {"Look at the power supplies, their cables and the machine's management log (BMC)."}});
  }
  if (reasons.has(Throttle::prochot)) {
    findings.push_back({88,
                        Tone::bad,
                        "braked by the board",
                        "The board signals that a part of the machine is too hot (PROCHOT), so it slows down.",
                        clock_evidence(r),
                        {"Look at the temperatures of processor, board and power supply."}});
  }
  const bool explained = reasons.has(Throttle::hardware_thermal) || reasons.has(Throttle::hardware_power_brake);
  if (reasons.has(Throttle::hardware_slowdown) && !explained) {
    findings.push_back(
        {85,
         Tone::bad,
         "braked by its hardware",
         "Its hardware slows it down: a temperature, the power supply or the power draw is out of bounds.",
         clock_evidence(r),
         {"Look at its temperature, its power cables and the machine's power supply."}});
  }
}

std::string limit_advice(const Reading& r) {
  if (!r.power_limit || !r.power_limit_max || r.power_limit_max->value() <= r.power_limit->value() + 1) return {};
  return fmt::format(
      "The board allows up to {}: a higher limit makes it faster where power supply and cooling have room.",
      text(*r.power_limit_max));
}

bool limit_is_lowered(const Reading& r) {
  return r.power_limit && r.power_limit_default &&
         r.power_limit->value() < kLoweredLimit * r.power_limit_default->value();
}

void find_power(const Reading& r, const ThrottleReasons& reasons, Findings& findings) {
  if (reasons.has(Throttle::software_power_cap) || reasons.has(Throttle::power)) {
    Finding finding{55, Tone::notice, "at its power limit",
                    "It is at its power limit, so it runs slower than it could.", clock_evidence(r)};
    if (r.power && r.power_limit) {
      finding.verdict = fmt::format("It is at its power limit ({} of {}), so it runs slower than it could.",
                                    text(*r.power), text(*r.power_limit));
    }
    if (limit_is_lowered(r)) {
      finding.weight = 60;
      finding.evidence.push_back(
          fmt::format("That limit was lowered: the default of this board is {}.", text(*r.power_limit_default)));
    } else {
      finding.evidence.emplace_back("Under full load that is usual.");
    }
    if (auto advice = limit_advice(r); !advice.empty()) finding.advice.push_back(std::move(advice));
    findings.push_back(std::move(finding));
  } else if (limit_is_lowered(r)) {
    findings.push_back({5, Tone::plain, "",
                        fmt::format("Its power limit was lowered to {}; the default of this board is {}.",
                                    text(*r.power_limit), text(*r.power_limit_default))});
  }
  constexpr std::array<std::pair<Throttle, std::string_view>, 4> kElectrical{{
      {Throttle::current, "a limit of the electric current"},
      {Throttle::voltage, "a limit of its voltage regulator"},
      {Throttle::reliability, "the highest voltage that is safe for the chip"},
      {Throttle::other, "a reason that its driver has no name for"},
  }};
  for (const auto& [reason, words] : kElectrical) {
    if (reasons.has(reason)) {
      findings.push_back({50, Tone::notice, "held down electrically",
                          fmt::format("Its clocks are held down by {}.", words), clock_evidence(r)});
    }
  }
}

void find_settings(const Subject& subject, const ThrottleReasons& reasons, Findings& findings) {
  const Reading& r = subject.reading;
  const auto now = clock_of(r);
  const auto most = clock_max_of(r);
  const bool low = now && most && now->value() < kLowClock * most->value();
  if (reasons.has(Throttle::sync_boost)) {
    findings.push_back({45, Tone::notice, "held to a slower GPU",
                        "It is held to the clock of the slowest GPU of its group (sync boost).", clock_evidence(r)});
  }
  if (reasons.has(Throttle::application_clocks)) {
    findings.push_back({40, low ? Tone::notice : Tone::plain, "",
                        "Somebody set its clocks (application clocks), and it keeps to them.", clock_evidence(r),
                        subject.is_ours() ? std::vector<std::string>{"`nvidia-smi -rac` gives them back to the driver."}
                                          : std::vector<std::string>{}});
  }
  if (r.performance_state && (*r.performance_state == "low" || *r.performance_state == "manual")) {
    findings.push_back({41, Tone::notice, "set to a low performance level",
                        fmt::format("Somebody set its performance level to '{}'; 'auto' lets the driver choose.",
                                    *r.performance_state)});
  }
  if (low && !reasons.slowed() && !reasons.has(Throttle::application_clocks) && subject.work == Work::busy) {
    Finding finding{
        35,
        Tone::notice,
        "at a low clock",
        fmt::format("Its clock is low for the work it does: {} of at most {}.", text(*now), text(*most)),
        {r.throttle_reasons ? "The driver names no reason for that." : "What limits its clocks is not reported."}};
    if (r.performance_state && r.performance_state->starts_with('P')) {
      finding.evidence.push_back(
          fmt::format("It is in performance state {}; P0 is the fastest.", harmless(*r.performance_state)));
    }
    findings.push_back(std::move(finding));
  }
}

void find_damage(const Reading& r, Findings& findings) {
  if (yes(r.remapped_rows_failed)) {
    findings.push_back({82,
                        Tone::bad,
                        "in need of service",
                        "A row of its memory is broken and could not be replaced.",
                        {},
                        {"The board needs service."}});
  }
  if (some(r.ecc_uncorrected_volatile)) {
    findings.push_back({80,
                        Tone::bad,
                        "hit by memory errors",
                        fmt::format("Its memory had {} that could not be corrected since its driver was loaded.",
                                    counted(r.ecc_uncorrected_volatile->value(), "error", "errors")),
                        {"Work that met one has failed or may be wrong."},
                        {"Reset the GPU, or reboot, when it is idle; if it happens again, the board needs service."}});
  }
  if (yes(r.remapped_rows_pending) || yes(r.retired_pages_pending)) {
    findings.push_back({25,
                        Tone::notice,
                        "",
                        "Worn parts of its memory wait to be taken out of use.",
                        {},
                        {"Reset the GPU, or reboot, when it is idle."}});
  }
}

void find_link(const Subject& subject, Findings& findings) {
  const Reading& r = subject.reading;
  if (r.pcie_width && r.pcie_width_max && r.pcie_width->value() < r.pcie_width_max->value()) {
    findings.push_back(
        {32,
         Tone::notice,
         "on a narrow PCIe link",
         fmt::format(
             "Its PCIe link is narrower than it could be: {} of {} lanes, so data comes more slowly from main memory.",
             r.pcie_width->value(), r.pcie_width_max->value()),
         {},
         {"Put the card into another slot, seat it anew, or look for the slot's setting in the firmware."}});
  }
  if (!r.pcie_generation || !r.pcie_generation_max || r.pcie_generation->value() >= r.pcie_generation_max->value())
    return;
  if (subject.work == Work::busy) {
    findings.push_back(
        {31,
         Tone::notice,
         "on a slow PCIe link",
         fmt::format("Its PCIe link runs at generation {} though it could run at {}, so data comes more slowly from "
                     "main memory.",
                     r.pcie_generation->value(), r.pcie_generation_max->value()),
         {},
         {"Look for the slot's speed in the firmware, and at the riser or cable between board and card."}});
  }
}

void find_memory(const Subject& subject, Findings& findings) {
  const auto share = memory_percent(subject.reading);
  if (!share || share->value() < kFull) return;
  findings.push_back({65,
                      Tone::notice,
                      "nearly out of memory",
                      fmt::format("Its memory is nearly full: {} of {} are in use.", text(*subject.reading.memory_used),
                                  text(*subject.reading.memory_total)),
                      {"Programs then fail to get more, or move data to main memory and back, which is slow."},
                      {"gpukeeper why memory says who holds it."}});
}

std::vector<std::string> names_of(const std::vector<const ProcessRow*>& rows) {
  std::vector<std::string> names;
  for (const ProcessRow* row : rows) {
    if (names.size() == kWorthNaming && rows.size() > kWorthNaming + 1) {
      names.push_back(fmt::format("{} more", rows.size() - kWorthNaming));
      break;
    }
    names.push_back(fmt::format("{} (PID {})", name_text(*row), row->process->pid));
  }
  return names;
}

void find_neighbours(const Subject& subject, Findings& findings) {
  std::vector<const ProcessRow*> computing;
  for (const ProcessRow* row : working(subject)) {
    if (row->process->type.compute || row->process->type.mps) computing.push_back(row);
  }
  if (computing.size() < 2 || !subject.device.partitions.empty() || subject.work != Work::busy) return;
  findings.push_back({20, Tone::plain, "",
                      fmt::format("{} processes share it and wait for each other: {}.", computing.size(),
                                  listed(names_of(computing)))});
}

// The commonest of all: the GPU is not slow, it has nothing to do.
void find_waiting(const Subject& subject, Findings& findings) {
  if (!subject.load || *subject.load >= kWaiting || subject.workers.empty()) return;
  const ProcessRow& first = subject.workers.front();
  if (!first.process->type.compute && !first.process->type.mps) return;
  Finding finding{52, Tone::plain, "waiting for work",
                  fmt::format("The GPU waits for its work: it is only {} busy.", text(Percent(*subject.load)))};
  if (subject.work == Work::idle) finding.verdict = "The GPU waits for work: it has next to nothing to do.";
  const std::string who = who_text(first, subject.snapshot.taken_at);
  const bool serves = first.facts != nullptr && first.facts->classification.kind == ProcessClass::ml_inference;
  if (first.facts != nullptr && first.facts->cpu && first.facts->cpu->value() >= kOneCore) {
    finding.evidence.push_back(fmt::format("{} uses {} of a processor core: most likely it is what cannot keep up.",
                                           who, text(*first.facts->cpu)));
    finding.advice.emplace_back(
        "Prepare data in more processes or ahead of time, so that the GPU always has the next batch.");
  } else if (serves) {
    finding.evidence.push_back(fmt::format("{} serves a model: most likely it waits for requests.", who));
  } else {
    finding.evidence.push_back(fmt::format(
        "{} is what should feed it: most likely it waits for the disk, the network or other processes.", who));
  }
  findings.push_back(std::move(finding));
}

void find_slice(const Subject& subject, Findings& findings) {
  if (!subject.device.device->parent) return;
  findings.push_back({10, Tone::plain, "",
                      fmt::format("It is a part of a GPU ({}) and has only its share of the engines and the memory.",
                                  harmless(subject.device.device->partition.value_or("partition")))});
}

void find_cold_driver(const Subject& subject, Findings& findings) {
  if (!subject.reading.persistence_mode || *subject.reading.persistence_mode || !subject.workers.empty()) return;
  findings.push_back(
      {3,
       Tone::plain,
       "",
       "Persistence mode is off: the next program waits a second or more until the driver has started the GPU.",
       {},
       subject.is_ours() ? std::vector<std::string>{"`sudo nvidia-smi -pm 1` keeps it ready."}
                         : std::vector<std::string>{}});
}

Findings find_all(const Subject& subject) {
  Findings findings;
  const Reading& r = subject.reading;
  const ThrottleReasons reasons = r.throttle_reasons.value_or(ThrottleReasons());
  find_heat(r, reasons, findings);
  find_brakes(r, reasons, findings);
  if (works(subject)) {  // else low clocks are rest, whatever a driver calls them
    find_power(r, reasons, findings);
    find_settings(subject, reasons, findings);
    find_neighbours(subject, findings);
  }
  find_damage(r, findings);
  find_link(subject, findings);
  find_memory(subject, findings);
  find_waiting(subject, findings);
  find_slice(subject, findings);
  find_cold_driver(subject, findings);
  std::ranges::stable_sort(findings, std::ranges::greater(), &Finding::weight);
  return findings;
}

// Nothing was found: what was looked at, and how sure that is.
Diagnosis nothing_slows(const Subject& subject) {
  const Reading& r = subject.reading;
  Diagnosis diagnosis;
  diagnosis.tone = Tone::good;
  if (!works(subject)) {
    diagnosis.verdict = "It has nothing to do now, so there is nothing to slow down.";
    if (r.pcie_generation && r.pcie_generation_max && r.pcie_generation->value() < r.pcie_generation_max->value()) {
      diagnosis.evidence.push_back(
          fmt::format("Its PCIe link rests at generation {} of {}: links slow down while idle and wake with the work.",
                      r.pcie_generation->value(), r.pcie_generation_max->value()));
    }
    if (subject.work == Work::unknown) diagnosis.verdict = "No process uses it, so there is nothing to slow down.";
    return diagnosis;
  }
  diagnosis.evidence = clock_evidence(r);
  if (r.throttle_reasons) {
    diagnosis.verdict =
        subject.load ? fmt::format("Nothing holds it back: it is {}.", load_text(subject)) : "Nothing holds it back.";
  } else {
    diagnosis.tone = Tone::plain;
    diagnosis.verdict = "There is no sign that anything holds it back.";
    diagnosis.evidence.push_back(
        fmt::format("What limits its clocks is not known: {}.", describe(r.throttle_reasons.error())));
  }
  return diagnosis;
}

}  // namespace

Diagnosis explain_slow(const Subject& subject) {
  const Findings findings = find_all(subject);
  constexpr int kIsAnAnswer = 20;  // what weighs less stands below an answer and is none itself
  const bool answered = !findings.empty() && findings.front().weight >= kIsAnAnswer;
  Diagnosis diagnosis = answered ? Diagnosis{} : nothing_slows(subject);
  diagnosis.topic = Topic::slow;
  for (const Finding& finding : findings) {
    if (answered && &finding == &findings.front()) {
      diagnosis.verdict = finding.verdict;
      diagnosis.brief = finding.brief;
    } else {
      diagnosis.evidence.push_back(finding.verdict);
    }
    if (answered) diagnosis.tone = std::max(diagnosis.tone, finding.tone);
    for (const std::string& line : finding.evidence) {
      if (std::ranges::find(diagnosis.evidence, line) == diagnosis.evidence.end()) diagnosis.evidence.push_back(line);
    }
    for (const std::string& line : finding.advice) {
      if (std::ranges::find(diagnosis.advice, line) == diagnosis.advice.end()) diagnosis.advice.push_back(line);
    }
  }
  return diagnosis;
}

}  // namespace gpukeeper::diagnosis
