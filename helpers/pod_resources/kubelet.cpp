#include "kubelet.hpp"

#include <cerrno>
#include <cstring>
#include <memory>
#include <vector>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <fmt/format.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

namespace gpukeeper::pod_resources {
namespace {

constexpr auto* kMethod = "/v1.PodResourcesLister/List";
constexpr int kMostBytes = 16 << 20;  // of an answer: some thousand pods have one

Error connect_error(const std::string& socket, int error) {
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return {Errc::not_found,
              fmt::format("there is no socket {}: is this a node of Kubernetes, and is that folder mounted?", socket)};
    case EACCES:
    case EPERM:
      return {
          Errc::not_permitted,
          fmt::format("the socket {} may not be used: it is root's, so run as root or grant CAP_DAC_OVERRIDE", socket)};
    case ENOTSOCK:
    case ECONNREFUSED: return {Errc::unavailable, fmt::format("no kubelet listens at {}", socket)};
    case EAGAIN: return {Errc::deadline_exceeded, fmt::format("the kubelet at {} takes no connection", socket)};
    default: return {Errc::unavailable, fmt::format("connect to {}: {}", socket, std::strerror(error))};
  }
}

// gRPC tells one from another only by its words, so it is tried before. Never blocks.
Result<void> try_to_connect(const std::string& socket) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (socket.empty() || socket.size() >= sizeof address.sun_path) {
    return fail(Errc::invalid_argument,
                fmt::format("'{}' is no path of a socket: it has 1 to {} bytes", socket, sizeof address.sun_path - 1));
  }
  socket.copy(address.sun_path, socket.size());
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return fail(Errc::unavailable, fmt::format("socket: {}", std::strerror(errno)));
  const int failed = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ? 0 : errno;
  ::close(fd);
  if (failed != 0) return tl::make_unexpected(connect_error(socket, failed));
  return {};
}

Error call_error(const std::string& socket, std::chrono::seconds timeout, const grpc::Status& status) {
  const std::string& said = status.error_message();
  switch (status.error_code()) {
    case grpc::StatusCode::UNIMPLEMENTED:
      return {Errc::not_supported,
              fmt::format(
                  "the kubelet at {} does not speak version v1 of pod resources, as Kubernetes 1.20 and later do: {}",
                  socket, said)};
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      return {Errc::deadline_exceeded,
              fmt::format("the kubelet at {} did not answer within {} s", socket, timeout.count())};
    case grpc::StatusCode::RESOURCE_EXHAUSTED:
      return {Errc::resource_exhausted,
              fmt::format("the kubelet at {} answers too much, or not now: {}", socket, said)};
    case grpc::StatusCode::PERMISSION_DENIED:
    case grpc::StatusCode::UNAUTHENTICATED:
      return {Errc::not_permitted, fmt::format("the kubelet at {} does not allow it: {}", socket, said)};
    case grpc::StatusCode::UNAVAILABLE:
      return {Errc::unavailable, fmt::format("what listens at {} hangs up, or is no kubelet: {}", socket, said)};
    default: return {Errc::internal, fmt::format("the answer of the kubelet at {} cannot be read: {}", socket, said)};
  }
}

// Sends an empty message, which has no bytes, and gets the answer's. Not by a stub out of the proto: there an answer
// that cannot be parsed looks like a method that is not there.
grpc::Status call(const std::shared_ptr<grpc::Channel>& channel, std::chrono::system_clock::time_point deadline,
                  std::string& answer) {
  grpc::GenericStub stub(channel);
  grpc::ClientContext context;
  context.set_deadline(deadline);
  grpc::CompletionQueue queue;
  const grpc::Slice nothing;
  const auto pending = stub.PrepareUnaryCall(&context, kMethod, grpc::ByteBuffer(&nothing, 1), &queue);
  grpc::ByteBuffer bytes;
  grpc::Status status;
  void* tag = nullptr;
  bool well = false;
  pending->StartCall();
  pending->Finish(&bytes, &status, nullptr);
  queue.Next(&tag, &well);  // returns by the call's deadline at the latest
  std::vector<grpc::Slice> slices;
  if (!status.ok() || !bytes.Dump(&slices).ok()) return status;
  for (const grpc::Slice& slice : slices) answer.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  return status;
}

}  // namespace

Result<v1::ListPodResourcesResponse> list(const std::string& socket, std::chrono::seconds timeout) {
  const auto deadline = std::chrono::system_clock::now() + timeout;  // gRPC's own clock
  if (auto there = try_to_connect(socket); !there) return tl::make_unexpected(there.error());
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMostBytes);
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  const auto channel = grpc::CreateCustomChannel("unix:" + socket, grpc::InsecureChannelCredentials(), arguments);
  std::string answer;
  const grpc::Status status = call(channel, deadline, answer);
  if (!status.ok()) return tl::make_unexpected(call_error(socket, timeout, status));
  v1::ListPodResourcesResponse response;
  if (!response.ParseFromString(answer)) {
    return fail(Errc::internal,
                fmt::format("the answer of the kubelet at {} cannot be read: it is no list of pods", socket));
  }
  return response;
}

}  // namespace gpukeeper::pod_resources
