// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <boost/asio/thread_pool.hpp>
#include <memory>
#include <string>
#include <vector>

#include "blob/blob_store.hpp"
#include "blob/local/fan_out.hpp"
#include "blob/local/file_calls.hpp"

struct iovec;

namespace clouddocs::blob {

// Writes a temporary file and renames it into place. Small appends are collected, so that a small object costs one visit to the
// blocking pool, and a large one few.
class LocalBlobWriter final : public BlobWriter {
 public:
  LocalBlobWriter(core::asio::thread_pool& pool, FileCalls& calls, FanOut& objects, ObjectName name,
                  std::string temporary);
  ~LocalBlobWriter() override;
  LocalBlobWriter(const LocalBlobWriter&) = delete;
  LocalBlobWriter& operator=(const LocalBlobWriter&) = delete;

  core::Task<> append(std::span<const core::ByteView> parts) override;
  core::Task<> commit() override;

 private:
  // These block.
  void open();
  void write_buffer_and(std::span<const core::ByteView> parts);
  void write_all(std::vector<iovec> parts);
  void publish();

  core::asio::thread_pool& pool_;
  FileCalls& calls_;
  FanOut& objects_;
  const ObjectName name_;
  const std::string temporary_;
  std::unique_ptr<FileHandle> file_;
  core::Bytes buffer_;
  bool is_temporary_there_ = false;
  bool has_failed_ = false;
};

}  // namespace clouddocs::blob
