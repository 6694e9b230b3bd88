#include "recording/gzip.hpp"

#include <array>
#include <cstring>
#include <new>
#include <utility>

#include <zlib.h>

namespace gpukeeper::recording {
namespace {

constexpr int kGzip = 15 + 16;  // the largest window, and gzip's head and trailer (zlib.h, deflateInit2)

// RFC 1952, 2.3.1: magic, deflate, FEXTRA; time, flags and system; the extra field's length; ours: name, length, data.
constexpr std::array<unsigned char, 4> kMagic{0x1f, 0x8b, 8, 4};
constexpr std::size_t kExtraAt = 10;
constexpr std::size_t kDataBytes = 9;  // the kind, and a value of 8 bytes, the lowest first
constexpr std::array<unsigned char, 6> kExtra{kDataBytes + 4, 0, 'G', 'K', kDataBytes, 0};
static_assert(kHeadBytes == kExtraAt + kExtra.size() + kDataBytes);

Bytef* bytes_of(std::string_view text) {
  return reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));  // zlib's next_in is not const; it only reads
}

}  // namespace

struct MemberWriter::Stream : z_stream {
  gz_header head{};
  std::array<unsigned char, kDataBytes + 4> extra{};
};

MemberWriter::MemberWriter() : stream_(std::make_unique<Stream>()) {
  if (deflateInit2(stream_.get(), Z_BEST_COMPRESSION, Z_DEFLATED, kGzip, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::bad_alloc();  // the only way for it to fail with these arguments
  }
}

MemberWriter::~MemberWriter() {
  deflateEnd(stream_.get());
}

void MemberWriter::begin(MemberHead head) {
  deflateReset(stream_.get());
  auto& extra = stream_->extra;
  std::memcpy(extra.data(), kExtra.data() + 2, 4);
  extra[4] = static_cast<unsigned char>(head.kind);
  for (std::size_t i = 0; i < 8; ++i) extra[5 + i] = static_cast<unsigned char>(head.value >> (8 * i));
  stream_->head = {};
  stream_->head.os = 255;  // unknown
  stream_->head.extra = extra.data();
  stream_->head.extra_len = static_cast<uInt>(extra.size());
  deflateSetHeader(stream_.get(), &stream_->head);
}

void MemberWriter::begin_plain() {
  deflateReset(stream_.get());
}

void MemberWriter::deflate(std::string_view text, int mode) {
  stream_->next_in = bytes_of(text);
  stream_->avail_in = static_cast<uInt>(text.size());
  std::array<char, 16384> room;
  do {
    stream_->next_out = reinterpret_cast<Bytef*>(room.data());
    stream_->avail_out = static_cast<uInt>(room.size());
    ::deflate(stream_.get(), mode);
    packed_.append(room.data(), room.size() - stream_->avail_out);
  } while (stream_->avail_out == 0);
}

void MemberWriter::add(std::string_view text) {
  deflate(text, Z_NO_FLUSH);
}

void MemberWriter::flush() {
  deflate({}, Z_SYNC_FLUSH);
}

void MemberWriter::finish() {
  deflate({}, Z_FINISH);
}

std::string MemberWriter::take() {
  return std::exchange(packed_, {});
}

std::optional<MemberHead> read_head(std::string_view bytes) {
  if (bytes.size() < kHeadBytes || std::memcmp(bytes.data(), kMagic.data(), kMagic.size()) != 0 ||
      std::memcmp(bytes.data() + kExtraAt, kExtra.data(), kExtra.size()) != 0) {
    return std::nullopt;
  }
  const std::string_view data = bytes.substr(kExtraAt + kExtra.size(), kDataBytes);
  MemberHead head{static_cast<MemberKind>(data[0]), 0};
  for (std::size_t i = 0; i < 8; ++i) {
    head.value |= static_cast<std::uint64_t>(static_cast<unsigned char>(data[1 + i])) << (8 * i);
  }
  return head;
}

Unpacked unpack(std::string_view bytes, std::size_t limit) {
  Unpacked result;
  z_stream stream{};
  if (inflateInit2(&stream, kGzip) != Z_OK) throw std::bad_alloc();
  stream.next_in = bytes_of(bytes);
  stream.avail_in = static_cast<uInt>(bytes.size());
  std::array<char, 16384> room;
  int status = Z_OK;
  std::size_t checked = 0;  // text of members whose checksum fits
  for (;;) {
    stream.next_out = reinterpret_cast<Bytef*>(room.data());
    stream.avail_out = static_cast<uInt>(room.size());
    status = inflate(&stream, Z_NO_FLUSH);
    result.text.append(room.data(), room.size() - stream.avail_out);
    if (result.text.size() > limit) {
      result.end = Unpacked::End::bomb;
      break;
    }
    if (status == Z_STREAM_END) {
      checked = result.text.size();
      if (stream.avail_in == 0) break;
      inflateReset(&stream);  // another member follows
    } else if (status == Z_BUF_ERROR || (status == Z_OK && stream.avail_in == 0 && stream.avail_out != 0)) {
      result.end = Unpacked::End::cut_off;
      break;
    } else if (status != Z_OK) {
      result.end = Unpacked::End::damaged;
      result.text.resize(checked);
      result.message = stream.msg != nullptr ? stream.msg : "not a gzip stream";
      break;
    }
  }
  result.at = bytes.size() - stream.avail_in;
  inflateEnd(&stream);
  return result;
}

}  // namespace gpukeeper::recording
