// SPDX-License-Identifier: AGPL-3.0-or-later
#include "net/http_client.hpp"

#include <curl/curl.h>

#include <cstring>
#include <mutex>

#include "net/ascii.hpp"

namespace clouddocs::net {

namespace {

struct CloseHandle {
  void operator()(CURL* handle) const { ::curl_easy_cleanup(handle); }
};
using Handle = std::unique_ptr<CURL, CloseHandle>;

struct FreeList {
  void operator()(curl_slist* list) const { ::curl_slist_free_all(list); }
};
using HeaderList = std::unique_ptr<curl_slist, FreeList>;

void append(HeaderList& list, const std::string& line) {
  curl_slist* longer = ::curl_slist_append(list.get(), line.c_str());
  if (longer == nullptr) throw std::bad_alloc();
  (void)list.release();
  list.reset(longer);
}

// One exchange: what libcurl's callbacks see.
struct Transfer {
  const HttpClient::Request& request;
  HttpClient::Response response;
  const std::atomic<bool>& aborted;
  CURL* handle;
  std::string_view unsent;  // of the source's last piece
  bool over_limit = false;
  std::exception_ptr thrown;  // by the caller's source or sink; must not pass through C

  long status() const {
    long code = 0;
    ::curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &code);
    return code;
  }
};

// Fills the buffer from as many pieces as it takes: libcurl sends what one call brings by itself.
std::size_t read_source(char* into, std::size_t size, std::size_t count, void* context) {
  auto& transfer = *static_cast<Transfer*>(context);
  std::size_t done = 0;
  try {
    while (done < size * count) {
      if (transfer.unsent.empty()) transfer.unsent = core::as_text(transfer.request.source());
      if (transfer.unsent.empty()) break;
      const auto length = std::min(size * count - done, transfer.unsent.size());
      std::memcpy(into + done, transfer.unsent.data(), length);
      transfer.unsent.remove_prefix(length);
      done += length;
    }
  } catch (...) {
    transfer.thrown = std::current_exception();
    return CURL_READFUNC_ABORT;
  }
  return done;
}

std::size_t write_body(char* from, std::size_t size, std::size_t count, void* context) {
  auto& transfer = *static_cast<Transfer*>(context);
  const std::string_view bytes(from, size * count);
  const long status = transfer.status();
  if (transfer.request.sink && status >= 200 && status < 300) {
    try {
      return transfer.request.sink(core::as_bytes(bytes)) ? bytes.size() : 0;
    } catch (...) {
      transfer.thrown = std::current_exception();
      return 0;
    }
  }
  if (bytes.size() > transfer.request.body_limit - transfer.response.body.size()) {
    transfer.over_limit = true;
    return 0;
  }
  transfer.response.body += bytes;
  return bytes.size();
}

std::size_t write_header(char* from, std::size_t size, std::size_t count, void* context) {
  auto& transfer = *static_cast<Transfer*>(context);
  std::string_view line(from, size * count);
  while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
  if (line.starts_with("HTTP/")) transfer.response.headers.clear();  // the answer behind a 100 Continue
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return size * count;
  std::string name(line.substr(0, colon));
  for (char& c : name) c = to_lower(c);
  transfer.response.headers.emplace_back(std::move(name), trim(line.substr(colon + 1)));
  return size * count;
}

int check_abort(void* context, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<Transfer*>(context)->aborted ? 1 : 0;
}

}  // namespace

std::string HttpClient::Response::header(std::string_view name) const {
  for (const auto& [field, value] : headers) {
    if (equal_ignoring_case(field, name)) return value;
  }
  return {};
}

struct HttpClient::State {
  explicit State(Options chosen) : options(std::move(chosen)) {}

  // A handle with the connections it has kept, or a new one.
  Handle take() {
    const std::lock_guard lock(mutex);
    if (!free.empty()) {
      Handle handle = std::move(free.back());
      free.pop_back();
      return handle;
    }
    Handle handle(::curl_easy_init());
    if (!handle) throw NetworkError("libcurl has no handle");
    return handle;
  }
  void give_back(Handle handle) {
    constexpr std::size_t kept = 32;
    ::curl_easy_reset(handle.get());  // options go, connections stay
    const std::lock_guard lock(mutex);
    if (free.size() < kept) free.push_back(std::move(handle));
  }

  void prepare(CURL* handle, Transfer& transfer, HeaderList& headers) const;
  void count(CURL* handle);

  const Options options;
  std::mutex mutex;
  std::vector<Handle> free;
  std::atomic<bool> aborted = false;
  std::atomic<std::uint64_t> sent = 0;
  std::atomic<std::uint64_t> received = 0;
};

