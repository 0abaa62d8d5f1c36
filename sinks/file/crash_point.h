// Named points at which a test kills the process. In a build for use they are nothing.
//
// Built with SESSIONLOGD_CRASH_POINTS (the target sessionlogd_crash and the tests of crashes), the process gets SIGKILL
// at the n-th time it comes to the point that SESSIONLOGD_CRASH_AT names ("NAME" or "NAME:N").
#pragma once

#include <array>
#include <string_view>

namespace sessionlogd {

inline constexpr std::array kCrashPoints = {
    // a commit
    std::string_view("commit.begun"), std::string_view("commit.written"), std::string_view("commit.synced"),
    std::string_view("commit.done"),
    // one file ends, the next begins
    std::string_view("rotate.begun"), std::string_view("rotate.renamed"), std::string_view("begin.made"),
    std::string_view("begin.named"), std::string_view("begin.committed"),
    // recovery
    std::string_view("recover.locked"), std::string_view("recover.read"), std::string_view("recover.written_back"),
    std::string_view("recover.synced"), std::string_view("recover.committed"), std::string_view("recover.done"),
    // looking after rotated files
    std::string_view("compress.begun"), std::string_view("compress.written"), std::string_view("compress.renamed"),
    std::string_view("compress.named"), std::string_view("compress.removed"), std::string_view("keep.removed")};

#ifdef SESSIONLOGD_CRASH_POINTS
void crash_point(std::string_view name);
#else
inline void crash_point(std::string_view) {}
#endif

}  // namespace sessionlogd
