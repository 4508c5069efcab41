// SPDX-License-Identifier: AGPL-3.0-or-later
#include "features/sync/receive_chunks.hpp"

#include "content/chunk_stream.hpp"

namespace clouddocs::sync {
namespace {

using core::Errc;
using core::Error;
using Frame = content::ChunkStreamParser::Frame;

constexpr std::size_t group_bytes =
    512U << 10;   // small chunks are hashed together: handing over costs more than hashing one
constexpr std::size_t hash_inline = 32U << 10;  // cheaper to hash on the spot than to hand over

struct Group {
  std::vector<Frame> frames;
  std::size_t bytes = 0;
};

class Receiver {
 public:
  Receiver(storage::ChunkStore& chunks, core::SpaceId space, net::BodyReader& body,
           std::shared_ptr<const std::atomic<bool>> revoked)
      : chunks_(chunks), body_(body), revoked_(std::move(revoked)), writer_(chunks, space) {}

  Task<Result<std::int64_t>> run() {
    Group arriving;
    Group hashing;
    Group writing;
    do {
      std::swap(hashing, writing);
      std::swap(arriving, hashing);
      auto others = core::both(check(hashing), write(writing));
      auto [arrived, ahead] = co_await core::both(fill(arriving), std::move(others));
      CO_CHECK(arrived);
      CO_CHECK(ahead.first);
    } while (!arriving.frames.empty() || !hashing.frames.empty());
    if (!parser_.is_finished()) {
      co_return Error(Errc::chunk_frame_invalid, "The chunk stream ends without its end frame: it was cut off.");
    }
    CO_CHECK(co_await writer_.record());
    co_return stored_;
  }

 private:
  Task<Result<>> fill(Group& group) {
    group.frames.clear();
    group.bytes = 0;
    while (group.bytes < group_bytes) {
      CO_TRY(std::optional<Frame> frame, parser_.next(rest_));
      if (frame) {
        if (frame->missing)
          co_return Error(Errc::chunk_frame_invalid, "A frame without bytes can only be in an answer.");
        group.bytes += frame->bytes.size() + content::frame_header_size;
        group.frames.push_back(std::move(*frame));
        continue;
      }
      CO_TRY(rest_, co_await body_.read());
      if (rest_.empty()) break;
      if (revoked_ && revoked_->load(std::memory_order_relaxed)) {
        co_return Error(Errc::token_invalid, "The session was ended while chunks were being sent.");
      }
    }
    co_return Result<>();
  }

  Task<Result<>> check(const Group& group) {
    auto find_wrong = [&] {
      return std::ranges::find_if(group.frames, [](const Frame& f) { return content::name_of(f.bytes) != f.name; });
    };
    const auto wrong = group.bytes <= hash_inline ? find_wrong() : co_await core::blocking(chunks_.pool(), find_wrong);
    if (wrong == group.frames.end()) co_return Result<>();
    co_return Error(Errc::chunk_hash_mismatch, "The bytes sent as chunk " + content::to_text(wrong->name) +
                                                   " have another hash. Nothing of this request was stored.");
  }

  Task<bool> write(const Group& group) {
    for (const Frame& frame : group.frames) co_await writer_.append_chunk(frame.name, frame.bytes);
    stored_ += static_cast<std::int64_t>(group.frames.size());
    co_return true;
  }

  storage::ChunkStore& chunks_;
  net::BodyReader& body_;
  const std::shared_ptr<const std::atomic<bool>> revoked_;
  storage::ChunkWriter writer_;
  content::ChunkStreamParser parser_;
  core::ByteView rest_;
  std::int64_t stored_ = 0;
};

}  // namespace

Task<Result<std::int64_t>> receive_chunks(storage::ChunkStore& chunks, core::SpaceId space, net::BodyReader& body,
                                          std::shared_ptr<const std::atomic<bool>> revoked) {
  Receiver receiver(chunks, space, body, std::move(revoked));
  co_return co_await receiver.run();
}

}  // namespace clouddocs::sync
