// SPDX-License-Identifier: Apache-2.0
#include "sluice/base/recycler.hpp"

#include <array>
#include <bit>
#include <new>
#include <utility>

namespace sluice::recycler {
namespace {

constexpr std::size_t kSmallest = 128;
constexpr std::size_t kClasses = 13;                 // 128 B ... 512 KiB
constexpr std::size_t kKeptBytes = 2 * 1024 * 1024;  // per class and thread

// Sanitizers must see every frame come and go, or they miss use after free.
#if defined(__SANITIZE_ADDRESS__)
constexpr bool kRecycle = false;
#else
constexpr bool kRecycle = true;
#endif

std::size_t class_of(std::size_t size) {
    if (size <= kSmallest) return 0;
    return static_cast<std::size_t>(std::bit_width(size - 1)) - 7;
}

struct FreeBlock {
    FreeBlock* next;
};

struct Lists {
    std::array<FreeBlock*, kClasses> head;
    std::array<std::size_t, kClasses> count;
    bool closed;
};

// Trivial, so that reading it costs one instruction: a destructor would put a check for "first use
// on this thread" before every access.
constinit thread_local Lists lists{};

/// Gives a thread's lists back when it ends.
struct AtThreadEnd {
    ~AtThreadEnd() {
        for (FreeBlock*& list : lists.head) {
            while (list != nullptr)
                ::operator delete(std::exchange(list, list->next));
        }
        lists.closed = true;
    }
    void arm() {}
};
thread_local AtThreadEnd at_thread_end;

void* allocate_new(std::size_t size) {
    at_thread_end.arm();  // nothing is released on a thread before something was taken there
    return ::operator new(size);
}

}  // namespace

std::size_t usable(std::size_t size) {
    const std::size_t c = class_of(size);
    return c < kClasses ? kSmallest << c : size;
}

void* allocate(std::size_t size) {
    const std::size_t c = class_of(size);
    if (c >= kClasses) return ::operator new(size);
    if (FreeBlock* block = lists.head[c]; block != nullptr) {
        lists.head[c] = block->next;
        --lists.count[c];
        return block;
    }
    return allocate_new(kSmallest << c);
}

void release(void* block, std::size_t size) noexcept {
    const std::size_t c = class_of(size);
    const bool keep = kRecycle && c < kClasses && !lists.closed &&
                      (lists.count[c] + 1) * (kSmallest << c) <= kKeptBytes;
    if (!keep) {
        ::operator delete(block);
        return;
    }
    lists.head[c] = new (block) FreeBlock{lists.head[c]};
    ++lists.count[c];
}

}  // namespace sluice::recycler
