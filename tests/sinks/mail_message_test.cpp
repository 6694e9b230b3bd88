#include "sinks/mail_message.hpp"

#include <gmock/gmock.h>

#include "core/text.hpp"
#include "sinks/notices.hpp"

namespace gpukeeper {
namespace {

using testing::HasSubstr;
using testing::Not;

// What stands in a message's body, decoded.
std::string body_of(const std::string& message) {
  static constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : message.substr(message.find("\r\n\r\n") + 4)) {
    const auto value = kLetters.find(c);
    if (value == std::string_view::npos) continue;
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    text += static_cast<char>(bits >> count & 255);
  }
  return text;
}

TEST(MailMessageTest, HasTheHeadersThatMailProgramsWant) {
  const std::string message = mail_message(hot_gpu(), "keeper@example.org", {"a@example.org", "b@example.org"});
  EXPECT_THAT(message, HasSubstr("From: keeper@example.org\r\nTo: a@example.org,\r\n b@example.org\r\nSubject: "
                                 "=?UTF-8?B?W2NyaXRpY2FsXSBHUFUgMCB0aGVybWFsIHRocm90dGxpbmc6IDky?=\r\n "));
  EXPECT_THAT(message, HasSubstr("\r\nDate: Thu, 28 May 2026 20:26:40 +0000\r\nMessage-ID: <"));
  EXPECT_THAT(message,
              HasSubstr("@example.org>\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
                        "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"));
}

TEST(MailMessageTest, BodySaysWhatIsKnown) {
  AlertNotice notice = hot_gpu();
  notice.labels = {{"team", "ml"}};
  EXPECT_EQ(body_of(mail_message(notice, "a@b", {"c@d"})),
            "GPU 0 thermal throttling: 92°C exceeds 80°C threshold\r\n\r\n"
            "Event:      fired\r\n"
            "Level:      critical (severity 92)\r\n"
            "Where:      GPU 0 (GPU-3f2a) on gpu-box\r\n"
            "Rule:       thermal\r\n"
            "Since:      2026-05-28T20:26:20.000Z\r\n"
            "Fired:      2026-05-28T20:26:35.000Z\r\n"
            "What to do: Look at the fans.\r\n"
            "More:       https://example.org/alerts#thermal\r\n"
            "team:       ml\r\n");
  notice.origin = "simulated";
  EXPECT_THAT(body_of(mail_message(notice, "a@b", {"c@d"})),
              HasSubstr("Note:       the device is simulated: no real one\r\n"));
}

TEST(MailMessageTest, NoTextBeginsAHeaderOrEndsTheMessage) {
  const std::string message = mail_message(hostile_notice(), "a@b", {"c@d"});
  EXPECT_THAT(message, Not(HasSubstr("\nBcc:")));
  EXPECT_THAT(message, Not(HasSubstr("\r\n.\r\n")));
  for (const auto line : lines(message)) {
    EXPECT_LE(line.size(), 76u) << line;  // RFC 2047, where there is an encoded word
    EXPECT_TRUE(std::ranges::all_of(line, [](char c) { return (c >= ' ' && c <= '~') || c == '\r'; })) << line;
  }
  for (std::size_t i = 0; i < message.size(); ++i) {
    if (message[i] != '\n') continue;
    ASSERT_EQ(message[i - 1], '\r');
  }
}

TEST(MailMessageTest, MessagesOfOneAlertStandTogetherAndARepeatedOneIsTheSame) {
  const auto line_of = [](const std::string& message, std::string_view name) {
    const auto at = message.find(std::string("\r\n") + std::string(name) + ": ");
    return message.substr(at, message.find("\r\n", at + 2) - at);
  };
  const std::string fired = mail_message(hot_gpu(), "a@b", {"c@d"});
  const std::string resolved = mail_message(hot_gpu(AlertNotice::Kind::resolved), "a@b", {"c@d"});
  EXPECT_EQ(line_of(fired, "References"), line_of(resolved, "References"));
  EXPECT_NE(line_of(fired, "Message-ID"), line_of(resolved, "Message-ID"));
  EXPECT_EQ(fired, mail_message(hot_gpu(), "a@b", {"c@d"}));
}

TEST(MailMessageTest, EncodedWords) {
  EXPECT_EQ(encoded_word("plain text"), "plain text");
  EXPECT_EQ(encoded_word("92°C"), "=?UTF-8?B?OTLCsEM=?=");
  EXPECT_EQ(encoded_word("=?UTF-8?B?eA==?="), "=?UTF-8?B?PT9VVEYtOD9CP2VBPT0/PQ==?=");
  std::string lengthy;
  for (int i = 0; i < 100; ++i) lengthy += "°";
  const std::string words = encoded_word(lengthy);
  for (const auto line : lines(words)) EXPECT_LE(trim(line).size(), 75u);
}

TEST(MailMessageTest, Base64) {
  // The test vectors of RFC 4648.
  const std::pair<const char*, const char*> kCases[] = {{"", ""},
                                                        {"f", "Zg=="},
                                                        {"fo", "Zm8="},
                                                        {"foo", "Zm9v"},
                                                        {"foob", "Zm9vYg=="},
                                                        {"fooba", "Zm9vYmE="},
                                                        {"foobar", "Zm9vYmFy"}};
  for (const auto& [text, encoded] : kCases) EXPECT_EQ(base64(text), encoded);
}

}  // namespace
}  // namespace gpukeeper
