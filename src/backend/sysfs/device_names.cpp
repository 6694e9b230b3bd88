#include "backend/sysfs/device_names.hpp"

#include <algorithm>
#include <set>
#include <tuple>

#include <fmt/format.h>

#include "backend/sysfs/newer_devices.hpp"
#include "core/text.hpp"
#include "device/device.hpp"

namespace gpukeeper {
namespace {

constexpr std::string_view kAmdTable = "/usr/share/libdrm/amdgpu.ids";
constexpr std::string_view kPciTables[] = {"/usr/share/hwdata/pci.ids", "/usr/share/misc/pci.ids"};

using Answers = std::map<NameQuestion, std::string>;

std::optional<std::uint16_t> hex_id(std::string_view text) {
  const auto number = parse_u64(text, 16);
  if (!number || *number > 0xffff) return std::nullopt;
  return static_cast<std::uint16_t>(*number);
}

bool answered(const Answers& answers, const NameQuestion& question) {
  return answers.find(question) != answers.end();
}

/// libdrm's table: lines of "73BF,	C0,	AMD Radeon RX 6900 XT": device, revision, name.
void ask_amd(const Files& files, const std::vector<NameQuestion>& questions, Answers& answers) {
  const auto is_amd = [&](const NameQuestion& q) { return q.vendor == 0x1002 && q.revision; };
  if (std::none_of(questions.begin(), questions.end(), is_amd)) return;
  // A table that is not there answers nothing, which is what its absence means.
  std::ignore = files.each_line(kAmdTable, [&](std::string_view line) {
    if (line.starts_with('#')) return true;
    const auto parts = split(line, ',');
    if (parts.size() < 3) return true;
    const auto device = hex_id(parts[0]);
    const auto revision = hex_id(parts[1]);
    const auto text = trim(line.substr(parts[0].size() + parts[1].size() + 2));
    if (!device || !revision || text.empty()) return true;
    for (const auto& question : questions) {
      if (is_amd(question) && question.device == *device && *question.revision == *revision) {
        answers.emplace(question, text);
      }
    }
    return true;
  });
}

/// pci.ids: a line for a vendor ("1002  Advanced Micro Devices"), below it, after a tab, its devices.
void ask_pci(const Files& files, std::string_view table, const std::vector<NameQuestion>& questions, Answers& answers) {
  std::set<NameQuestion> open;
  for (const auto& question : questions) {
    if (!answered(answers, question)) open.insert(question);
  }
  if (open.empty()) return;
  std::set<std::uint16_t> vendors;
  for (const auto& question : open) vendors.insert(question.vendor);

  std::optional<std::uint16_t> vendor;  // of the lines now read, when it is one that is asked for
  std::ignore = files.each_line(table, [&](std::string_view line) {
    if (line.empty() || line.front() == '#' || line.starts_with("\t\t")) return true;
    if (line.front() != '\t') {
      if (line.starts_with("C ")) return false;  // classes follow the last vendor
      if (vendor) vendors.erase(*vendor);
      vendor = hex_id(line.substr(0, 4));
      if (vendor && vendors.find(*vendor) == vendors.end()) vendor.reset();
      return !vendors.empty();
    }
    if (!vendor || line.size() < 7) return true;
    const auto device = hex_id(line.substr(1, 4));
    const auto text = trim(line.substr(5));
    if (!device || text.empty()) return true;
    std::erase_if(open, [&](const NameQuestion& question) {
      if (question.vendor != *vendor || question.device != *device) return false;
      answers.emplace(question, text);
      return true;
    });
    return !open.empty();
  });
}

std::string_view vendor_word(std::uint16_t vendor) {
  switch (vendor_from_pci(vendor)) {
    case Vendor::nvidia: return "NVIDIA GPU";
    case Vendor::amd: return "AMD GPU";
    case Vendor::intel: return "Intel GPU";
    case Vendor::other: return "GPU";
  }
  return "GPU";
}

}  // namespace

std::vector<std::string> DeviceNames::names(std::span<const NameQuestion> questions) {
  Answers answers;
  std::vector<NameQuestion> open;
  {
    std::scoped_lock lock(mutex_);
    for (const auto& question : questions) {
      const auto known = known_.find(question);
      if (known == known_.end()) {
        open.push_back(question);
      } else {
        answers.insert(*known);
      }
    }
  }
  if (!open.empty()) {
    ask_amd(system_, open, answers);
    for (const auto& question : open) {
      if (!trim(question.product).empty()) answers.emplace(question, trim(question.product));
    }
    for (const auto table : kPciTables) ask_pci(system_, table, open, answers);
    for (const auto& question : open) {
      if (const auto text = newer_device(question.vendor, question.device)) answers.emplace(question, *text);
      answers.emplace(question,
                      fmt::format("{} {:04x}:{:04x}", vendor_word(question.vendor), question.vendor, question.device));
    }
    std::scoped_lock lock(mutex_);
    known_.insert(answers.begin(), answers.end());
  }
  std::vector<std::string> result;
  result.reserve(questions.size());
  for (const auto& question : questions) result.push_back(answers.at(question));
  return result;
}

}  // namespace gpukeeper
