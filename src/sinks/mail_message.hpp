#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sinks/alert_notice.hpp"

namespace gpukeeper {

/// The notice as an e-mail of plain text (RFC 5322, MIME in UTF-8). Its header lines hold nothing of the alert but the
/// subject, encoded (RFC 2047), and its body is base64: no text of an alert can begin a header or end the message.
/// The messages of one alert stand together in a mail program, and one that is sent twice bears the same Message-ID.
/// `from` and `to` are addresses that check() has passed.
std::string mail_message(const AlertNotice& notice, const std::string& from, const std::vector<std::string>& to);

/// RFC 2047: "=?UTF-8?B?…?=", in pieces of at most 64 bytes on lines of their own; plain ASCII stays as it is.
/// `text` holds no control characters.
std::string encoded_word(std::string_view text);

/// RFC 4648, without line ends.
std::string base64(std::string_view bytes);

}  // namespace gpukeeper
