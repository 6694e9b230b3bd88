#include "service/stream.hpp"

#include <array>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

namespace gpukeeper::service {
namespace {

class PlainStream final : public Stream {
 public:
  explicit PlainStream(Socket socket) : socket_(std::move(socket)) {}

  asio::awaitable<Begun> begin(error_code&) override { co_return Begun::well; }

  asio::awaitable<std::size_t> read_some(asio::mutable_buffer room, error_code& error) override {
    co_return co_await socket_.async_read_some(room, asio::redirect_error(asio::use_awaitable, error));
  }

  asio::awaitable<void> write(std::string_view head, std::string_view body, error_code& error) override {
    const std::array<asio::const_buffer, 2> both = {asio::buffer(head.data(), head.size()),
                                                    asio::buffer(body.data(), body.size())};
    co_await asio::async_write(socket_, both, asio::redirect_error(asio::use_awaitable, error));
  }

  asio::awaitable<void> finish() override {
    error_code ignored;  // it has gone already
    socket_.shutdown(Socket::shutdown_send, ignored);
    co_return;
  }

  void when_gone(std::function<void()> gone) override {
    socket_.async_wait(Socket::wait_error, [gone = std::move(gone)](const error_code& error) {
      if (!error) gone();
    });
  }

  void cancel() override {
    error_code ignored;
    socket_.cancel(ignored);
  }

  std::optional<auth::Certificate> certificate() const override { return std::nullopt; }

 private:
  Socket socket_;
};

}  // namespace

std::unique_ptr<Stream> plain_stream(Socket socket) {
  return std::make_unique<PlainStream>(std::move(socket));
}

}  // namespace gpukeeper::service
