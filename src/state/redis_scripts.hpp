// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace sluice::state {

/// A Lua script and the digest Redis knows it by.
class RedisScript {
public:
    explicit RedisScript(std::string_view text);
    std::string_view text() const { return text_; }
    const std::string& sha1() const { return sha1_; }

private:
    std::string_view text_;
    std::string sha1_;
};

/// Each touches keys of one hash slot only. Times are Redis's own.
const RedisScript& bucket_script();     ///< takes tokens, or gives them back
const RedisScript& quota_script();      ///< takes quota, or corrects what was taken
const RedisScript& extension_script();  ///< sets what remains of a quota's present window
const RedisScript& history_script();    ///< keeps the larger count of a day
const RedisScript& heartbeat_script();  ///< who is alive, and whether Redis forgot

}  // namespace sluice::state
