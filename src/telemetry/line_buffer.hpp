// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <charconv>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "sluice/base/prefetch.hpp"
#include "telemetry/byte_block.hpp"

namespace sluice::telemetry {

/// Collects one line on the stack and appends it to `out` in one piece: a line has some twenty
/// parts, and appending each to a string costs twice the formatting.
class LineBuffer {
public:
    static constexpr std::size_t kPadding = sizeof(Block);

    explicit LineBuffer(std::string& out) : out_(out) {}
    ~LineBuffer() { spill(); }
    LineBuffer(const LineBuffer&) = delete;
    LineBuffer& operator=(const LineBuffer&) = delete;

    /// `text` must be readable up to kPadding bytes beyond its end.
    void literal(const char* text, std::size_t size) {
        if (!has_room(size)) {
            out_.append(text, size);
            return;
        }
        for (std::size_t i = 0; i < size; i += kPadding) {
            std::memcpy(bytes_ + used_ + i, text + i, kPadding);
        }
        used_ += size;
    }
    void text(std::string_view text) {
        if (!has_room(text.size())) {
            out_ += text;
            return;
        }
        std::memcpy(bytes_ + used_, text.data(), text.size());
        used_ += text.size();
    }
    /// The same if there is nothing but letters, digits and "-./:" in `text`, which no format
    /// escapes; else false, and nothing is written. Spares most values the format's own check.
    bool word(std::string_view text) {
        if (!has_room(text.size()) || !is_word(text)) return false;
        std::memcpy(bytes_ + used_, text.data(), text.size());
        used_ += text.size();
        return true;
    }
    void number(std::int64_t value) {
        if (!has_room(kNumberSize)) return;  // never: kNumberSize is far below the capacity
        used_ = static_cast<std::size_t>(
            std::to_chars(bytes_ + used_, bytes_ + used_ + kNumberSize, value).ptr - bytes_);
    }
    /// The string itself, for what is rare and may be long.
    std::string& spilled() {
        spill();
        return out_;
    }

private:
    static constexpr std::size_t kCapacity = 1024, kNumberSize = 20, kUsualLine = 256;

    static bool is_word(std::string_view text) {
        constexpr std::size_t kBlock = sizeof(Block);
        if (text.size() <= kBlock) return !any(outside_words(load_short(text.data(), text.size())));
        const char* const last = text.data() + text.size() - kBlock;
        auto other = outside_words(load_block(last));
        for (const char* at = text.data(); at < last; at += kBlock)
            other |= outside_words(load_block(at));
        return !any(other);
    }
    /// Makes room; false when `size` bytes never fit.
    bool has_room(std::size_t size) {
        if (kCapacity - used_ >= size) return true;
        spill();
        return kCapacity >= size;
    }
    void spill() {
        out_.append(bytes_, used_);
        used_ = 0;
        prefetch(out_.data() + out_.size(), kUsualLine);  // where the next line will go
    }

    std::string& out_;
    std::size_t used_ = 0;
    char bytes_[kCapacity + kPadding];
};

}  // namespace sluice::telemetry
