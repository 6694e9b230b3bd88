#include "recording/json.hpp"

#include <array>
#include <random>

#include <gtest/gtest.h>

#include "device/metric_fields.hpp"
#include "device/resolution.hpp"
#include "device/throttle.hpp"

namespace gpukeeper::recording {
namespace {

constexpr Missing kReasons[] = {Missing::not_supported, Missing::not_permitted, Missing::not_yet_read, Missing::asleep,
                                Missing::failed};

// Each value and each reason for a missing one, drawn from one seed.
class Dice {
 public:
  explicit Dice(unsigned seed) : engine_(seed) {}
  std::uint64_t below(std::uint64_t n) { return std::uniform_int_distribution<std::uint64_t>(0, n - 1)(engine_); }
  Missing reason() { return kReasons[below(std::size(kReasons))]; }
  bool chance(int percent) { return below(100) < static_cast<std::uint64_t>(percent); }
  std::string text() {
    constexpr std::string_view kLetters = "aZ09 \"\\/\n\t{}[],:\x1b";
    std::string result;
    for (auto n = below(12); n > 0; --n) result += kLetters[below(kLetters.size())];
    return result + "\u20ac";
  }
  template <class T>
  Metric<T> maybe(T value) {
    if (chance(40)) return missing(reason());
    return value;
  }
  Metric<MetricValue> value(const MetricField& field) {
    if (chance(40)) return missing(reason());
    switch (field.kind) {
      case FieldKind::number: {
        const double span = std::min(field.max, 1e6) - std::max(field.min, -1e3);
        return std::round((std::max(field.min, -1e3) + span * static_cast<double>(below(1'000'001)) / 1e6) * 1000) /
               1000;
      }
      case FieldKind::whole: return below(std::uint64_t{1} << 31);
      case FieldKind::flag: return chance(50);
      case FieldKind::text: return text();
      case FieldKind::throttle_reasons: {
        ThrottleReasons reasons;
        for (unsigned bit = 0; bit < 18; ++bit) {
          if (chance(20)) reasons.add(static_cast<Throttle>(1u << bit));
        }
        return reasons.to_string();
      }
    }
    return missing(Missing::failed);
  }

 private:
  std::mt19937 engine_;
};

Json text_and_back(const Json& json) {
  return Json::parse(json.dump());
}

TEST(RecordingJsonTest, EveryReadingComesBackAsItWas) {
  for (unsigned seed = 0; seed < 500; ++seed) {
    Dice dice(seed);
    Reading reading{dice.reason()};
    for (const MetricField& field : metric_fields()) field.set(reading, dice.value(field));
    reading.attention = std::array{Attention::awake, Attention::resting, Attention::asleep}[dice.below(3)];
    for (auto n = dice.below(3); n > 0; --n) reading.sensors.push_back({dice.text(), "volts", 0.125});

    Notes notes;
    const Reading again = reading_from(text_and_back(to_json(reading)), notes);
    EXPECT_TRUE(notes.sentences().empty()) << notes.sentences().front();
    EXPECT_EQ(again.attention, reading.attention);
    EXPECT_EQ(again.sensors, reading.sensors);
    const Device none;
    for (const MetricRow& row : metric_table()) {
      auto value = row.value(none, reading);
      if (auto* number = value ? std::get_if<double>(&*value) : nullptr) *number = as_recorded(row.unit, *number);
      EXPECT_EQ(row.value(none, again), value) << row.name << ", seed " << seed;
    }
    EXPECT_EQ(to_json(again), to_json(reading)) << "recorded once more it is the same";
  }
}

TEST(RecordingJsonTest, EveryDeviceComesBackAsItWasAndIsLabelled) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    Dice dice(seed);
    Device device;
    device.id = {dice.text()};
    device.vendor = std::array{Vendor::nvidia, Vendor::amd, Vendor::intel, Vendor::other}[dice.below(4)];
    device.name = dice.text();
    device.simulated = dice.chance(50);
    if (dice.chance(50)) device.pci = PciAddress{static_cast<std::uint32_t>(dice.below(1 << 20)), 3, 2, 1};
    if (dice.chance(50)) device.parent = DeviceId{dice.text()};
    if (dice.chance(50)) device.partition = dice.text();
    for (auto* text : {&device.driver, &device.driver_version, &device.library_version, &device.cuda_version,
                       &device.vbios_version, &device.serial, &device.board_part_number, &device.architecture,
                       &device.compute_capability, &device.pci_id, &device.pci_subsystem_id, &device.cpu_affinity}) {
      *text = dice.maybe(dice.text());
    }
    device.numa_node = dice.maybe(static_cast<std::uint32_t>(dice.below(std::uint64_t{1} << 32)));
    device.minor_number = dice.maybe(std::uint32_t{3});
    if (dice.chance(50)) device.links = {{Link::Kind::nvlink, "0000:02:00.0", 12}, {Link::Kind::xgmi, "switch", 1}};

