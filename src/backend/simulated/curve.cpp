#include "backend/simulated/curve.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace gpukeeper::simulated {
namespace {

double at_line(const Curve::Line& line, double t) {
  const auto& points = line.points;
  const auto next = std::ranges::upper_bound(points, t, {}, &Curve::Point::at);
  if (next == points.begin()) return points.front().value;
  if (next == points.end()) return points.back().value;
  const Curve::Point& last = *std::prev(next);
  return std::lerp(last.value, next->value, (t - last.at) / (next->at - last.at));
}

Curve::Value at_steps(const Curve::Steps& steps, double t) {
  const auto next = std::ranges::upper_bound(steps.steps, t, {}, &Curve::Step::at);
  return next == steps.steps.begin() ? next->value : std::prev(next)->value;
}

double at_sine(const Curve::Sine& sine, double t) {
  return sine.mean + sine.amplitude * std::sin(2 * std::numbers::pi * (t + sine.phase) / sine.period);
}

// 53 random bits as a number in (0, 1].
double uniform(std::uint64_t bits) {
  return (static_cast<double>(bits >> 11) + 1) * 0x1p-53;
}

}  // namespace

std::uint64_t mix(std::uint64_t hash, std::uint64_t value) {
  std::uint64_t z = hash + value + 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

std::uint64_t mix(std::uint64_t hash, std::string_view text) {
  for (const char c : text) hash = mix(hash, static_cast<std::uint64_t>(static_cast<unsigned char>(c)));
  return mix(hash, text.size());
}

double normal(std::uint64_t noise_key, double seconds) {
  const std::uint64_t first = mix(noise_key, static_cast<std::uint64_t>(std::max(0.0, seconds)));
  const std::uint64_t second = mix(first, 1);
  const double value = std::sqrt(-2 * std::log(uniform(first))) * std::cos(2 * std::numbers::pi * uniform(second));
  return std::clamp(value, -3.0, 3.0);
}

Curve::Value Curve::at(double seconds, std::uint64_t noise_key) const {
  const double t = repeat > 0 ? std::fmod(seconds, repeat) : seconds;
  struct Shape {
    double time;
    Value operator()(const Value& value) const { return value; }
    Value operator()(const Line& line) const { return MetricValue(at_line(line, time)); }
    Value operator()(const Steps& steps) const { return at_steps(steps, time); }
    Value operator()(const Sine& sine) const { return MetricValue(at_sine(sine, time)); }
  };
  Value value = std::visit(Shape{t}, shape);
  if (jitter == 0) return value;
  const auto number = to_number(value);
  if (!number) return value;
  return MetricValue(*number + jitter * normal(noise_key, seconds));
}

}  // namespace gpukeeper::simulated
