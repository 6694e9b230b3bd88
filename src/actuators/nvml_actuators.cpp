#include "actuators/nvml_actuators.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "backend/nvml/codes.hpp"
#include "backend/nvml/library.hpp"
#include "core/text.hpp"

namespace gpukeeper {
namespace {

using nvml::Library;
namespace abi = nvml::abi;

constexpr unsigned kGraphicsClock = 0;
constexpr unsigned kFanByHand = 1;  // NVML_FAN_POLICY_MANUAL
constexpr std::string_view kAutomatic = "auto";

Errc errc_of(abi::Code code) {
  switch (code) {
    case abi::kNoPermission: return Errc::not_permitted;
    case abi::kNotSupported:
    case abi::kFunctionNotFound: return Errc::not_supported;
    case abi::kInvalidArgument: return Errc::invalid_argument;
    case abi::kNotFound: return Errc::not_found;
    default: return Errc::unavailable;
  }
}

// One stay in the driver, for one device.
class Visit {
 public:
  static Result<std::unique_ptr<Visit>> begin(const std::string& path, const std::string& uuid) {
    auto library = nvml::load_library(path);
    if (!library) return tl::make_unexpected(library.error());
    const abi::Code opened = (*library)->init();
    if (opened != abi::kSuccess) return failure(opened, "start the driver's library");
    std::unique_ptr<Visit> visit(new Visit(std::move(*library)));
    const auto find = visit->library_->handle_by_uuid;
    const abi::Code found = find ? find(uuid.c_str(), &visit->handle_) : abi::kFunctionNotFound;
    if (found != abi::kSuccess) return failure(found, "find " + uuid);
    return visit;
  }
  ~Visit() {
    if (library_->shutdown) library_->shutdown();
  }
  Visit(const Visit&) = delete;
  Visit& operator=(const Visit&) = delete;

  const Library& library() const { return *library_; }

  template <class... Params, class... Args>
  Result<void> call(std::string_view what, abi::Code (*function)(abi::Handle, Params...), Args... args) const {
    const abi::Code code = function ? function(handle_, args...) : abi::kFunctionNotFound;
    if (code == abi::kSuccess) return {};
    return failure(code, what);
  }

 private:
  explicit Visit(std::shared_ptr<const Library> library) : library_(std::move(library)) {}

  static tl::unexpected<Error> failure(abi::Code code, std::string_view what) {
    std::string message = fmt::format("{}: {}", what, nvml::describe(code));
    if (code == abi::kNoPermission) message += "; run gpukeeper as root to let it do so";
    return fail(errc_of(code), std::move(message));
  }

  const std::shared_ptr<const Library> library_;
  abi::Handle handle_{};
};

class NvmlActuator : public Actuator {
 public:
  NvmlActuator(ActuatorKind kind, const DeviceId& device, std::string library)
      : name_{kind, device, "nvml"}, library_(std::move(library)) {}

  const ActuatorName& name() const override { return name_; }

 protected:
  Result<std::unique_ptr<Visit>> visit() const { return Visit::begin(library_, name_.device.text); }

 private:
  const ActuatorName name_;
  const std::string library_;
};

class PowerLimit final : public NvmlActuator {
 public:
  PowerLimit(const DeviceId& device, Percent lowest, std::string library)
      : NvmlActuator(ActuatorKind::power_limit, device, std::move(library)), lowest_(lowest) {}

  Result<std::string> look() override {
    const auto in = visit();
    if (!in) return tl::make_unexpected(in.error());
    unsigned milliwatts = 0;
    const auto read = (*in)->call("read the power limit", (*in)->library().power_limit, &milliwatts);
    if (!read) return tl::make_unexpected(read.error());
    unsigned high = 0;
    static_cast<void>((*in)->call("read its range", (*in)->library().power_limit_range, &least_, &high));
    return std::to_string(milliwatts);
  }

