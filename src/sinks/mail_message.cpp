#include "sinks/mail_message.hpp"

#include <algorithm>
#include <cstdint>
#include <ctime>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/display_text.hpp"
#include "core/rfc3339.hpp"
#include "sinks/payloads.hpp"

namespace gpukeeper {
namespace {

constexpr std::size_t kLongestSubject = 400;  // bytes; a mail program shows less
constexpr std::size_t kBase64Line = 76;       // RFC 2045

// RFC 5322 in UTC: "Thu, 28 May 2026 20:26:40 +0000". Not strftime: its names follow the locale.
std::string mail_date(WallTime time) {
  static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  return fmt::format("{}, {} {} {} {:02}:{:02}:{:02} +0000", kDays[parts.tm_wday], parts.tm_mday, kMonths[parts.tm_mon],
                     parts.tm_year + 1900, parts.tm_hour, parts.tm_min, parts.tm_sec);
}

std::string body(const AlertNotice& notice) {
  const Alert& alert = notice.alert;
  std::string text = cut(alert.message, 4000) + "\r\n\r\n";
  const auto line = [&](std::string_view name, std::string_view value) {
    if (!value.empty()) text += fmt::format("{:<12}{}\r\n", fmt::format("{}:", name), cut(value, 4000));
  };
  if (notice.kind == AlertNotice::Kind::test) line("Note", "this is a test; nothing is wrong");
  if (!notice.origin.empty()) line("Note", fmt::format("the device is {}: no real one", notice.origin));
  line("Event", to_string(notice.kind));
  line("Level", fmt::format("{} (severity {})", to_string(alert.level), alert.severity));
  line("Where", fmt::format("{} on {}", where(alert), notice.host));
  line("Rule", alert.rule);
  line("Since", rfc3339(alert.since));
  if (alert.fired_at) line("Fired", rfc3339(*alert.fired_at));
  if (alert.resolved_at) line("Resolved", rfc3339(*alert.resolved_at));
  if (notice.kind != AlertNotice::Kind::resolved) line("What to do", alert.remedy);
  line("More", alert.link);
  for (const auto& [name, value] : notice.labels) line(name, value);
  return text;
}

}  // namespace

std::string base64(std::string_view bytes) {
  static constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string result;
  result.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    for (std::size_t k = 0; k < 3; ++k) {
      group = group << 8 | (k < count ? static_cast<unsigned char>(bytes[i + k]) : 0u);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      result += k <= count ? kLetters[group >> (18 - 6 * k) & 63] : '=';
    }
  }
  return result;
}

std::string encoded_word(std::string_view text) {
  const auto is_plain = [](char c) { return c >= ' ' && c <= '~'; };
  if (text.size() <= 60 && std::ranges::all_of(text, is_plain) && text.find("=?") == std::string_view::npos) {
    return std::string(text);
  }
  // Bytes, which are 52 in base64 and 64 with what stands around them: with "Subject: " a line has at most 76.
  static constexpr std::size_t kMostOfAWord = 39;
  std::string result;
  while (!text.empty()) {
    std::size_t size = std::min(kMostOfAWord, text.size());
    while (size < text.size() && size > 0 && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80) --size;
    if (size == 0) size = std::min(kMostOfAWord, text.size());  // no UTF-8 at all
    result += fmt::format("{}=?UTF-8?B?{}?=", result.empty() ? "" : "\r\n ", base64(text.substr(0, size)));
    text.remove_prefix(size);
  }
  return result;
}

std::string mail_message(const AlertNotice& notice, const std::string& from, const std::vector<std::string>& to) {
  const std::string domain = from.substr(from.find('@') + 1);
  const std::string thread = short_name(dedup_key(notice));
  std::string message;
  const auto header = [&](std::string_view name, std::string_view value) {
    message += fmt::format("{}: {}\r\n", name, value);
  };
  header("From", from);
  header("To", fmt::format("{}", fmt::join(to, ",\r\n ")));
  header("Subject", encoded_word(cut(headline(notice) + " on " + notice.host, kLongestSubject)));
  header("Date", mail_date(notice.at));
  header("Message-ID", fmt::format("<{}.{}@{}>", thread, short_name(notice_json(notice)), domain));
  header("References", fmt::format("<{}@{}>", thread, domain));
  header("Auto-Submitted", "auto-generated");  // RFC 3834: nobody's absence note answers
  header("MIME-Version", "1.0");
  header("Content-Type", "text/plain; charset=utf-8");
  header("Content-Transfer-Encoding", "base64");
  message += "\r\n";
  const std::string encoded = base64(body(notice));
  for (std::size_t i = 0; i < encoded.size(); i += kBase64Line) message += encoded.substr(i, kBase64Line) + "\r\n";
  return message;
}

}  // namespace gpukeeper
