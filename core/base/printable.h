// Text as it may leave us for eyes: the log, the journal, a terminal, a page. What an appliance says stays on its line,
// moves no cursor, and reads in the order in which it stands.
#pragma once

#include <string>
#include <string_view>

namespace sessionlogd {

// Control characters (C0, DEL, C1), line and paragraph separators, marks of the direction of writing, characters
// without width and bytes that are no UTF-8 are written as "\n", "\x1b" or "\u202e"; all else is as it was.
std::string printable(std::string_view text);

// The same, and no blank either: one word of a line "source=... session=...", which cannot be taken for two. "" stays
// "".
std::string printable_word(std::string_view text);

// Whether printable() would change it: whether `character` (of Unicode) may not be seen as it is.
bool is_unprintable(char32_t character);

}  // namespace sessionlogd
