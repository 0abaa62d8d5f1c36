#include "tests/kafka/trouble.h"

#include <librdkafka/rdkafka.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <csignal>
#include <map>
#include <mutex>
#include <random>
#include <stdexcept>
#include <thread>

namespace sessionlogd::test {
namespace {

struct Plan {
  std::string action, call;
  int left = 0;
};
std::mutex mutex;
Plan plan;
bool held = false, may_go = false;
std::condition_variable gone_on;

// "" = nothing is planned for this call.
std::string action_due(const char* call) {
  const std::lock_guard lock(mutex);
  return plan.call == call && --plan.left == 0 ? plan.action : "";
}

void hold() {
  std::unique_lock lock(mutex);
  held = true;
  gone_on.wait(lock, [] { return may_go; });
  held = false;
}

void die() { ::kill(::getpid(), SIGKILL); }

// A commit takes some milliseconds.
std::thread dying() {
  return std::thread([] {
    std::this_thread::sleep_for(std::chrono::microseconds(std::random_device{}() % 8'000));
    die();
  });
}

rd_kafka_error_t* failure() { return rd_kafka_error_new(RD_KAFKA_RESP_ERR__FAIL, "%s", "planned by the test"); }

// `call` does what was asked for.
template <class Call>
rd_kafka_error_t* with_trouble(const char* name, const Call& call) {
  const std::string action = action_due(name);
  if (action.empty()) return call();
  if (action == "die-before") die();
  std::thread death;
  if (action == "die-during") death = dying();
  if (action == "stop-before") ::raise(SIGSTOP);
  if (action == "hold-before") hold();
  if (action == "fail-before") return failure();
  rd_kafka_error_t* error = call();
  if (action == "die-after") die();
  if (death.joinable()) death.join();
  if (action == "stop-after") ::raise(SIGSTOP);
  if (action == "hold-after") hold();
  if (action != "fail-after") return error;
  if (error != nullptr) rd_kafka_error_destroy(error);
  return failure();
}

}  // namespace

void plan_trouble(const std::string& text) {
  const std::size_t first = text.find(':'), second = text.find(':', first + 1);
  if (second == text.npos) throw std::invalid_argument(text);
  const std::lock_guard lock(mutex);
  plan = {text.substr(0, first), text.substr(first + 1, second - first - 1), std::stoi(text.substr(second + 1))};
  may_go = false;
}

bool is_held() {
  const std::lock_guard lock(mutex);
  return held;
}

void let_go() {
  const std::lock_guard lock(mutex);
  may_go = true;
  gone_on.notify_all();
}

}  // namespace sessionlogd::test

using sessionlogd::test::with_trouble;

extern "C" {
rd_kafka_error_t* __real_rd_kafka_init_transactions(rd_kafka_t*, int);
rd_kafka_error_t* __real_rd_kafka_begin_transaction(rd_kafka_t*);
rd_kafka_error_t* __real_rd_kafka_produceva(rd_kafka_t*, const rd_kafka_vu_t*, size_t);
rd_kafka_resp_err_t __real_rd_kafka_flush(rd_kafka_t*, int);
rd_kafka_error_t* __real_rd_kafka_commit_transaction(rd_kafka_t*, int);
rd_kafka_error_t* __real_rd_kafka_abort_transaction(rd_kafka_t*, int);

rd_kafka_error_t* __wrap_rd_kafka_init_transactions(rd_kafka_t* handle, int most) {
  return with_trouble("init", [&] { return __real_rd_kafka_init_transactions(handle, most); });
}
rd_kafka_error_t* __wrap_rd_kafka_begin_transaction(rd_kafka_t* handle) {
  return with_trouble("begin", [&] { return __real_rd_kafka_begin_transaction(handle); });
}
rd_kafka_error_t* __wrap_rd_kafka_produceva(rd_kafka_t* handle, const rd_kafka_vu_t* fields, size_t count) {
  return with_trouble("produce", [&] { return __real_rd_kafka_produceva(handle, fields, count); });
}
rd_kafka_error_t* __wrap_rd_kafka_commit_transaction(rd_kafka_t* handle, int most) {
  return with_trouble("commit", [&] { return __real_rd_kafka_commit_transaction(handle, most); });
}
rd_kafka_error_t* __wrap_rd_kafka_abort_transaction(rd_kafka_t* handle, int most) {
  return with_trouble("abort", [&] { return __real_rd_kafka_abort_transaction(handle, most); });
}
rd_kafka_resp_err_t __wrap_rd_kafka_flush(rd_kafka_t* handle, int most) {
  rd_kafka_resp_err_t result = RD_KAFKA_RESP_ERR_NO_ERROR;
  rd_kafka_error_t* error = with_trouble("flush", [&]() -> rd_kafka_error_t* {
    result = __real_rd_kafka_flush(handle, most);
    return nullptr;
  });
  if (error == nullptr) return result;
  rd_kafka_error_destroy(error);
  return RD_KAFKA_RESP_ERR__TIMED_OUT;
}
}
