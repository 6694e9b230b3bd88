#include "backend/sysfs/card_devices.hpp"

#include <fmt/format.h>

#include "backend/sysfs/pci_facts.hpp"

namespace gpukeeper {
namespace {

std::string platform_name(const DrmCard& card) {
  const std::string driver = card.driver.empty() ? fmt::format("card{}", card.minor) : card.driver;
  return card.compatible.empty() ? driver + " GPU" : fmt::format("{} GPU ({})", driver, card.compatible);
}

}  // namespace

std::vector<Device> card_devices(const Files& files, DeviceNames& names, std::span<const DrmCard> cards,
                                 std::string_view source, bool recorded) {
  std::vector<NameQuestion> questions;
  for (const auto& card : cards) {
    if (card.vendor_id != 0) questions.push_back({card.vendor_id, card.device_id, std::nullopt, {}});
  }
  const auto answers = names.names(questions);
  auto answer = answers.begin();

  std::vector<Device> devices;
  devices.reserve(cards.size());
  for (const auto& card : cards) {
    Device device;
    add_pci_facts(files, card, device);
    device.name = card.vendor_id != 0 ? *answer++ : platform_name(card);
    device.source = source;
    device.recorded = recorded;
    devices.push_back(std::move(device));
  }
  return devices;
}

}  // namespace gpukeeper