void HttpClient::State::prepare(CURL* handle, Transfer& transfer, HeaderList& headers) const {
  const HttpClient::Request& request = transfer.request;
  const auto set = [&](auto option, auto value) { ::curl_easy_setopt(handle, option, value); };
  set(CURLOPT_URL, request.url.c_str());
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_TCP_NODELAY, 1L);
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options.connect_timeout.count()));
  set(CURLOPT_LOW_SPEED_LIMIT, 1L);
  // libcurl counts whole seconds.
  set(CURLOPT_LOW_SPEED_TIME,
      std::max(1L, static_cast<long>(std::chrono::ceil<std::chrono::seconds>(options.stall_timeout).count())));
  set(CURLOPT_BUFFERSIZE, 512L << 10);
  set(CURLOPT_UPLOAD_BUFFERSIZE, 512L << 10);
  if (!options.ca_file.empty()) set(CURLOPT_CAINFO, options.ca_file.c_str());
  if (!options.user_agent.empty()) set(CURLOPT_USERAGENT, options.user_agent.c_str());

  const bool has_body = request.source || !request.body.empty();
  if (request.method == "HEAD") {
    set(CURLOPT_NOBODY, 1L);
  } else if (request.source) {
    set(CURLOPT_UPLOAD, 1L);
    set(CURLOPT_READFUNCTION, &read_source);
    set(CURLOPT_READDATA, &transfer);
    set(CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(request.source_length));
  } else if (has_body || request.method == "POST" || request.method == "PUT" || request.method == "PATCH") {
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    set(CURLOPT_POSTFIELDS, request.body.data());
  }
  if (request.method != "HEAD") set(CURLOPT_CUSTOMREQUEST, request.method.c_str());

  append(headers, "Expect:");  // libcurl would wait for 100 Continue before each upload
  bool has_type = false;
  for (const auto& [name, value] : request.headers) {
    has_type |= equal_ignoring_case(name, "Content-Type");
    append(headers, value.empty() ? name + ";" : name + ": " + value);
  }
  if (!has_type) append(headers, "Content-Type:");  // not the form type that libcurl would claim
  set(CURLOPT_HTTPHEADER, headers.get());
  set(CURLOPT_WRITEFUNCTION, &write_body);
  set(CURLOPT_WRITEDATA, &transfer);
  set(CURLOPT_HEADERFUNCTION, &write_header);
  set(CURLOPT_HEADERDATA, &transfer);
  set(CURLOPT_XFERINFOFUNCTION, &check_abort);
  set(CURLOPT_XFERINFODATA, &transfer);
  set(CURLOPT_NOPROGRESS, 0L);
}

void HttpClient::State::count(CURL* handle) {
  curl_off_t up = 0;
  curl_off_t down = 0;
  long request_head = 0;
  long response_head = 0;
  ::curl_easy_getinfo(handle, CURLINFO_SIZE_UPLOAD_T, &up);
  ::curl_easy_getinfo(handle, CURLINFO_SIZE_DOWNLOAD_T, &down);
  ::curl_easy_getinfo(handle, CURLINFO_REQUEST_SIZE, &request_head);
  ::curl_easy_getinfo(handle, CURLINFO_HEADER_SIZE, &response_head);
  sent += static_cast<std::uint64_t>(up + request_head);
  received += static_cast<std::uint64_t>(down + response_head);
}

HttpClient::HttpClient(Options options) {
  static const CURLcode ready = ::curl_global_init(CURL_GLOBAL_DEFAULT);  // once per process, before the first handle
  if (ready != CURLE_OK) throw NetworkError("libcurl does not start");
  state_ = std::make_unique<State>(std::move(options));
}
HttpClient::~HttpClient() = default;

HttpClient::Response HttpClient::send(const Request& request) {
  if (state_->aborted) throw NetworkError("aborted");
  Handle handle = state_->take();
  Transfer transfer{request, {}, state_->aborted, handle.get(), {}, false, {}};
  HeaderList headers;
  char reason[CURL_ERROR_SIZE] = "";
  state_->prepare(handle.get(), transfer, headers);
  ::curl_easy_setopt(handle.get(), CURLOPT_ERRORBUFFER, reason);
  const CURLcode outcome = ::curl_easy_perform(handle.get());
  state_->count(handle.get());
  transfer.response.status = static_cast<int>(transfer.status());
  const bool was_aborted = outcome == CURLE_ABORTED_BY_CALLBACK;
  state_->give_back(std::move(handle));
  if (transfer.thrown) std::rethrow_exception(transfer.thrown);
  if (transfer.over_limit)
    throw NetworkError("the answer is larger than " + std::to_string(request.body_limit) + " bytes: " + request.url);
  // The caller's sink said stop: that is an answer, not a failure.
  if (outcome == CURLE_WRITE_ERROR && request.sink) return std::move(transfer.response);
  if (outcome != CURLE_OK) {
    throw NetworkError(was_aborted ? "aborted"
                                   : std::string(reason[0] != '\0' ? reason : ::curl_easy_strerror(outcome)) + ": " +
                                         request.url);
  }
  return std::move(transfer.response);
}

void HttpClient::abort() { state_->aborted = true; }
std::uint64_t HttpClient::bytes_sent() const { return state_->sent; }
std::uint64_t HttpClient::bytes_received() const { return state_->received; }

}  // namespace clouddocs::net
