#include "tests/kafka/trouble.h"

#include <librdkafka/rdkafka.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <map>
#include <random>
#include <stdexcept>
#include <thread>

namespace sessionlogd::test {
namespace {

struct Plan {
  std::string action, call;
  int left = 0;
};
Plan plan;

bool is_due(const char* call) { return plan.call == call && --plan.left == 0; }

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
  if (!is_due(name)) return call();
  if (plan.action == "die-before") die();
  std::thread death;
  if (plan.action == "die-during") death = dying();
  if (plan.action == "stop-before") ::raise(SIGSTOP);
  if (plan.action == "fail-before") return failure();
  rd_kafka_error_t* error = call();
  if (plan.action == "die-after") die();
  if (death.joinable()) death.join();
  if (plan.action == "stop-after") ::raise(SIGSTOP);
  if (plan.action != "fail-after") return error;
  if (error != nullptr) rd_kafka_error_destroy(error);
  return failure();
}

}  // namespace

void plan_trouble(const std::string& text) {
  const std::size_t first = text.find(':'), second = text.find(':', first + 1);
  if (second == text.npos) throw std::invalid_argument(text);
  plan = {text.substr(0, first), text.substr(first + 1, second - first - 1), std::stoi(text.substr(second + 1))};
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
