// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstring>
#include <string_view>
#include <utility>

#include "sluice/base/recycler.hpp"

namespace sluice {

/// Bytes between a front that is consumed and a back that is filled; memory from the recycler,
/// none while empty and released.
class Buffer {
public:
    Buffer() = default;
    Buffer(const Buffer&) = delete;
    Buffer& operator=(const Buffer&) = delete;
    Buffer(Buffer&& o) noexcept
        : data_{std::exchange(o.data_, nullptr)},
          capacity_{std::exchange(o.capacity_, 0)},
          begin_{std::exchange(o.begin_, 0)},
          end_{std::exchange(o.end_, 0)} {}
    Buffer& operator=(Buffer&& o) noexcept {
        if (this == &o) return *this;
        release();
        data_ = std::exchange(o.data_, nullptr);
        capacity_ = std::exchange(o.capacity_, 0);
        begin_ = std::exchange(o.begin_, 0);
        end_ = std::exchange(o.end_, 0);
        return *this;
    }
    ~Buffer() { release(); }

    std::string_view view() const { return {data_ + begin_, end_ - begin_}; }
    std::size_t size() const { return end_ - begin_; }
    bool empty() const { return begin_ == end_; }
    std::size_t capacity() const { return capacity_; }

    /// Room for at least `n` more bytes behind the end. Views become invalid.
    void reserve(std::size_t n) {
        if (capacity_ - end_ >= n) return;
        if (capacity_ >= size() + n) {
            std::memmove(data_, data_ + begin_, size());
            end_ -= begin_;
            begin_ = 0;
            return;
        }
        const std::size_t wanted = recycler::usable(size() + n);
        char* bigger = static_cast<char*>(recycler::allocate(wanted));
        const std::size_t kept = size();
        if (kept > 0) std::memcpy(bigger, data_ + begin_, kept);
        release();
        data_ = bigger;
        capacity_ = wanted;
        end_ = kept;
    }
    char* back() { return data_ + end_; }
    std::size_t room() const { return capacity_ - end_; }
    void commit(std::size_t n) { end_ += n; }
    void consume(std::size_t n) { begin_ += n; }
    void append(std::string_view bytes) {
        if (bytes.empty()) return;
        reserve(bytes.size());
        std::memcpy(back(), bytes.data(), bytes.size());
        commit(bytes.size());
    }
    void clear() { begin_ = end_ = 0; }
    /// Gives the memory back.
    void release() {
        if (data_ != nullptr) recycler::release(data_, capacity_);
        data_ = nullptr;
        capacity_ = begin_ = end_ = 0;
    }

private:
    char* data_ = nullptr;
    std::size_t capacity_ = 0;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
};

}  // namespace sluice
