// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <cstring>
#include <memory>
#include <span>
#include <string_view>

namespace clouddocs::net {

// Bytes received and not yet consumed. Holds no memory until the first byte is expected, 2 KiB for ordinary requests, more on demand.
class InputBuffer {
 public:
  std::string_view view() const { return {memory_.get() + begin_, end_ - begin_}; }
  bool is_empty() const { return begin_ == end_; }

  void consume(std::size_t count) {
    begin_ += count;
    if (begin_ == end_) begin_ = end_ = 0;
  }
  // Free room behind the bytes held, at least one byte; moves or grows what is there.
  std::span<char> room() {
    if (end_ == capacity_ && begin_ > 0) {
      std::memmove(memory_.get(), memory_.get() + begin_, end_ - begin_);
      end_ -= begin_;
      begin_ = 0;
    }
    if (end_ == capacity_) reallocate(capacity_ == 0 ? initial_capacity : capacity_ * 2);
    return {memory_.get() + end_, capacity_ - end_};
  }
  void commit(std::size_t count) { end_ += count; }
  // Puts bytes into an empty buffer.
  void assign(std::string_view bytes) {
    begin_ = end_ = 0;
    if (bytes.empty()) return;
    if (bytes.size() > capacity_) reallocate(bytes.size());
    std::memcpy(memory_.get(), bytes.data(), bytes.size());
    end_ = bytes.size();
  }
  // Gives memory back when nothing is held.
  void release() {
    if (!is_empty()) return;
    memory_.reset();
    begin_ = end_ = capacity_ = 0;
  }
  // As release(), but keeps what an ordinary next request needs.
  void shrink() {
    if (capacity_ > initial_capacity) release();
  }

 private:
  void reallocate(std::size_t capacity) {
    auto memory = std::make_unique_for_overwrite<char[]>(capacity);
    if (end_ > begin_) std::memcpy(memory.get(), memory_.get() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
    memory_ = std::move(memory);
    capacity_ = capacity;
  }

  static constexpr std::size_t initial_capacity = 2U << 10;
  std::unique_ptr<char[]> memory_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace clouddocs::net
