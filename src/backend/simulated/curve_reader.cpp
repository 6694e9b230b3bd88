#include "backend/simulated/curve_reader.hpp"

#include <optional>
#include <variant>

#include "core/text.hpp"

namespace gpukeeper::simulated {

using namespace yaml;
namespace {

constexpr std::string_view kCurveKeys[] = {"value", "points",  "steps",  "ramp",  "sine",
                                           "noise", "missing", "repeat", "jitter"};
constexpr std::string_view kRampKeys[] = {"from", "to", "start", "over"};
constexpr std::string_view kSineKeys[] = {"mean", "amplitude", "period", "phase"};
constexpr std::string_view kNoiseKeys[] = {"around", "sigma"};

// One value of a metric; never null.
MetricValue value(const YamlNode& node, const ValueType& type) {
  switch (type.kind) {
    case FieldKind::text: return text(node, type.name);
    case FieldKind::flag:
      if (node.kind == YamlNode::Kind::scalar && node.text == "true") return true;
      if (node.kind == YamlNode::Kind::scalar && node.text == "false") return false;
      refuse(node.mark, "'{}' must be true or false, not {}", type.name, shown(node));
    case FieldKind::throttle_reasons: {
      const auto words = text(node, type.name);
      const auto reasons = parse_throttle_reasons(words);
      if (!reasons) {
        refuse(node.mark, "'{}' must be none or, comma-separated, some of: {}; not {}", type.name,
               fmt::join(throttle_words(), ", "), shown(node));
      }
      return reasons->to_string();
    }
    case FieldKind::number:
    case FieldKind::whole: break;
  }
  const std::string_view wanted = type.size                       ? "a size such as 80GiB, 512MiB or a number of bytes"
                                  : type.duration                 ? "a number of seconds or a duration such as 90s"
                                  : type.kind == FieldKind::whole ? "a whole number"
                                                                  : "a number";
  const auto written = scalar(node, type.name, wanted);
  std::optional<double> number = parse_double(written);
  if (type.kind == FieldKind::whole && number && *number >= 0) {
    const auto exact = parse_u64(written);
    number = exact ? std::optional(static_cast<double>(*exact)) : std::nullopt;
  }
  if (!number && type.size) {
    if (const auto size = parse_size(written)) number = static_cast<double>(*size);
  }
  if (!number && type.duration) number = parse_duration(written);
  if (!number) refuse(node.mark, "'{}' must be {}, not {}", type.name, wanted, shown(node));
  if (*number < type.min && type.min == 0)
    refuse(node.mark, "'{}' must not be negative, but is {}", type.name, written);
  if (*number < type.min || *number > type.max) {
    refuse(node.mark, "'{}' must be from {} to {}, not {}", type.name, type.min, type.max, written);
  }
  if (type.kind == FieldKind::whole) return static_cast<std::uint64_t>(*number);
  return *number;
}

bool is_number(const ValueType& type) {
  return type.kind == FieldKind::number || type.kind == FieldKind::whole;
}

// As number, for a part of a curve whose own name the message should say.
double number(const YamlNode& node, ValueType type, std::string_view name) {
  type.name = name;
  if (type.kind == FieldKind::whole && !type.size) type.kind = FieldKind::number;  // a mean may be 2.5
  return number(node, type);
}

// Calls each(time, value node) for a list of [time, value], times rising.
template <class F>
void points(const YamlNode& node, std::string_view what, F each) {
  if (list(node, what).empty()) refuse(node.mark, "'{}' must have at least one [time, value]", what);
  double last = -1;
  for (const YamlNode& item : node.items) {
    if (item.kind != YamlNode::Kind::sequence || item.items.size() != 2) {
      refuse(item.mark, "a point of '{}' must be [time, value], such as [60s, 85]", what);
    }
    const double at = duration(item.items[0], "time");
    if (at <= last)
      refuse(item.items[0].mark, "the times of '{}' must rise: {} comes after {}s", what, item.items[0].text, last);
    last = at;
    each(at, item.items[1]);
  }
}

Curve::Line line(const YamlNode& node, const ValueType& type) {
  Curve::Line result;
  points(node, type.name, [&](double at, const YamlNode& v) { result.points.push_back({at, number(v, type)}); });
  return result;
}

Curve::Steps steps(const YamlNode& node, const ValueType& type) {
  Curve::Steps result;
  points(node, type.name, [&](double at, const YamlNode& v) {
    if (v.kind == YamlNode::Kind::null) {
      result.steps.push_back({at, missing(Missing::not_supported)});
    } else {
      result.steps.push_back({at, value(v, type)});
    }
  });
  return result;
}

Curve::Line ramp(const YamlNode& node, const ValueType& type) {
  mapping(node, "a ramp", "{from: 40, to: 85, over: 60s}");
  check_keys(node, "a ramp", kRampKeys);
  const YamlNode* start = node.find("start");
  const double at = start ? duration(*start, "start") : 0;
  const double over = positive_duration(required(node, "a ramp", "over", "60s"), "over");
  return {{{at, number(required(node, "a ramp", "from", "40"), type, "from")},
           {at + over, number(required(node, "a ramp", "to", "85"), type, "to")}}};
}

Curve::Sine sine(const YamlNode& node, const ValueType& type) {
  mapping(node, "a sine", "{mean: 50, amplitude: 20, period: 60s}");
  check_keys(node, "a sine", kSineKeys);
  ValueType amplitude = type;
  amplitude.min = 0;
  Curve::Sine result;
  result.mean = number(required(node, "a sine", "mean", "50"), type, "mean");
  result.amplitude = number(required(node, "a sine", "amplitude", "20"), amplitude, "amplitude");
  result.period = positive_duration(required(node, "a sine", "period", "60s"), "period");
  if (const YamlNode* phase = node.find("phase")) result.phase = duration(*phase, "phase");
  if (result.mean - result.amplitude < type.min || result.mean + result.amplitude > type.max) {
    refuse(node.mark, "a sine around {} with amplitude {} goes from {} to {}, but '{}' must be from {} to {}",
           result.mean, result.amplitude, result.mean - result.amplitude, result.mean + result.amplitude, type.name,
           type.min, type.max);
  }
  return result;
}

double last_time(const Curve& curve) {
  if (const auto* line = std::get_if<Curve::Line>(&curve.shape)) return line->points.back().at;
  if (const auto* steps = std::get_if<Curve::Steps>(&curve.shape)) return steps->steps.back().at;
  return 0;
}

Curve curve_of_map(const YamlNode& node, const ValueType& type) {
  check_keys(node, fmt::format("the curve of '{}'", type.name), kCurveKeys);
  Curve curve;
  int shapes = 0;
  for (const auto& [key, key_mark, part] : node.entries) {
    if (key == "repeat" || key == "jitter") continue;
    if (++shapes > 1) refuse(key_mark, "the curve of '{}' has a second shape, '{}': give one", type.name, key);
    if (key == "missing") {
      curve.shape = Curve::Value(missing(choice(part, key, kReasons)));
    } else if (key == "value") {
      curve.shape = Curve::Value(value(part, type));
    } else if (key == "steps") {
      curve.shape = steps(part, type);
    } else if (!is_number(type)) {
      refuse(key_mark, "'{}' is no number: of curves it takes only 'value', 'steps' and 'missing'", type.name);
    } else if (key == "points") {
      curve.shape = line(part, type);
    } else if (key == "ramp") {
      curve.shape = ramp(part, type);
    } else if (key == "sine") {
      curve.shape = sine(part, type);
    } else if (key == "noise") {
      mapping(part, "a noise", "{around: 50, sigma: 2}");
      check_keys(part, "a noise", kNoiseKeys);
      curve.shape = Curve::Value(number(required(part, "a noise", "around", "50"), type, "around"));
      ValueType sigma = type;
      sigma.min = 0;
      curve.jitter = number(required(part, "a noise", "sigma", "2"), sigma, "sigma");
    }
  }
  if (shapes == 0) {
    refuse(node.mark, "the curve of '{}' needs one of value, points, steps, ramp, sine, noise, missing", type.name);
  }
  if (const YamlNode* jitter = node.find("jitter")) {
    if (!is_number(type)) refuse(jitter->mark, "'{}' is no number and cannot have 'jitter'", type.name);
    if (node.find("noise")) refuse(jitter->mark, "a noise has its 'sigma' and cannot have 'jitter' too");
    ValueType sigma = type;
    sigma.min = 0;
    curve.jitter = number(*jitter, sigma, "jitter");
  }
  if (const YamlNode* repeat = node.find("repeat")) {
    curve.repeat = positive_duration(*repeat, "repeat");
    if (last_time(curve) > curve.repeat) {
      refuse(repeat->mark, "'repeat' must not be shorter than the last time of the curve, {}s", last_time(curve));
    }
  }
  return curve;
}

}  // namespace

ValueType type_of(const MetricField& field) {
  return {
      field.name, field.kind, field.min, field.max, field.name.ends_with("_bytes"), field.name.ends_with("_seconds")};
}

double number(const YamlNode& node, const ValueType& type) {
  return *to_number(value(node, type));
}

Curve curve(const YamlNode& node, const ValueType& type) {
  Curve curve;
  switch (node.kind) {
    case YamlNode::Kind::null: curve.shape = Curve::Value(missing(Missing::not_supported)); break;
    case YamlNode::Kind::scalar: curve.shape = Curve::Value(value(node, type)); break;
    case YamlNode::Kind::map: return curve_of_map(node, type);
    case YamlNode::Kind::sequence:
      if (is_number(type)) {
        curve.shape = line(node, type);
      } else {
        curve.shape = steps(node, type);
      }
      break;
  }
  return curve;
}

std::vector<std::string_view> curve_keys() {
  std::vector<std::string_view> result;
  for (const Words words : {Words(kCurveKeys), Words(kRampKeys), Words(kSineKeys), Words(kNoiseKeys)}) {
    result.insert(result.end(), words.begin(), words.end());
  }
  return result;
}

}  // namespace gpukeeper::simulated
