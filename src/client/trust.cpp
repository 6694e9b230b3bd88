#include "client/trust.hpp"

#include <utility>

#include <boost/asio/ssl/context.hpp>

#include <fmt/format.h>

#include "core/display_text.hpp"

namespace gpukeeper::client {
namespace {

namespace ssl = boost::asio::ssl;
using boost::system::error_code;

tl::unexpected<Error> unusable(std::string_view variable, std::string_view file, const error_code& error) {
  return fail(Errc::invalid_argument, fmt::format("{}: '{}' cannot be used: {}; it takes a PEM file", variable,
                                                  harmless(file), error.message()));
}

}  // namespace

Result<Trust> open_trust(std::string name,
                         const std::function<std::optional<std::string>(std::string_view)>& environment) {
  const auto file = [&](std::string_view variable) { return environment(variable).value_or(""); };
  const auto context = std::make_shared<ssl::context>(ssl::context::tls_client);
  error_code error;
  context->set_options(ssl::context::no_tlsv1 | ssl::context::no_tlsv1_1, error);
  context->set_verify_mode(ssl::verify_peer, error);
  if (const std::string authorities = file("GPUKEEPER_CA"); !authorities.empty()) {
    context->load_verify_file(authorities, error);
    if (error) return unusable("GPUKEEPER_CA", authorities, error);
  } else {
    context->set_default_verify_paths(error);  // where there is none, nobody is believed, and that is said then
  }
  const std::string certificate = file("GPUKEEPER_CERTIFICATE");
  const std::string key = file("GPUKEEPER_KEY");
  if (certificate.empty() != key.empty()) {
    return fail(Errc::invalid_argument,
                "GPUKEEPER_CERTIFICATE and GPUKEEPER_KEY go together: the certificate that a "
                "client shows, and its key");
  }
  if (!certificate.empty()) {
    context->use_certificate_chain_file(certificate, error);
    if (error) return unusable("GPUKEEPER_CERTIFICATE", certificate, error);
    context->use_private_key_file(key, ssl::context::pem, error);
    if (error) return unusable("GPUKEEPER_KEY", key, error);
  }
  return Trust{std::move(name), context};
}

}  // namespace gpukeeper::client
