// One connection to the SQLite database of a state: statements, and what SQLite's errors mean for a start or a commit.
//
// WAL and synchronous=FULL: a commit that returned is on the disk. What a row holds is not known here.
#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace sessionlogd {

class StateDatabase {
 public:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  using Statement = std::unique_ptr<sqlite3_stmt, Finalize>;  // the database outlives it

  // While it lives, all that is read is of one commit, whatever a daemon writes beside it. Within another it does
  // nothing.
  class Reading {
   public:
    explicit Reading(StateDatabase& database);
    ~Reading();
    Reading(const Reading&) = delete;
    Reading& operator=(const Reading&) = delete;

   private:
    StateDatabase& database_;
    const bool is_outermost_;
  };

  // Is told, thousands of times a second, that statements work, and on what: "reading the state". What it throws ends
  // the statement and comes out of the call that ran it.
  using Tell = std::function<void(std::string_view work)>;

  // While it lives, statements tell that they do `work`. One at a time; all that it is given outlives it.
  class Telling {
   public:
    Telling(StateDatabase& database, const Tell& tell, std::string_view work);
    ~Telling();
    Telling(const Telling&) = delete;
    Telling& operator=(const Telling&) = delete;

   private:
    friend class StateDatabase;
    bool tell() noexcept;  // false: it has thrown

    StateDatabase& database_;
    const Tell& tell_;
    const std::string_view work_;
    std::exception_ptr thrown_;
  };

  // Opens the database or makes an empty one. All of the class but describe() throws as fail() does.
  explicit StateDatabase(std::string path);

  // Opens one that is there to look only, also while a daemon writes to it.
  static StateDatabase open_to_read(std::string path);

  const std::string& path() const { return path_; }
  Statement prepare(const char* sql);
  void execute(const std::string& sql);  // one statement or several
  std::int64_t number(const char* sql);  // the first column of the first row

  // false: there are no more rows.
  bool next(const Statement& row);
  bool in_transaction() const;

  // Throws what ended the statement: what `tell` threw, or by the code of SQLite, an extended one, StateMismatch when
  // the database is damaged or gone, TryLater when waiting helps, std::runtime_error otherwise.
  [[noreturn]] void fail(int code) const;

  // Throws StateMismatch: how it is damaged, and the ways out.
  [[noreturn]] void damaged(const std::string& how) const;
  std::string describe(int code) const;

 private:
  struct Close {
    void operator()(sqlite3* db) const;
  };

  StateDatabase(std::string path, int flags);
  void configure();

  std::string path_;
  std::unique_ptr<sqlite3, Close> db_;
  const Telling* telling_ = nullptr;
};

// The bytes of a column, until the row is left.
std::string_view text_of(const StateDatabase::Statement& row, int column);

// What a code of SQLite (an extended one) means to a commit.
ErrorKind classify_sqlite(int code);

}  // namespace sessionlogd
