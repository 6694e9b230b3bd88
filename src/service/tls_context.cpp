#include "service/tls_context.hpp"

#include <ctime>
#include <string_view>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <fmt/format.h>

#include "core/display_text.hpp"

namespace gpukeeper::service {
namespace {

template <auto Free>
struct Freer {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
using ContextPointer = std::unique_ptr<SSL_CTX, Freer<SSL_CTX_free>>;
using Bio = std::unique_ptr<BIO, Freer<BIO_free>>;
using X509Pointer = std::unique_ptr<X509, Freer<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;
using Names = std::unique_ptr<GENERAL_NAMES, Freer<GENERAL_NAMES_free>>;

// Of TLS 1.2; those of 1.3 are all well. As Mozilla's "intermediate" has it, without finite-field Diffie-Hellman.
constexpr const char* kCiphers = "ECDHE+AESGCM:ECDHE+CHACHA20";
constexpr std::string_view kHttp11 = "\x08http/1.1";  // as ALPN writes it: length and name

tl::unexpected<Error> wrong(std::string_view key, const TlsMaterial::File& file, std::string_view why) {
  ERR_clear_error();
  return fail(Errc::invalid_argument, fmt::format("{}: {}: {}", key, harmless(file.path), why));
}

Bio reader(const std::string& text) {
  return Bio(::BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// Nobody is there to type one.
int no_password(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

// All that are in it, in order. Nothing where one is damaged.
std::optional<std::vector<X509Pointer>> certificates_in(const std::string& text) {
  const Bio bio = reader(text);
  std::vector<X509Pointer> all;
  while (X509* one = ::PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)) all.emplace_back(one);
  const auto error = ::ERR_peek_last_error();
  const bool at_end = ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  if (!at_end) return std::nullopt;
  return all;
}

std::string text_of(const ASN1_STRING* string) {
  unsigned char* bytes = nullptr;
  const int size = ::ASN1_STRING_to_UTF8(&bytes, string);
  if (size < 0) return {};
  std::string text(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
  OPENSSL_free(bytes);
  return text.find('\0') == text.npos ? text : std::string();  // "admin\0.example" is nobody's name
}

std::string common_name_of(const X509* certificate) {
  const X509_NAME* const subject = ::X509_get_subject_name(certificate);
  const int at = ::X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  return at < 0 ? std::string() : text_of(::X509_NAME_ENTRY_get_data(::X509_NAME_get_entry(subject, at)));
}

std::string address_of(const ASN1_OCTET_STRING* address) {
  char text[INET6_ADDRSTRLEN]{};
  const int size = ::ASN1_STRING_length(address);
  const int family = size == 4 ? AF_INET : AF_INET6;
  if (size != 4 && size != 16) return {};
  return ::inet_ntop(family, ::ASN1_STRING_get0_data(address), text, sizeof text) ? text : std::string();
}

std::string name_of(const GENERAL_NAME& name) {
  const auto with = [](std::string_view kind, const std::string& text) {
    return text.empty() ? text : fmt::format("{}:{}", kind, text);
  };
  switch (name.type) {
    case GEN_DNS: return with("DNS", text_of(name.d.dNSName));
    case GEN_URI: return with("URI", text_of(name.d.uniformResourceIdentifier));
    case GEN_EMAIL: return with("email", text_of(name.d.rfc822Name));
    case GEN_IPADD: return with("IP", address_of(name.d.iPAddress));
    default: return {};
  }
}

std::vector<std::string> names_of(const X509* certificate) {
  const Names names(
      static_cast<GENERAL_NAMES*>(::X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  std::vector<std::string> result;
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    std::string name = name_of(*sk_GENERAL_NAME_value(names.get(), i));
    if (!name.empty()) result.push_back(std::move(name));
  }
  return result;
}

std::string fingerprint_of(const X509* certificate) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  ::X509_digest(certificate, ::EVP_sha256(), digest, &size);
  std::string text;
  for (unsigned int i = 0; i < size; ++i) text += fmt::format("{:02x}", digest[i]);
  return text;
}

auth::Certificate described(const X509* certificate) {
  std::tm expires{};
  ::ASN1_TIME_to_tm(::X509_get0_notAfter(certificate), &expires);
  return {.common_name = common_name_of(certificate),
          .names = names_of(certificate),
          .fingerprint = fingerprint_of(certificate),
          .expires = std::chrono::system_clock::from_time_t(::timegm(&expires))};
}

Result<auth::Certificate> use_certificate(SSL_CTX* context, const TlsMaterial::File& file) {
  const auto chain = certificates_in(file.text);
  if (!chain) return wrong("tls.certificate", file, "a certificate in it is damaged");
  if (chain->empty()) {
    return wrong("tls.certificate", file,
                 "there is no certificate in it: it must be PEM, which begins with -----BEGIN CERTIFICATE-----");
  }
  if (::SSL_CTX_use_certificate(context, chain->front().get()) != 1) {
    return wrong("tls.certificate", file, "the certificate is too weak, or of a kind that TLS does not use");
  }
  for (std::size_t i = 1; i < chain->size(); ++i) ::SSL_CTX_add1_chain_cert(context, (*chain)[i].get());
  return described(chain->front().get());
}

Result<void> use_key(SSL_CTX* context, const TlsMaterial& material) {
  bool asked = false;
  const Key key(::PEM_read_bio_PrivateKey(reader(material.key.text).get(), nullptr, no_password, &asked));
  if (asked) {
    return wrong("tls.key", material.key,
                 "the key has a password, and nobody is there to type it: 'openssl pkey -in FILE -out OTHER' takes it "
                 "off");
  }
  if (!key) {
    return wrong("tls.key", material.key,
                 "there is no key in it: it must be PEM, which begins with -----BEGIN PRIVATE KEY-----");
  }
  if (::SSL_CTX_use_PrivateKey(context, key.get()) == 1 && ::SSL_CTX_check_private_key(context) == 1) return {};
  return wrong("tls.key", material.key,
               fmt::format("the key is not that of the certificate in {}", harmless(material.certificate.path)));
}

Result<void> use_client_ca(SSL_CTX* context, const TlsMaterial& material) {
  if (!material.client_ca) return {};
  const auto authorities = certificates_in(material.client_ca->text);
  if (!authorities || authorities->empty()) {
    return wrong("tls.client_ca", *material.client_ca,
                 authorities ? "there is no certificate in it: it must be PEM, which begins with -----BEGIN "
                               "CERTIFICATE-----"
                             : "a certificate in it is damaged");
  }
  for (const auto& authority : *authorities) {
    ::X509_STORE_add_cert(::SSL_CTX_get_cert_store(context), authority.get());
    ::SSL_CTX_add_client_CA(context, authority.get());  // its name: clients choose by it what they show
  }
  const int how = material.client_required ? SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT : SSL_VERIFY_PEER;
  ::SSL_CTX_set_verify(context, how, nullptr);
  return {};
}

// A client that offers other protocols only goes on without a word about it, as one that offers none.
int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* size, const unsigned char* offered,
                    unsigned int offered_size, void*) {
  unsigned char* found = nullptr;
  const auto* const ours = reinterpret_cast<const unsigned char*>(kHttp11.data());
  const int answer =
      ::SSL_select_next_proto(&found, size, ours, static_cast<unsigned int>(kHttp11.size()), offered, offered_size);
  *chosen = found;
  return answer == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

void choose_ways(SSL_CTX* context, config::TlsVersion least) {
  ::SSL_CTX_set_min_proto_version(context, least == config::TlsVersion::v1_3 ? TLS1_3_VERSION : TLS1_2_VERSION);
  ::SSL_CTX_set_cipher_list(context, kCiphers);
  ::SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET |
                                     SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  ::SSL_CTX_set_num_tickets(context, 0);
  ::SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  ::SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
}

}  // namespace

Result<std::shared_ptr<const TlsContext>> TlsContext::make(const TlsMaterial& material) {
  ERR_clear_error();
  ContextPointer context(::SSL_CTX_new(::TLS_server_method()));
  if (!context) return fail(Errc::internal, "TLS: OpenSSL gives no context: is memory left?");
  choose_ways(context.get(), material.min_version);
  auto certificate = use_certificate(context.get(), material.certificate);
  if (!certificate) return tl::make_unexpected(certificate.error());
  if (auto used = use_key(context.get(), material); !used) return tl::make_unexpected(used.error());
  if (auto used = use_client_ca(context.get(), material); !used) return tl::make_unexpected(used.error());
  return std::shared_ptr<const TlsContext>(new TlsContext(context.release(), std::move(*certificate)));
}

TlsContext::~TlsContext() {
  ::SSL_CTX_free(context_);
}

ssl_st* TlsContext::connection() const {
  return ::SSL_new(context_);
}

std::optional<auth::Certificate> peer_certificate(const ssl_st* connection) {
  const X509Pointer shown(::SSL_get1_peer_certificate(connection));
  if (!shown || ::SSL_get_verify_result(connection) != X509_V_OK) return std::nullopt;
  return described(shown.get());
}

}  // namespace gpukeeper::service
