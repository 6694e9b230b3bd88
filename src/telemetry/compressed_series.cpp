#include "telemetry/compressed_series.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <numeric>

#include "telemetry/bit_stream.hpp"

namespace gpukeeper {
namespace {

using Words = std::vector<std::uint64_t>;  // whole numbers, or the bits of real ones

// How a run is written. Each begins with its presence (2 bits) and its form (2 bits).
enum class Presence : std::uint8_t { all, none, some };  // some: a bit each follows
enum class Form : std::uint8_t { constant, steps, bits };

constexpr unsigned kPresenceBits = 2;
constexpr unsigned kFormBits = 2;

// --- Rice codes: the high part in ones and a zero, the low `low_bits` as they are. -----------------------------------

constexpr unsigned kLowBitsBits = 6;
constexpr unsigned kMostOnes = 20;  // a number with a higher part is written in full: a jump costs 84 bits at most

unsigned rice_length(std::uint64_t value, unsigned low_bits) {
  const std::uint64_t high = value >> low_bits;
  return high >= kMostOnes ? kMostOnes + 64 : static_cast<unsigned>(high) + 1 + low_bits;
}

void put_rice(BitWriter& out, std::uint64_t value, unsigned low_bits) {
  const std::uint64_t high = value >> low_bits;
  if (high >= kMostOnes) {
    out.put_ones(kMostOnes);
    out.put(value, 64);
    return;
  }
  out.put_ones(static_cast<unsigned>(high));
  out.put(0, 1);
  out.put(value, low_bits);
}

std::uint64_t take_rice(BitReader& in, unsigned low_bits) {
  const unsigned high = in.take_ones(kMostOnes);
  if (high == kMostOnes) return in.take(64);
  return (std::uint64_t{high} << low_bits) | in.take(low_bits);
}

// Numbers near zero of either sign become small ones: 0, -1, 1, -2, … All arithmetic here is modulo 2^64.
constexpr std::uint64_t zigzag(std::uint64_t difference) {
  return (difference << 1) ^ (difference >> 63 != 0 ? ~std::uint64_t{0} : 0);
}
constexpr std::uint64_t unzigzag(std::uint64_t coded) {
  return (coded >> 1) ^ ((coded & 1) != 0 ? ~std::uint64_t{0} : 0);
}

// --- Steps: the numbers as multiples of a step above the smallest, or their differences. -----------------------------

constexpr unsigned kOrderBits = 2;
constexpr unsigned kOrders = 3;  // 0: the numbers, 1: their differences, 2: the differences of these

std::uint64_t residual(std::uint64_t value, std::uint64_t before, std::uint64_t before_that, unsigned order) {
  if (order == 0) return value;
  const std::uint64_t difference = value - before;
  return zigzag(order == 1 ? difference : difference - (before - before_that));
}

std::uint64_t restored(std::uint64_t coded, std::uint64_t before, std::uint64_t before_that, unsigned order) {
  if (order == 0) return coded;
  const std::uint64_t difference = unzigzag(coded);
  return before + (order == 1 ? difference : difference + (before - before_that));
}

struct Plan {
  unsigned order = 0;
  unsigned low_bits = 0;
  std::size_t length = 0;  // in bits
};

// The widths worth a try are about those of a typical number: an outlier is written in full.
void try_widths(const Words& residuals, unsigned order, Plan& best) {
  Words sorted = residuals;
  const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2);
  std::ranges::nth_element(sorted, middle);
  const auto typical = static_cast<unsigned>(std::bit_width(*middle));
  for (unsigned low_bits = typical < 3 ? 0 : typical - 3; low_bits <= std::min(typical + 3, 63u); ++low_bits) {
    std::size_t length = 0;
    for (const std::uint64_t value : residuals) length += rice_length(value, low_bits);
    if (best.length == 0 || length < best.length) best = {order, low_bits, length};
  }
}

Plan plan_for(const Words& values) {
  Plan best;
  Words residuals(values.size());
  for (unsigned order = 0; order < kOrders; ++order) {
    std::uint64_t before = 0, before_that = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
      residuals[i] = residual(values[i], before, before_that, order);
      before_that = before;
      before = values[i];
    }
    try_widths(residuals, order, best);
  }
  return best;
}

