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
    std::array<FreeBlock*, kClasses> head{};
    std::array<std::size_t, kClasses> count{};

    ~Lists() {
        for (FreeBlock*& list : head) {
            while (list != nullptr)
                ::operator delete(std::exchange(list, list->next));
        }
        closed = true;
    }
    bool closed = false;
};

thread_local Lists lists;

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
    return ::operator new(kSmallest << c);
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