    Notes notes;
    const Device again = device_from(text_and_back(to_json(device)), notes);
    EXPECT_TRUE(notes.sentences().empty());
    EXPECT_EQ(again.id, device.id);
    EXPECT_EQ(again.vendor, device.vendor);
    EXPECT_EQ(again.name, device.name);
    EXPECT_EQ(again.simulated, device.simulated);
    EXPECT_TRUE(again.recorded);
    EXPECT_EQ(again.pci, device.pci);
    EXPECT_EQ(again.parent, device.parent);
    EXPECT_EQ(again.partition, device.partition);
    EXPECT_EQ(again.links, device.links);
    EXPECT_EQ(text_and_back(to_json(again)), text_and_back(to_json(device)));
  }
}

ProcessFacts random_facts(Dice& dice) {
  ProcessFacts facts;
  facts.user = dice.maybe(dice.text());
  facts.uid = dice.maybe(std::uint32_t{1000});
  facts.command = dice.maybe(dice.text());
  facts.command_line = dice.maybe(dice.text());
  facts.executable = dice.maybe(dice.text());
  facts.started = dice.maybe(WallTime(std::chrono::milliseconds(1'780'000'000'123)));
  facts.start_ticks = dice.maybe(dice.below(std::uint64_t{1} << 62));
  facts.cpu = dice.maybe(Percent(812.5));
  facts.resident = dice.maybe(Bytes(dice.below(std::uint64_t{1} << 50)));
  ProcessPlace place;
  if (dice.chance(50)) place.container = Container{"docker", dice.text()};
  if (dice.chance(50)) place.pod_uid = dice.text();
  if (dice.chance(50)) place.pod = PodNames{dice.text(), dice.text(), dice.text()};
  if (dice.chance(50)) place.unit = dice.text();
  if (dice.chance(50)) place.slurm_job = dice.text();
  facts.place = dice.maybe(place);
  facts.root = dice.maybe(dice.chance(50) ? std::optional(InteractiveRoot{42, dice.text(), "pts/3"}) : std::nullopt);
  facts.pid_in_namespace = dice.maybe(std::int64_t{7});
  if (dice.chance(50)) facts.classification = {ProcessClass::ml_training, dice.text(), dice.text(), 0.875};
  return facts;
}