void put_steps(BitWriter& out, Words values) {
  const std::uint64_t lowest = *std::ranges::min_element(values);
  std::uint64_t step = 0;
  for (std::uint64_t& value : values) step = std::gcd(step, value -= lowest);
  step = std::max<std::uint64_t>(step, 1);
  for (std::uint64_t& value : values) value /= step;
  const Plan plan = plan_for(values);
  out.put(plan.order, kOrderBits);
  out.put(plan.low_bits, kLowBitsBits);
  out.put(lowest, 64);
  put_rice(out, step - 1, 0);
  std::uint64_t before = 0, before_that = 0;
  for (const std::uint64_t value : values) {
    put_rice(out, residual(value, before, before_that, plan.order), plan.low_bits);
    before_that = before;
    before = value;
  }
}

void take_steps(BitReader& in, Words& values) {
  const auto order = static_cast<unsigned>(in.take(kOrderBits));
  const auto low_bits = static_cast<unsigned>(in.take(kLowBitsBits));
  const std::uint64_t lowest = in.take(64);
  const std::uint64_t step = take_rice(in, 0) + 1;
  std::uint64_t before = 0, before_that = 0;
  for (std::uint64_t& value : values) {
    const std::uint64_t multiple = restored(take_rice(in, low_bits), before, before_that, order);
    before_that = before;
    before = multiple;
    value = lowest + multiple * step;
  }
}

// --- Bits: what the bits of neighbours differ in, as Gorilla writes it. ----------------------------------------------

constexpr unsigned kLeadingBits = 6;
constexpr unsigned kLengthBits = 6;

void put_bits(BitWriter& out, const Words& values) {
  std::uint64_t before = 0;
  unsigned leading = 64, trailing = 0;  // the place of the last difference; none yet
  for (const std::uint64_t value : values) {
    const std::uint64_t difference = value ^ before;
    before = value;
    if (difference == 0) {
      out.put(0, 1);
      continue;
    }
    const auto zeros_before = static_cast<unsigned>(std::countl_zero(difference));
    const auto zeros_behind = static_cast<unsigned>(std::countr_zero(difference));
    const bool fits = leading < 64 && zeros_before >= leading && zeros_behind >= trailing;
    out.put(fits ? 0b10 : 0b11, 2);
    if (!fits) {
      leading = zeros_before;
      trailing = zeros_behind;
      out.put(leading, kLeadingBits);
      out.put(64 - leading - trailing - 1, kLengthBits);
    }
    out.put(difference >> trailing, 64 - leading - trailing);
  }
}

void take_bits(BitReader& in, Words& values) {
  std::uint64_t before = 0;
  unsigned length = 0, trailing = 0;
  for (std::uint64_t& value : values) {
    if (in.take(1) == 1) {
      if (in.take(1) == 1) {
        const auto leading = static_cast<unsigned>(in.take(kLeadingBits));
        length = std::min(static_cast<unsigned>(in.take(kLengthBits)) + 1, 64 - leading);
        trailing = 64 - leading - length;
      }
      before ^= in.take(length) << trailing;
    }
    value = before;
  }
}

// --- Decimals: real numbers as whole multiples of 10^-n. -------------------------------------------------------------

constexpr unsigned kDecimalsBits = 4;
constexpr std::array<double, 10> kPowers{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};
constexpr double kWholeLimit = 0x1p53;  // below it a double holds every whole number

// The number that gives exactly this value when it is divided, as the backends divide (milliwatts by 1000).
std::optional<std::int64_t> scaled(double value, double power) {
  const double product = value * power;
  if (!(std::abs(product) < kWholeLimit)) return std::nullopt;  // nor what is no number
  const auto whole = std::llround(product);                     // which forgets the sign of -0.0
  const double again = static_cast<double>(whole) / power;
  if (std::bit_cast<std::uint64_t>(again) != std::bit_cast<std::uint64_t>(value)) return std::nullopt;
  return whole;
}

// With the fewest decimals that hold all of them; nothing when none do.
std::optional<unsigned> decimals_of(const Words& values) {
  unsigned decimals = 0;
  for (const std::uint64_t word : values) {
    while (!scaled(std::bit_cast<double>(word), kPowers.at(decimals))) {
      if (++decimals == kPowers.size()) return std::nullopt;
    }
  }
  // A number that was exact with fewer decimals is so with more, unless it grows out of what is exact.
  const bool all = std::ranges::all_of(values, [&](std::uint64_t word) {
    return scaled(std::bit_cast<double>(word), kPowers.at(decimals)).has_value();
  });
  return all ? std::optional(decimals) : std::nullopt;
}

