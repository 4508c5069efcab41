// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "net/server.hpp"

namespace clouddocs::net {

// A number that only grows. Thread-safe, one atomic addition.
class Counter {
 public:
  virtual ~Counter() = default;
  virtual void add(double amount = 1) = 0;
};

// A number that goes up and down. Thread-safe.
class Gauge {
 public:
  virtual ~Gauge() = default;
  virtual void set(double value) = 0;
  virtual void add(double amount) = 0;
};

// A distribution. Thread-safe.
class Histogram {
 public:
  virtual ~Histogram() = default;
  virtual void observe(double value) = 0;
};

// The program's metrics in Prometheus' terms. Made once, at start-up, and kept by reference: making one takes a lock, using one does not
// look it up. Thread-safe. The metrics live as long as this.
class Metrics {
 public:
  using Labels = std::map<std::string, std::string>;

  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // The same name and labels give the same metric. Throws std::invalid_argument for a name that Prometheus does not take.
  Counter& counter(const std::string& name, const std::string& help, const Labels& labels = {});
  Gauge& gauge(const std::string& name, const std::string& help, const Labels& labels = {});
  Histogram& histogram(const std::string& name, const std::string& help, const std::vector<double>& bounds,
                       const Labels& labels = {});
  // Called before each serialisation, to set gauges from what is known elsewhere. REQUIRES: does not call this object.
  void on_collect(std::function<void()> refresh);
  // The text format, version 0.0.4.
  std::string serialise() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// An observer for Server that keeps clouddocs_http_requests_total{method,route,status}, clouddocs_http_request_seconds{route} and
// clouddocs_http_received_bytes_total, clouddocs_http_sent_bytes_total. REQUIRES: `metrics` outlives it.
std::function<void(const RequestObservation&)> make_request_metrics(Metrics& metrics);

}  // namespace clouddocs::net
