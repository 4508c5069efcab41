// SPDX-License-Identifier: AGPL-3.0-or-later
#include "net/metrics.hpp"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <mutex>
#include <sstream>
#include <unordered_map>

namespace clouddocs::net {

namespace {

class PrometheusCounter : public Counter {
 public:
  explicit PrometheusCounter(prometheus::Counter& counter) : counter_(counter) {}
  void add(double amount) override { counter_.Increment(amount); }

 private:
  prometheus::Counter& counter_;
};

class PrometheusGauge : public Gauge {
 public:
  explicit PrometheusGauge(prometheus::Gauge& gauge) : gauge_(gauge) {}
  void set(double value) override { gauge_.Set(value); }
  void add(double amount) override { gauge_.Increment(amount); }

 private:
  prometheus::Gauge& gauge_;
};

class PrometheusHistogram : public Histogram {
 public:
  explicit PrometheusHistogram(prometheus::Histogram& histogram) : histogram_(histogram) {}
  void observe(double value) override { histogram_.Observe(value); }

 private:
  prometheus::Histogram& histogram_;
};

}  // namespace

struct Metrics::State {
  prometheus::Registry registry;
  std::mutex mutex;
  // By the address of what they wrap: the registry gives the same object for the same name and labels.
  std::unordered_map<const void*, std::unique_ptr<Counter>> counters;
  std::unordered_map<const void*, std::unique_ptr<Gauge>> gauges;
  std::unordered_map<const void*, std::unique_ptr<Histogram>> histograms;
  std::vector<std::function<void()>> refreshers;

  template <class Wrapper, class Map, class Metric>
  auto& wrap(Map& known, Metric& metric) {
    const std::lock_guard lock(mutex);
    auto& wrapper = known[&metric];
    if (!wrapper) wrapper = std::make_unique<Wrapper>(metric);
    return *wrapper;
  }
};

Metrics::Metrics() : state_(std::make_unique<State>()) {}
Metrics::~Metrics() = default;

Counter& Metrics::counter(const std::string& name, const std::string& help, const Labels& labels) {
  auto& family = prometheus::BuildCounter().Name(name).Help(help).Register(state_->registry);
  return state_->wrap<PrometheusCounter>(state_->counters, family.Add(labels));
}

Gauge& Metrics::gauge(const std::string& name, const std::string& help, const Labels& labels) {
  auto& family = prometheus::BuildGauge().Name(name).Help(help).Register(state_->registry);
  return state_->wrap<PrometheusGauge>(state_->gauges, family.Add(labels));
}

Histogram& Metrics::histogram(const std::string& name, const std::string& help, const std::vector<double>& bounds,
                              const Labels& labels) {
  auto& family = prometheus::BuildHistogram().Name(name).Help(help).Register(state_->registry);
  return state_->wrap<PrometheusHistogram>(state_->histograms, family.Add(labels, bounds));
}

void Metrics::on_collect(std::function<void()> refresh) {
  const std::lock_guard lock(state_->mutex);
  state_->refreshers.push_back(std::move(refresh));
}

std::string Metrics::serialise() const {
  {
    const std::lock_guard lock(state_->mutex);
    for (const auto& refresh : state_->refreshers) refresh();
  }
  std::ostringstream out;
  prometheus::TextSerializer().Serialize(out, state_->registry.Collect());
  return out.str();
}

namespace {

// The metrics of each (route, method, status) seen, found again without building labels.
class RequestMetrics {
 public:
  explicit RequestMetrics(Metrics& metrics)
      : metrics_(metrics),
        received_(metrics.counter("clouddocs_http_received_bytes_total", "Bytes of requests, heads included")),
        sent_(metrics.counter("clouddocs_http_sent_bytes_total", "Bytes of responses, heads included")) {}

  void observe(const RequestObservation& seen) {
    const Entry& entry = find(seen);
    entry.requests->add(1);
    entry.seconds->observe(std::chrono::duration<double>(seen.duration).count());
    received_.add(static_cast<double>(seen.bytes_in));
    sent_.add(static_cast<double>(seen.bytes_out));
  }

 private:
  struct Entry {
    Counter* requests;
    Histogram* seconds;
  };

  const Entry& find(const RequestObservation& seen) {
    const std::uint64_t kind =
        static_cast<std::uint64_t>(seen.status) << 8 | static_cast<std::uint64_t>(seen.request.method);
    const std::lock_guard lock(mutex_);
    // The route's text belongs to the router, so that its address stands for it; "" has none of its own.
    auto& entry = entries_[seen.route.empty() ? nullptr : seen.route.data()][kind];
    if (entry.requests == nullptr) entry = make(seen);
    return entry;
  }

  Entry make(const RequestObservation& seen) {
    static const std::vector<double> bounds{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                            0.25,   0.5,   1,      2.5,   5,    10,    60};
    const std::string route = seen.route.empty() ? "none" : std::string(seen.route);
    return {
        &metrics_.counter("clouddocs_http_requests_total", "Requests answered",
                          {{"method", std::string(to_text(seen.request.method))},
                           {"route", route},
                           {"status", std::to_string(seen.status)}}),
        &metrics_.histogram("clouddocs_http_request_seconds",
                            "From the end of a request's head to the end of its answer", bounds, {{"route", route}})};
  }

  Metrics& metrics_;
  Counter& received_;
  Counter& sent_;
  std::mutex mutex_;
  std::unordered_map<const void*, std::unordered_map<std::uint64_t, Entry>> entries_;
};

}  // namespace

std::function<void(const RequestObservation&)> make_request_metrics(Metrics& metrics) {
  return [state = std::make_shared<RequestMetrics>(metrics)](const RequestObservation& seen) { state->observe(seen); };
}

}  // namespace clouddocs::net