TEST(RecordingJsonTest, EveryProcessComesBackWithWhoItIs) {
  for (unsigned seed = 0; seed < 300; ++seed) {
    Dice dice(seed);
    GpuProcess process;
    process.pid = 4711;
    process.name = dice.text();
    process.type = {dice.chance(50), dice.chance(50), dice.chance(50)};
    process.memory = dice.maybe(Bytes(dice.below(std::uint64_t{1} << 40)));
    for (auto* share : {&process.utilization, &process.utilization_memory, &process.utilization_encoder,
                        &process.utilization_decoder}) {
      *share = dice.maybe(Percent(12.5));
    }
    if (dice.chance(30)) process.partition = DeviceId{"MIG-1"};
    auto facts = random_facts(dice);
    facts.pid = process.pid;
    process.facts = std::make_shared<const ProcessFacts>(facts);

    Notes notes;
    const GpuProcess again = process_from(4711, text_and_back(to_json(process)), notes);
    EXPECT_TRUE(notes.sentences().empty());
    EXPECT_EQ(again.pid, process.pid);
    EXPECT_EQ(again.name, process.name);
    EXPECT_EQ(again.type, process.type);
    EXPECT_EQ(again.memory, process.memory);
    EXPECT_EQ(again.utilization_decoder, process.utilization_decoder);
    EXPECT_EQ(again.partition, process.partition);
    ASSERT_TRUE(again.facts);
    EXPECT_EQ(again.facts->pid, facts.pid);
    EXPECT_EQ(again.facts->user, facts.user);
    EXPECT_EQ(again.facts->command_line, facts.command_line);
    EXPECT_EQ(again.facts->started, facts.started);
    EXPECT_EQ(again.facts->start_ticks, facts.start_ticks);
    EXPECT_EQ(again.facts->cpu, facts.cpu);
    EXPECT_EQ(again.facts->place, facts.place);
    EXPECT_EQ(again.facts->root, facts.root);
    EXPECT_EQ(again.facts->pid_in_namespace, facts.pid_in_namespace);
    EXPECT_EQ(again.facts->classification, facts.classification);
  }
}

TEST(RecordingJsonTest, EveryEventComesBackAsItWas) {
  const DeviceEvent event{.kind = EventKind::pcie_error,
                          .at = WallTime(std::chrono::milliseconds(1'780'000'000'123)),
                          .id = DeviceId{"GPU-a"},
                          .pci = PciAddress{0, 1, 0, 0},
                          .code = 79,
                          .count = 3,
                          .detail = "fallen off the bus",
                          .pid = 12,
                          .process = "python3",
                          .source = "kernel log",
                          .key = "boot:17"};
  EXPECT_EQ(event_from(text_and_back(to_json(event))), event);
  EXPECT_EQ(event_from(text_and_back(to_json(DeviceEvent{}))), DeviceEvent{});
}

TEST(RecordingJsonTest, WhatIsNoNumberIsRecordedAsFailed) {
  Reading reading{Missing::not_supported};
  reading.power = Watts(std::nan(""));
  Notes notes;
  EXPECT_EQ(reading_from(to_json(reading), notes).power, Metric<Watts>(missing(Missing::failed)));
}

TEST(RecordingJsonTest, WhatALaterVersionAddsIsLeftOutAndNamed) {
  Notes notes;
  const auto reading = reading_from(
      Json::parse(R"({"otherwise":"not_supported","colour":"red","metrics":{"power_watts":71.5,"flux_tesla":3,
                      "utilization_percent":"high","fan_rpm":-1,"temperature_celsius":{"missing":"bored"}}})"),
      notes);
  EXPECT_EQ(reading.power, Watts(71.5));
  EXPECT_EQ(reading.temperature, Metric<Celsius>(missing(Missing::failed)));
  EXPECT_EQ(reading.utilization, Metric<Percent>(missing(Missing::not_supported)));
  EXPECT_EQ(notes.sentences(),
            (std::vector<std::string>{"it holds metrics that this gpukeeper does not know: flux_tesla",
                                      "it holds values that are none, which are left out: fan_rpm, "
                                      "utilization_percent"}));
}

TEST(RecordingJsonTest, ValuesAreBroughtWhereTheyBelong) {
  Notes notes;
  const auto reading = reading_from(
      Json::parse(
          R"({"metrics":{"utilization_percent":5000,"temperature_celsius":-1e300,"memory_used_bytes":18446744073709551615}})"),
      notes);
  EXPECT_EQ(reading.utilization, Percent(100));
  EXPECT_EQ(reading.temperature, Celsius(-273.15));
  EXPECT_TRUE(reading.memory_used);
}

}  // namespace
}  // namespace gpukeeper::recording
