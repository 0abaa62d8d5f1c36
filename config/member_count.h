// How many members a plain struct has, known when it is compiled: so a table that must name each of them can say that
// one is missing.
#pragma once

#include <cstddef>
#include <utility>

namespace sessionlogd {

// Stands for a value of any type; never made.
struct AnyValue {
  template <class T>
  operator T&() const&;
  template <class T>
  operator T&&() const&&;
};

template <class T, std::size_t... kNumbers>
consteval bool takes_values(std::index_sequence<kNumbers...>) {
  return requires { T{(static_cast<void>(kNumbers), AnyValue{})...}; };
}

// Of an aggregate without arrays and base classes.
template <class T>
consteval std::size_t member_count() {
  constexpr std::size_t kMost = 40;
  std::size_t count = 0;
  [&]<std::size_t... kCounts>(std::index_sequence<kCounts...>) {
    ((count = takes_values<T>(std::make_index_sequence<kCounts>{}) ? kCounts : count), ...);
  }
  (std::make_index_sequence<kMost>{});
  return count;
}

}  // namespace sessionlogd
