// SPDX-License-Identifier: Apache-2.0
#include "app/huge_pages.hpp"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cstring>

namespace sluice::app {
namespace {

constexpr std::size_t kSize = 80U << 20;

struct Memory {
    Memory()
        : bytes{static_cast<char*>(::mmap(nullptr, kSize, PROT_READ | PROT_WRITE,
                                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))} {}
    Memory(const Memory&) = delete;
    Memory& operator=(const Memory&) = delete;
    ~Memory() { ::munmap(bytes, kSize); }

    std::size_t resident() const {
        unsigned char pages[kSize / 4096];
        EXPECT_EQ(::mincore(bytes, kSize, pages), 0);
        std::size_t count = 0;
        for (const unsigned char page : pages)
            count += page & 1U;
        return count * 4096;
    }
    char* bytes;
};

TEST(HugePages, TakeWhatIsFullAndKeepItsContent) {
    const Memory memory;
    for (std::size_t i = 0; i < kSize; i += 512)
        memory.bytes[i] = static_cast<char>(i / 512);
    const std::size_t asked = use_huge_pages();
    for (std::size_t i = 0; i < kSize; i += 512)
        ASSERT_EQ(memory.bytes[i], static_cast<char>(i / 512)) << i;
    if (asked == 0) GTEST_SKIP() << "this kernel does not collapse pages on demand";
    EXPECT_GE(asked, kSize - (4U << 20));
    EXPECT_EQ(use_huge_pages(), 0U) << "it is done";
}

TEST(HugePages, LeaveAloneWhatIsMostlyEmpty) {
    const Memory memory;
    std::memset(memory.bytes, 1, kSize / 4);
    use_huge_pages();
    EXPECT_LE(memory.resident(), kSize / 4 + (2U << 20));
}

}  // namespace
}  // namespace sluice::app
