// A commit of the state is on the disk when it returns: SQLite is watched at its own file layer.
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <atomic>
#include <string_view>

#include "sinks/file/file_journal.h"
#include "tests/sinks/support.h"

namespace sessionlogd {
namespace {

std::atomic<int> wal_syncs = 0;

// Stands before SQLite's own file layer, and counts the syncs of write-ahead logs.
class WatchedFiles {
 public:
  WatchedFiles() : own_(sqlite3_vfs_find(nullptr)), watching_(*own_) {
    watching_.zName = "watched";
    watching_.pAppData = own_;
    watching_.xOpen = [](sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out_flags) {
      auto* own = static_cast<sqlite3_vfs*>(vfs->pAppData);
      const int result = own->xOpen(own, name, file, flags, out_flags);
      if (result != SQLITE_OK || (flags & SQLITE_OPEN_WAL) == 0) return result;
      static sqlite3_io_methods counting;
      static const sqlite3_io_methods* methods = nullptr;
      methods = file->pMethods;
      counting = *methods;
      counting.xSync = [](sqlite3_file* wal, int how) {
        ++wal_syncs;
        return methods->xSync(wal, how);
      };
      file->pMethods = &counting;
      return result;
    };
    sqlite3_vfs_register(&watching_, 1);
  }
  ~WatchedFiles() {
    sqlite3_vfs_unregister(&watching_);
    sqlite3_vfs_register(own_, 1);
  }

 private:
  sqlite3_vfs* own_;
  sqlite3_vfs watching_;
};

TEST(FileJournal, SyncsItsLogWithEveryCommit) {
  const test::TempDir place;
  const WatchedFiles watched;
  FileJournal journal(place / "state.db");
  for (int commit = 1; commit <= 5; ++commit) {
    const int before = wal_syncs;
    Batch batch;
    batch.source_id = "a";
    batch.records.push_back({static_cast<std::uint64_t>(commit), StateRecord::kSessionPart, "x"});
    ASSERT_TRUE(journal.commit(std::span(&batch, 1), {.offset = static_cast<std::uint64_t>(commit)}).has_value());
    EXPECT_GE(wal_syncs - before, 1) << "commit " << commit;
  }
}

}  // namespace
}  // namespace sessionlogd