  std::optional<std::string> wish(double multiplier, const std::string& found) override {
    const auto usual = parse_u64(found);
    if (!usual || *usual == 0 || *usual > kHighest) return std::nullopt;
    const auto full = static_cast<double>(*usual);
    const double low = std::max(full * lowest_.value() / 100, static_cast<double>(least_));
    const auto value =
        static_cast<std::uint64_t>(std::llround(multiplier <= 0.5 ? low : std::max(low, full * multiplier)));
    if (value >= *usual) return std::nullopt;
    return std::to_string(value);
  }

  Result<void> set(const std::string& value) override {
    const auto milliwatts = parse_u64(value);
    if (!milliwatts || *milliwatts > kHighest) return fail(Errc::invalid_argument, "no power limit: " + value);
    const auto in = visit();
    if (!in) return tl::make_unexpected(in.error());
    return (*in)->call("set the power limit", (*in)->library().set_power_limit, static_cast<unsigned>(*milliwatts));
  }
  Result<void> give_back(const std::string& found) override { return set(found); }

  std::string spell(const std::string& value) const override {
    const auto number = parse_double(value);
    return number ? fmt::format("{:g} W", *number / 1000) : value;
  }

 private:
  static constexpr std::uint64_t kHighest = 10'000'000;  // milliwatts: no board takes ten kilowatts

  const Percent lowest_;
  unsigned least_ = 0;  // milliwatts; known after the first look
};

class LockedClocks final : public NvmlActuator {
 public:
  LockedClocks(const DeviceId& device, Percent lowest, std::string library)
      : NvmlActuator(ActuatorKind::locked_clocks, device, std::move(library)), lowest_(lowest) {}

  bool is_ours(const std::string&, const std::string&) const override { return true; }

  // The driver does not tell what is locked: what is found is its own choice of clocks.
  Result<std::string> look() override {
    const auto in = visit();
    if (!in) return tl::make_unexpected(in.error());
    const auto read = (*in)->call("read the highest clock", (*in)->library().max_clock, kGraphicsClock, &highest_);
    if (!read) return tl::make_unexpected(read.error());
    return std::string(kAutomatic);
  }

  std::optional<std::string> wish(double multiplier, const std::string&) override {
    if (highest_ == 0 && !look()) return std::nullopt;
    const double low = highest_ * lowest_.value() / 100;
    const auto bound = std::llround(multiplier <= 0.5 ? low : std::max(low, highest_ * multiplier));
    return fmt::format("0,{}", bound);
  }

  Result<void> set(const std::string& value) override {
    const auto parts = split(value, ',');
    const auto bound = parts.size() == 2 ? parse_u64(parts[1]) : std::nullopt;
    if (!bound || *bound == 0 || *bound > 100'000) return fail(Errc::invalid_argument, "no bound for clocks: " + value);
    const auto in = visit();
    if (!in) return tl::make_unexpected(in.error());
    return (*in)->call("lock the clocks", (*in)->library().set_locked_clocks, 0U, static_cast<unsigned>(*bound));
  }

  Result<void> give_back(const std::string&) override {
    const auto in = visit();
    if (!in) return tl::make_unexpected(in.error());
    return (*in)->call("unlock the clocks", (*in)->library().reset_locked_clocks);
  }

  std::string spell(const std::string& value) const override {
    const auto parts = split(value, ',');
    return parts.size() == 2 ? fmt::format("up to {} MHz", parts[1]) : "the driver's own choice";
  }

  // What is locked nobody tells; what comes of it is how fast the clock runs.
  Result<std::string> effective() override {
    const auto in = visit();
    if (!in) return tl::make_unexpected(in.error());
    unsigned megahertz = 0;
    const auto read = (*in)->call("read the clock", (*in)->library().clock, kGraphicsClock, &megahertz);
    if (!read) return tl::make_unexpected(read.error());
    return fmt::format("runs at {} MHz", megahertz);
  }

 private:
  const Percent lowest_;
  unsigned highest_ = 0;  // MHz; known after the first look
};

class Fans final : public NvmlActuator {
 public:
  Fans(const DeviceId& device, Percent slow, Percent fast, std::string library)
      : NvmlActuator(ActuatorKind::fan, device, std::move(library)), slow_(slow), fast_(fast) {}

