// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/intrusive/list.hpp>
#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/task.hpp"

namespace clouddocs::net {

using SteadyTime = std::chrono::steady_clock::time_point;

// What an event loop knows of a connection.
class LoopMember : public boost::intrusive::list_base_hook<> {
 public:
  virtual ~LoopMember() = default;
  // Ends the waits whose deadline has passed.
  virtual void sweep(SteadyTime now) = 0;
  // Asks for an end: at once when idle, else after what is running.
  virtual void drain() = 0;
  // Ends everything now.
  virtual void cut() = 0;
};

// 256 KiB buffers for bodies, kept warm: first touch of fresh pages is slow. Used on one event loop.
class BufferPool {
 public:
  static constexpr std::size_t buffer_size = 256U << 10;
  using Memory = std::unique_ptr<char[]>;
  Memory take();
  void give_back(Memory memory);

 private:
  std::vector<Memory> free_;
};

// A buffer of the pool, returned when it goes.
class PooledBuffer {
 public:
  explicit PooledBuffer(BufferPool& pool) : pool_(pool) {}
  ~PooledBuffer() {
    if (memory_) pool_.give_back(std::move(memory_));
  }
  PooledBuffer(const PooledBuffer&) = delete;
  PooledBuffer& operator=(const PooledBuffer&) = delete;
  // Taken at the first call.
  std::span<char> span() {
    if (!memory_) memory_ = pool_.take();
    return {memory_.get(), BufferPool::buffer_size};
  }

 private:
  BufferPool& pool_;
  BufferPool::Memory memory_;
};

// One thread's io_context and what its connections share. Everything but `context` is used on that thread alone.
class EventLoop {
 public:
  EventLoop();

  BufferPool buffers;
  std::string scratch;  // for building a response head; valid until the next suspension

  void add(LoopMember& member);
  void remove(LoopMember& member);
  // Makes a sweep happen soon after `deadline`. Deadlines cost no timer each: one timer walks over all members.
  void expect_deadline(SteadyTime deadline);
  void drain_members();
  void cut_members();

  // For the Date header; formatted once a second.
  std::string_view date();
  // 16 characters, unique enough to find a request in a log.
  std::string make_request_id();

 private:
  void schedule(SteadyTime at);
  void sweep();

  static constexpr std::chrono::milliseconds sweep_period{500};
  SteadyTime next_sweep_ = SteadyTime::max();
  boost::intrusive::list<LoopMember> members_;
  std::time_t date_second_ = 0;
  std::string date_;
  std::uint64_t id_state_;

 public:
  // Behind everything that connections use: they may live in its handlers until it goes.
  core::asio::io_context context;

 private:
  core::asio::steady_timer timer_;
};

}  // namespace clouddocs::net
