// Finds a secret in what an appliance says: some echo the request that they refuse, and what they say is logged or
// kept.
#pragma once

#include <cstddef>
#include <string_view>

namespace sessionlogd {

// Whether `text` holds `secret` in any form that undoing encodings brings back: HTML's entities (as numbers, and by the
// names that HTML has for the characters of ASCII and Latin-1), percent-encoding, JSON's and C's escapes,
// quoted-printable, base64 and its form for URLs, hex, of UTF-8 or of ASCII in UTF-16, one around the other up to four
// deep, in letters of either case. Text and secret are brought to one plain form, so that no list of what may have been
// done to it is needed. An empty secret is in no text.
//
// Not undone: HTML's names of other characters (the rest of the secret is found only where it has none of them), octal
// numbers, bytes as decimal numbers, base32 and base85, "%u00fc" and "\u{fc}", other forms of Unicode of one character,
// a secret that is reversed, in pieces or cut.
//
// Takes time in proportion to `text`, about 0.2 ms a KiB, and looks at 4 MiB at most, decoded forms included: what is
// longer counts as holding it. Hand over what would be quoted or kept, and a little more, so that a secret is seen that
// is cut at its end.
bool holds_secret(std::string_view text, std::string_view secret);

}  // namespace sessionlogd
