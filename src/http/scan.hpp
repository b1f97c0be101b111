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
/// Not from `first` to `last`, both unsigned. Shifted so that `first` becomes the lowest signed
/// number, as SSE2 compares signed ones only.
inline __m128i outside(__m128i bytes, unsigned first, unsigned last) {
    const __m128i shifted = _mm_add_epi8(bytes, sixteen(static_cast<char>(0x80 - first)));
    return _mm_cmpgt_epi8(shifted, sixteen(static_cast<char>(0x80 + last - first)));
}
inline __m128i is(__m128i bytes, char c) { return _mm_cmpeq_epi8(bytes, sixteen(c)); }
inline __m128i both(__m128i a, __m128i b) { return _mm_and_si128(a, b); }
inline __m128i either(__m128i a, __m128i b) { return _mm_or_si128(a, b); }

/// A bit for each of the sixteen bytes at `from`: whether it stops the step.
template <class Stops>
unsigned stops_in(const char* from, Stops stops) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
    return static_cast<unsigned>(_mm_movemask_epi8(stops(bytes)));
}

/// The rest of a step: long runs, and the last bytes of the window.
template <class Stops>
[[gnu::noinline]] const char* step_on(const char* at, const Window& in, Stops stops) {
    for (; in.end - at >= 16; at += 16) {
        if (const unsigned found = stops_in(at, stops)) return at + std::countr_zero(found);
    }
    if (at >= in.end || in.end - in.begin < 16) return at;
    // The last bytes are looked at together with those before them: nothing behind is touched.
    const unsigned found = stops_in(in.end - 16, stops) >> (16 - (in.end - at));
    return found != 0 ? at + std::countr_zero(found) : in.end;
}

template <class Stops>
const char* step(const char* at, const Window& in, Stops stops) {
    if (in.end - at < 16) return step_on(at, in, stops);
    const unsigned found = stops_in(at, stops);
    return found != 0 ? at + std::countr_zero(found) : step_on(at + 16, in, stops);
}

/// Over letters, digits and hyphens, of which nearly all names are made.
inline const char* over_word(const char* at, const Window& in) {
    return step(at, in, [](__m128i bytes) {
        const __m128i lower = either(bytes, sixteen(0x20));
        const __m128i others = both(outside(lower, 'a', 'z'), outside(bytes, '0', '9'));
        return _mm_andnot_si128(is(bytes, '-'), others);
    });
}

/// Over what may stand in a target, but for '%'.
inline const char* over_target(const char* at, const Window& in) {
    return step(at, in, [](__m128i bytes) {
        const __m128i special = either(either(is(bytes, '%'), is(bytes, '#')), is(bytes, '\\'));
        return either(special, outside(bytes, 0x21, 0x7e));
    });
}

/// Over all that may stand in a value: no control byte but HTAB.
inline const char* over_text(const char* at, const Window& in) {
    return step(at, in, [](__m128i bytes) {
        const __m128i controls = either(outside(bytes, 0x20, 0xff), is(bytes, 0x7f));
        return _mm_andnot_si128(is(bytes, '\t'), controls);
    });
}

#else

inline const char* over_word(const char* at, const Window&) { return at; }
inline const char* over_target(const char* at, const Window&) { return at; }
inline const char* over_text(const char* at, const Window&) { return at; }

#endif

}  // namespace sluice::http::scan
