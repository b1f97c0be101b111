// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <type_traits>

namespace sluice {

/// Up to N elements in place. The storage is not touched until it is used: most requests need
/// little of it, and zeroing all of it would cost more than filling it.
template <class T, std::size_t N>
class InlineList {
    static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);

public:
    static constexpr std::size_t kMax = N;

    InlineList() noexcept {}  // NOLINT: the slots stay uninitialised on purpose
    InlineList(const InlineList& o) noexcept { assign(o); }
    InlineList& operator=(const InlineList& o) noexcept {
        assign(o);
        return *this;
    }
    ~InlineList() = default;

    std::span<const T> all() const { return {slots_, count_}; }
    std::size_t size() const { return count_; }
    bool empty() const { return count_ == 0; }
    const T& operator[](std::size_t i) const { return slots_[i]; }
    bool push(const T& value) {
        if (count_ == N) return false;
        slots_[count_++] = value;
        return true;
    }
    void truncate(std::size_t count) { count_ = count; }
    void clear() { truncate(0); }

private:
    void assign(const InlineList& o) {
        count_ = o.count_;
        for (std::size_t i = 0; i < count_; ++i)
            slots_[i] = o.slots_[i];
    }

    std::size_t count_ = 0;
    union {
        T slots_[N];
    };
};

}  // namespace sluice