// --- A run. ----------------------------------------------------------------------------------------------------------

void put_form(BitWriter& out, Form form) {
  out.put(static_cast<std::uint64_t>(form), kFormBits);
}

void put_wholes(BitWriter& out, Words words) {
  put_form(out, Form::steps);
  put_steps(out, std::move(words));
}

void put_reals(BitWriter& out, Words words) {
  const auto decimals = decimals_of(words);
  if (!decimals) {
    put_form(out, Form::bits);
    put_bits(out, words);
    return;
  }
  put_form(out, Form::steps);
  out.put(*decimals, kDecimalsBits);
  // Above an offset all are positive, so that the smallest is the smallest as an unsigned number too.
  for (std::uint64_t& word : words) {
    word = static_cast<std::uint64_t>(*scaled(std::bit_cast<double>(word), kPowers.at(*decimals)) +
                                      static_cast<std::int64_t>(kWholeLimit));
  }
  put_steps(out, std::move(words));
}

void take_decimals(BitReader& in, Words& words) {
  const double power = kPowers.at(std::min<std::size_t>(in.take(kDecimalsBits), kPowers.size() - 1));
  take_steps(in, words);
  for (std::uint64_t& word : words) {
    const auto whole = static_cast<std::int64_t>(word) - static_cast<std::int64_t>(kWholeLimit);
    word = std::bit_cast<std::uint64_t>(static_cast<double>(whole) / power);
  }
}

template <class T>
void pack_run(std::span<const std::optional<T>> values, PackedBytes& out) {
  Words words;
  words.reserve(values.size());
  for (const auto& value : values) {
    if (value) words.push_back(std::bit_cast<std::uint64_t>(*value));
  }
  BitWriter bits(out);
  const Presence presence = words.empty()                   ? Presence::none
                            : words.size() == values.size() ? Presence::all
                                                            : Presence::some;
  bits.put(static_cast<std::uint64_t>(presence), kPresenceBits);
  if (presence == Presence::none) return;
  if (presence == Presence::some) {
    for (const auto& value : values) bits.put(value ? 1 : 0, 1);
  }
  if (std::ranges::all_of(words, [&](std::uint64_t word) { return word == words.front(); })) {
    put_form(bits, Form::constant);
    bits.put(words.front(), 64);
  } else if constexpr (std::is_same_v<T, double>) {
    put_reals(bits, std::move(words));
  } else {
    put_wholes(bits, std::move(words));
  }
}

template <class T>
std::vector<std::optional<T>> unpack_run(std::span<const std::uint8_t> packed, std::size_t count) {
  std::vector<std::optional<T>> values(count);
  BitReader in(packed);
  const auto presence = static_cast<Presence>(in.take(kPresenceBits));
  if (presence == Presence::none) return values;
  std::vector<bool> present(count, true);
  if (presence == Presence::some) {
    for (std::size_t i = 0; i < count; ++i) present[i] = in.take(1) == 1;
  }
  Words words(static_cast<std::size_t>(std::ranges::count(present, true)));
  switch (static_cast<Form>(in.take(kFormBits))) {
    case Form::constant: std::ranges::fill(words, in.take(64)); break;
    case Form::steps: std::is_same_v<T, double> ? take_decimals(in, words) : take_steps(in, words); break;
    case Form::bits: take_bits(in, words); break;
  }
  auto word = words.begin();
  for (std::size_t i = 0; i < count; ++i) {
    if (present[i]) values[i] = std::bit_cast<T>(*word++);
  }
  return values;
}

}  // namespace

void pack(std::span<const std::optional<double>> values, PackedBytes& out) {
  pack_run(values, out);
}

void pack(std::span<const std::optional<std::uint64_t>> values, PackedBytes& out) {
  pack_run(values, out);
}

std::vector<std::optional<double>> unpack_reals(std::span<const std::uint8_t> packed, std::size_t count) {
  return unpack_run<double>(packed, count);
}

std::vector<std::optional<std::uint64_t>> unpack_wholes(std::span<const std::uint8_t> packed, std::size_t count) {
  return unpack_run<std::uint64_t>(packed, count);
}

}  // namespace gpukeeper
