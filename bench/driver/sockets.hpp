// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <openssl/ssl.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bench {

using Clock = std::chrono::steady_clock;

inline double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Owns a file descriptor.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

[[noreturn]] void fail(const std::string& what);

// A blocking connection to 127.0.0.1, without Nagle's delay.
Descriptor connect_loopback(std::uint16_t port);
void set_nonblocking(const Descriptor& socket);
void write_all(const Descriptor& socket, std::string_view data);

// A blocking connection, over TLS 1.3 if asked (the certificate is not checked: it is the benchmark's own).
class Stream {
 public:
  Stream(std::uint16_t port, bool is_tls);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  void write(std::string_view data);
  std::size_t read(char* into, std::size_t size);
  const Descriptor& socket() const { return socket_; }

 private:
  Descriptor socket_;
  SSL* ssl_ = nullptr;
};

// An epoll of descriptors, each with a number of its owner's choice.
class Poller {
 public:
  Poller();
  void add(const Descriptor& socket, std::uint64_t key, std::uint32_t events);
  void change(const Descriptor& socket, std::uint64_t key, std::uint32_t events);
  // The (key, events) that are ready; none after the time is up.
  std::vector<std::pair<std::uint64_t, std::uint32_t>> wait(int milliseconds);

 private:
  Descriptor epoll_;
};

// The value at `part` (0 to 1) of the sorted values; 0 without values. Sorts them.
double percentile(std::vector<double>& values, double part);

}  // namespace bench
