// SPDX-License-Identifier: Apache-2.0
//
// Steps over ordinary bytes of a head, sixteen at a time where the machine has SSE2 (every x86-64).
// A step may end early: before a byte that is rare but allowed, or, where there is no SSE2 or the
// bytes are few, at once. So whoever steps goes on byte by byte, and those tests alone judge.
#pragma once

#include <bit>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace sluice::http::scan {

/// The bytes that may be read; what has arrived after them is none of a head's business.
struct Window {
    const char* begin;
    const char* end;
};

#if defined(__SSE2__)

inline __m128i sixteen(char c) { return _mm_set1_epi8(c); }
// Unsigned comparisons, which SSE2 has only by way of the smaller and the larger of two.
inline __m128i at_most(__m128i bytes, char most) {
    return _mm_cmpeq_epi8(_mm_min_epu8(bytes, sixteen(most)), bytes);
}
inline __m128i at_least(__m128i bytes, char least) {
    return _mm_cmpeq_epi8(_mm_max_epu8(bytes, sixteen(least)), bytes);
}
inline __m128i within(__m128i bytes, char first, char last) {
    return at_most(_mm_sub_epi8(bytes, sixteen(first)), static_cast<char>(last - first));
}
inline __m128i is(__m128i bytes, char c) { return _mm_cmpeq_epi8(bytes, sixteen(c)); }
inline __m128i either(__m128i a, __m128i b) { return _mm_or_si128(a, b); }

/// How many ordinary bytes stand in a row at `from` + `skipped`, as far as `from` + 16.
template <class Ordinary>
unsigned run(const char* from, unsigned skipped, Ordinary ordinary) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
    const auto mask = static_cast<unsigned>(_mm_movemask_epi8(ordinary(bytes)));
    return static_cast<unsigned>(std::countr_zero(~(mask >> skipped)));
}

template <class Ordinary>
const char* step(const char* at, Window in, Ordinary ordinary) {
    while (in.end - at >= 16) {
        const unsigned n = run(at, 0, ordinary);
        at += n;
        if (n < 16) return at;
    }
    // The last bytes are looked at together with those before them: nothing behind is touched.
    if (at >= in.end || in.end - in.begin < 16) return at;
    return at + run(in.end - 16, static_cast<unsigned>(16 - (in.end - at)), ordinary);
}

/// Over letters, digits and hyphens, of which nearly all names are made.
inline const char* over_word(const char* at, Window in) {
    return step(at, in, [](__m128i bytes) {
        const __m128i lower = _mm_or_si128(bytes, sixteen(0x20));
        return either(either(within(lower, 'a', 'z'), within(bytes, '0', '9')), is(bytes, '-'));
    });
}

/// Over what may stand in a target, but for '%'.
inline const char* over_target(const char* at, Window in) {
    return step(at, in, [](__m128i bytes) {
        const __m128i special = either(either(is(bytes, '%'), is(bytes, '#')), is(bytes, '\\'));
        return _mm_andnot_si128(special, within(bytes, 0x21, 0x7e));
    });
}

/// Over all that may stand in a value: no control byte but HTAB.
inline const char* over_text(const char* at, Window in) {
    return step(at, in, [](__m128i bytes) {
        const __m128i visible = _mm_andnot_si128(is(bytes, 0x7f), at_least(bytes, ' '));
        return either(visible, is(bytes, '\t'));
    });
}

#else

inline const char* over_word(const char* at, Window) { return at; }
inline const char* over_target(const char* at, Window) { return at; }
inline const char* over_text(const char* at, Window) { return at; }

#endif

}  // namespace sluice::http::scan
