// SPDX-License-Identifier: AGPL-3.0-or-later
#include "core/encoding.hpp"
#include "core/log.hpp"
#include "features/storage/chunk_store.hpp"

namespace clouddocs::storage {
namespace {

using core::Errc;
using core::Error;

constexpr std::size_t in_buffer = std::numeric_limits<std::size_t>::max();
constexpr std::size_t most_closing = 4;  // segments becoming durable at once: bounds what is not yet on the disk

constexpr database::Statement reserve_space{
    "space_reserve",
    "UPDATE spaces SET reserved = reserved + $2 WHERE id = $1 RETURNING owner_id, storage_used + reserved"};
constexpr database::Statement owner_plan{"user_plan", "SELECT plan FROM users WHERE id = $1"};

}  // namespace

std::string new_segment_name(const core::Clock& clock, core::Random& random) {
  return "segments/" + core::to_hex(core::make_uuid_v7(clock.now(), random));
}

ChunkWriter::ChunkWriter(ChunkStore& store, SpaceId space) : store_(store), space_(space) {}

ChunkWriter::~ChunkWriter() {
  // What was stored and not recorded is unknown to everyone: garbage collection finds it by listing the store.
  if (!segments_.empty()) core::log_debug("segments_abandoned", {{"count", segments_.size()}});
}

Task<> ChunkWriter::open_segment() {
  spilled_ = true;
  segment_name_ = new_segment_name(store_.clock(), store_.random());
  segment_ = co_await store_.blobs().create(segment_name_);
  for (auto& ended : ended_) {
    if (ended.segment == in_buffer) ended.segment = segments_.size();
  }
  const core::ByteView held = buffer_;
  if (!held.empty()) co_await segment_->append(std::span(&held, 1));
  buffer_.clear();
}

Task<> ChunkWriter::write(core::ByteView bytes) {
  if (bytes.empty()) co_return;
  if (!segment_ && buffer_.size() + bytes.size() > small_limit) co_await open_segment();
  if (segment_) {
    co_await segment_->append(std::span(&bytes, 1));
  } else {
    buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
  }
  position_ += bytes.size();
}

Task<> ChunkWriter::append(core::ByteView bytes, std::span<const ChunkEnd> ends) {
  std::size_t written = 0;  // several chunks are one write, but for the end of a segment
  for (const ChunkEnd& end : ends) {
    const bool is_full = position_ + (end.at - written) >= segment_size;
    if (is_full) {
      co_await write(bytes.subspan(written, end.at - written));
      written = end.at;
    }
    ended_.push_back({end.name, end.size, segment_ ? segments_.size() : in_buffer, chunk_start_});
    chunk_start_ += end.size;
    if (is_full) co_await close_segment();
  }
  co_await write(bytes.subspan(written));
}

Task<> ChunkWriter::append_chunk(const content::ChunkName& name, core::ByteView bytes) {
  const ChunkEnd end{bytes.size(), name, static_cast<std::uint32_t>(bytes.size())};
  co_await append(bytes, std::span(&end, 1));
}

Task<> ChunkWriter::close_segment() {
  if (closing_.size() >= most_closing) {
    co_await closing_.front().join();
    closing_.pop_front();
  }
  auto finish = [](std::unique_ptr<blob::BlobWriter> segment) -> Task<> { co_await segment->commit(); };
  closing_.emplace_back(co_await core::asio::this_coro::executor, finish(std::move(segment_)));
  segments_.push_back({segment_name_, position_});
  unrecorded_ += position_;
  position_ = chunk_start_ = 0;
}

std::vector<NewChunk> ChunkWriter::small_chunks() const {
  std::vector<NewChunk> out;
  for (const auto& ended : ended_) {
    out.push_back({ended.name, ended.size, "", 0, core::ByteView(buffer_).subspan(ended.offset, ended.size)});
  }
  return out;
}

Task<Result<>> ChunkWriter::record() {
  if (segment_ && chunk_start_ == position_) co_await close_segment();
  for (; !closing_.empty(); closing_.pop_front()) co_await closing_.front().join();
  std::vector<NewChunk> chunks;
  std::vector<Ended> later;  // in the segment that is still open
  for (const auto& ended : ended_) {
    if (ended.segment == in_buffer) {
      chunks.push_back({ended.name, ended.size, "", 0, core::ByteView(buffer_).subspan(ended.offset, ended.size)});
    } else if (ended.segment < segments_.size()) {
      chunks.push_back({ended.name, ended.size, segments_[ended.segment].name, ended.offset, {}});
    } else {
      later.push_back(ended);
      later.back().segment = 0;
    }
  }
  if (chunks.empty() && segments_.empty()) co_return Result<>();
  const Timestamp now = store_.clock().now();
  auto body = [&](Transaction& tx) -> Task<Result<>> {
    // Locks the space first; what is new is known only afterwards, so the sum is set right at the end.
    const auto locked = co_await tx.execute(reserve_space, space_, 0);
    if (locked.empty()) co_return Error(Errc::not_found, "There is no such space.");
    std::int64_t added = 0;
    for (const auto& chunk : chunks) {
      if (!co_await ChunkIndex::add(tx, space_, chunk, true, now)) added += chunk.size;
    }
    for (const auto& segment : segments_) co_await ChunkIndex::add_segment(tx, space_, segment, now);
    const auto plan = co_await tx.execute(owner_plan, locked.front().id<UserId>(0));
    const auto& limits = store_.plans().get(plan.empty() ? "free" : std::string(plan.front().text(0)));
    if (added > 0 && locked.front().int64(1) + added > limits.storage) {
      co_return Error(Errc::quota_exceeded,
                      "The storage of this account is full. Delete something or change the plan.");
    }
    co_await tx.execute(reserve_space, space_, added);
    co_return Result<>();
  };
  CO_CHECK(co_await database::transact(store_.db(), database::Access::write, space_.view(), body));
  segments_.clear();
  ended_ = std::move(later);
  unrecorded_ = 0;
  spilled_ = true;
  if (!segment_) {
    // A chunk that has begun in the buffer stays there.
    buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(chunk_start_));
    position_ = buffer_.size();
    chunk_start_ = 0;
  }
  co_return Result<>();
}

}  // namespace clouddocs::storage