  // "auto", or the speed of the first fan that is set by hand.
  Result<std::string> look() override {
    std::string found(kAutomatic);
    const auto looked = for_each("read the fan", [&](const Visit& in, unsigned fan) -> Result<void> {
      unsigned policy = 0;
      unsigned speed = 0;
      if (auto read = in.call("read who sets the fan", in.library().fan_policy, fan, &policy); !read) return read;
      if (auto read = in.call("read the fan's speed", in.library().fan_speed_of, fan, &speed); !read) return read;
      if (fan == 0) note(in, speed);
      if (policy == kFanByHand && found == kAutomatic) found = std::to_string(speed);
      return {};
    });
    if (!looked) return tl::make_unexpected(looked.error());
    return found;
  }

  // The one thing that must not happen is a fan that nobody controls: whatever is set by hand is given back.
  bool is_ours(const std::string& now, const std::string&) const override { return now != kAutomatic; }

  std::optional<std::string> wish(double multiplier, const std::string& found) override {
    if (found != kAutomatic) return std::nullopt;  // somebody sets it by hand, and knows why
    const double percent = multiplier <= 0 ? 100 : multiplier <= 0.5 ? fast_.value() : slow_.value();
    const auto value = std::clamp(static_cast<unsigned>(std::ceil(percent)), slowest_, fastest_);
    if (!by_us_ && value <= speed_) return std::nullopt;  // its own curve does as much
    return std::to_string(value);
  }

  Result<void> set(const std::string& value) override {
    const auto percent = parse_u64(value);
    if (!percent || *percent > 100) return fail(Errc::invalid_argument, "no fan speed: " + value);
    by_us_ = true;
    return for_each("set the fan", [&](const Visit& in, unsigned fan) {
      return in.call("set the fan", in.library().set_fan_speed, fan, static_cast<unsigned>(*percent));
    });
  }

  Result<void> give_back(const std::string& found) override {
    if (found != kAutomatic) return set(found);
    by_us_ = false;
    return for_each("give the fan back", [](const Visit& in, unsigned fan) {
      return in.call("give the fan back", in.library().reset_fan_speed, fan);
    });
  }

  std::string spell(const std::string& value) const override {
    return value == kAutomatic ? "its own curve" : value + " %";
  }

 private:
  void note(const Visit& in, unsigned speed) {
    speed_ = speed;
    unsigned low = 0;
    unsigned high = 0;
    const auto range = in.call("read its range", in.library().fan_range, &low, &high);
    if (!range || low > high || high == 0 || high > 100) return;
    slowest_ = low;
    fastest_ = high;
  }

  template <class Work>
  Result<void> for_each(std::string_view what, Work work) const {
    const auto in = visit();
    if (!in) return tl::make_unexpected(in.error());
    unsigned fans = 0;
    if (auto counted = (*in)->call(what, (*in)->library().fan_count, &fans); !counted) return counted;
    if (fans == 0) return fail(Errc::not_supported, fmt::format("{}: there is none", what));
    Result<void> all;
    for (unsigned fan = 0; fan < fans; ++fan) {  // every one of them, whatever the others answer
      if (auto done = work(**in, fan); !done && all) all = done;
    }
    return all;
  }

  const Percent slow_;
  const Percent fast_;
  unsigned speed_ = 0;  // percent; known after the first look, as are the next two
  unsigned slowest_ = 30;
  unsigned fastest_ = 100;
  bool by_us_ = false;
};

}  // namespace

std::vector<std::unique_ptr<Actuator>> nvml_actuators(const Device& device, const ActuatorSettings& settings,
                                                      const std::string& library) {
  std::vector<std::unique_ptr<Actuator>> result;
  if (device.vendor != Vendor::nvidia) return result;
  if (settings.power_limit) {
    result.push_back(std::make_unique<PowerLimit>(device.id, settings.power_limit_lowest, library));
  }
  if (settings.locked_clocks) {
    result.push_back(std::make_unique<LockedClocks>(device.id, settings.clocks_lowest, library));
  }
  if (settings.fan) {
    result.push_back(std::make_unique<Fans>(device.id, settings.fan_slow, settings.fan_fast, library));
  }
  return result;
}

}  // namespace gpukeeper
