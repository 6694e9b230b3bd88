#include "service/live_tls.hpp"

#include <utility>

#include <fmt/format.h>

#include "core/display_text.hpp"
#include "core/rfc3339.hpp"

namespace gpukeeper::service {
namespace {

constexpr auto kQuiet = std::chrono::seconds(1);  // who writes them is done then

Result<TlsMaterial::File> read(std::string_view key, const std::string& path, const Files& files) {
  auto text = files.read(path);
  if (text) return TlsMaterial::File{path, std::move(*text)};
  return fail(text.error().code, fmt::format("{}: {}", key, text.error().message));
}

}  // namespace

Result<TlsMaterial> read_tls(const config::TlsSettings& settings, const Files& files) {
  TlsMaterial material;
  material.client_required = settings.client_required;
  material.min_version = settings.min_version;
  auto certificate = read("tls.certificate", settings.certificate.value_or(""), files);
  if (!certificate) return tl::make_unexpected(certificate.error());
  material.certificate = std::move(*certificate);
  auto key = read("tls.key", settings.key.value_or(""), files);
  if (!key) return tl::make_unexpected(key.error());
  material.key = std::move(*key);
  if (!settings.client_ca) return material;
  auto authorities = read("tls.client_ca", *settings.client_ca, files);
  if (!authorities) return tl::make_unexpected(authorities.error());
  material.client_ca = std::move(*authorities);
  return material;
}

Result<void> LiveTls::start(const config::TlsSettings& settings) {
  settings_ = settings;
  auto material = read_tls(settings_, *files_);
  if (!material) return tl::make_unexpected(material.error());
  auto context = TlsContext::make(*material);
  if (!context) return tl::make_unexpected(context.error());
  use(std::move(*context), std::move(*material));
  return {};
}

void LiveTls::look() {
  if (!now()) return;
  auto material = read_tls(settings_, *files_);
  const auto seen = material ? std::optional(*material) : std::nullopt;
  if (seen != seen_) {
    seen_ = seen;
    seen_since_ = clock_.now();
  }
  if (clock_.now() - seen_since_ >= kQuiet) take(material);
}

void LiveTls::configure(const config::TlsSettings& settings) {
  if (!now()) return;
  settings_ = settings;
  take(read_tls(settings_, *files_));
}

void LiveTls::take(const Result<TlsMaterial>& material) {
  if (!material) return complain(material.error().message);
  if (*material == used_) {
    if (!complaint_.read()->empty()) log_.info("TLS: the files are again as they are used");
    return complaint_.publish(std::make_shared<const std::string>());
  }
  auto context = TlsContext::make(*material);
  if (!context) return complain(context.error().message);
  use(std::move(*context), *material);
}

void LiveTls::use(std::shared_ptr<const TlsContext> context, TlsMaterial material) {
  const auth::Certificate& own = context->certificate();
  log_.info("TLS: {} of {} is used, which expires at {}", harmless(title(own)), harmless(material.certificate.path),
            rfc3339(own.expires));
  used_ = std::move(material);
  seen_ = used_;
  current_.publish(std::make_shared<const std::shared_ptr<const TlsContext>>(std::move(context)));
  complaint_.publish(std::make_shared<const std::string>());
}

// Once for each.
void LiveTls::complain(const std::string& message) {
  if (*complaint_.read() == message) return;
  log_.error("TLS stays as it was: {}", message);
  complaint_.publish(std::make_shared<const std::string>(message));
}

std::vector<std::string> LiveTls::trouble() const {
  std::vector<std::string> result;
  const auto complaint = complaint_.read();
  if (!complaint->empty()) result.push_back(fmt::format("TLS stays as it was: {}", *complaint));
  const auto context = now();
  if (context && context->certificate().expires <= clock_.wall()) {
    result.push_back(fmt::format("TLS: the {} has expired at {}", harmless(title(context->certificate())),
                                 rfc3339(context->certificate().expires)));
  }
  return result;
}

}  // namespace gpukeeper::service
