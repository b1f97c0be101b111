// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <charconv>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>

namespace sluice {

/// Appends text to memory that is kept for the next use: how message heads are written. Grows
/// when it must, which in the steady state is never.
class ByteWriter {
public:
    explicit ByteWriter(std::size_t capacity)
        : data_{std::make_unique_for_overwrite<char[]>(capacity)}, capacity_{capacity} {}

    void clear() { size_ = 0; }
    std::size_t size() const { return size_; }
    std::string_view view() const { return {data_.get(), size_}; }
    char* data() { return data_.get(); }

    ByteWriter& text(std::string_view s) {
        need(s.size());
        std::memcpy(data_.get() + size_, s.data(), s.size());
        size_ += s.size();
        return *this;
    }
    ByteWriter& number(std::uint64_t n) {
        need(20);
        const auto r = std::to_chars(data_.get() + size_, data_.get() + size_ + 20, n);
        size_ = static_cast<std::size_t>(r.ptr - data_.get());
        return *this;
    }
    /// "Name: value\r\n"
    ByteWriter& field(std::string_view name, std::string_view value) {
        need(name.size() + value.size() + 4);
        char* p = data_.get() + size_;
        std::memcpy(p, name.data(), name.size());
        p += name.size();
        *p++ = ':';
        *p++ = ' ';
        std::memcpy(p, value.data(), value.size());
        p += value.size();
        *p++ = '\r';
        *p++ = '\n';
        size_ = static_cast<std::size_t>(p - data_.get());
        return *this;
    }
    /// Room for `n` bytes to be written at end() by somebody else, who says where they stopped.
    void reserve(std::size_t n) { need(n); }
    char* end() { return data_.get() + size_; }
    void advance_to(const char* end) { size_ = static_cast<std::size_t>(end - data_.get()); }

private:
    void need(std::size_t n) {
        if (capacity_ - size_ < n) grow(n);
    }
    void grow(std::size_t n);

    std::unique_ptr<char[]> data_;
    std::size_t capacity_;
    std::size_t size_ = 0;
};

}  // namespace sluice
