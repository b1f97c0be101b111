// SPDX-License-Identifier: Apache-2.0
#include "state/redis_scripts.hpp"

#include <openssl/sha.h>

#include <array>

namespace sluice::state {

namespace {

// A bucket is "gone at": tokens missing at a time in microseconds. Unlike an arrival time it
// survives a change of the rate, and it expires once it would be full again.
constexpr std::string_view kBucket = R"lua(
local rate = tonumber(ARGV[1])
local burst = tonumber(ARGV[2])
local want = tonumber(ARGV[3])
local back = tonumber(ARGV[4])
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local gone = 0
local held = redis.call('GET', KEYS[1])
if held then
  local space = string.find(held, ' ', 1, true)
  gone = tonumber(string.sub(held, 1, space - 1))
  local at = tonumber(string.sub(held, space + 1))
  if now > at then gone = gone - (now - at) * rate / 1000000 end
end
gone = math.min(math.max(gone - back, 0), burst)
local granted = math.min(want, math.floor(burst - gone + 0.000001))
gone = math.min(gone + granted, burst)
if gone > 0 then
  local full = 34560000
  if rate > 0 then full = math.min(gone / rate + 2, full) end
  redis.call('SET', KEYS[1], string.format('%.9f %.0f', gone, now),
             'PX', string.format('%.0f', math.ceil(full * 1000)))
elseif held then
  redis.call('DEL', KEYS[1])
end
local left = burst - gone
local retry = 0
if left < 0.999999 then
  retry = -1
  if rate > 0 then retry = math.ceil((1 - left) / rate * 1000000) end
end
return {string.format('%.0f', granted), string.format('%.0f', retry),
        string.format('%.6f', left), time[1], time[2]}
)lua";

// w: the window, u: used by all, x: extension, and one field per gateway with its part of u. A
// gateway says what it holds, so an answer that never arrived is corrected by its next question,
// and a Redis that lost its data hears it again.
constexpr std::string_view kQuota = R"lua(
local me = ARGV[1]
local window = tonumber(ARGV[2])
local begins = tonumber(ARGV[3])
local ends = tonumber(ARGV[4])
local limit = tonumber(ARGV[5])
local net = tonumber(ARGV[6])
local owed = tonumber(ARGV[7])
local want = tonumber(ARGV[8])
local spare = tonumber(ARGV[9])
local plenty = tonumber(ARGV[10])
local time = redis.call('TIME')
local now = tonumber(time[1])
if now < begins or now >= ends then return {'other', '0', '0', '0', time[1], time[2]} end
local held = redis.call('HMGET', KEYS[1], 'w', 'u', 'x', 'n:' .. me)
local was = tonumber(held[1] or '-1')
local used = tonumber(held[2] or '0')
local extension = tonumber(held[3] or '0')
local mine = tonumber(held[4] or '0')
if was < window then
  redis.call('DEL', KEYS[1])
  used = 0
  extension = 0
  mine = 0
elseif was > window then
  extension = 0
end
if net >= 0 then
  used = math.max(used + net - mine, 0)
  mine = net
end
used = used + owed
mine = mine + owed
local left = math.max(limit + extension - used, 0)
local granted = math.min(want, left)
left = left - granted
if left > plenty then
  local more = math.min(spare, math.floor((left - plenty) / 4))
  granted = granted + more
  left = left - more
end
used = used + granted
mine = mine + granted
redis.call('HSET', KEYS[1], 'w', string.format('%.0f', window), 'u', string.format('%.0f', used),
           'x', string.format('%.0f', extension), 'n:' .. me, string.format('%.0f', mine))
redis.call('EXPIREAT', KEYS[1], string.format('%.0f', ends + 172800))
redis.call('HSET', KEYS[2], string.format('%.0f:r', math.floor(now / 86400)),
           string.format('%.0f', left))
redis.call('EXPIRE', KEYS[2], ARGV[11])
return {'granted', string.format('%.0f', granted), string.format('%.0f', left),
        string.format('%.0f', mine), time[1], time[2]}
)lua";

constexpr std::string_view kExtension = R"lua(
local window = tonumber(ARGV[1])
local begins = tonumber(ARGV[2])
local ends = tonumber(ARGV[3])
local limit = tonumber(ARGV[4])
local remaining = tonumber(ARGV[5])
local time = redis.call('TIME')
local now = tonumber(time[1])
if now < begins or now >= ends then return {'other', time[1], time[2]} end
local held = redis.call('HMGET', KEYS[1], 'w', 'u')
local used = 0
if held[1] and tonumber(held[1]) >= window then
  used = tonumber(held[2] or '0')
else
  redis.call('DEL', KEYS[1])
end
redis.call('HSET', KEYS[1], 'w', string.format('%.0f', window), 'u', string.format('%.0f', used),
           'x', string.format('%.0f', used + remaining - limit))
redis.call('EXPIREAT', KEYS[1], string.format('%.0f', ends + 172800))
redis.call('HSET', KEYS[2], string.format('%.0f:r', math.floor(now / 86400)),
           string.format('%.0f', remaining))
redis.call('EXPIRE', KEYS[2], ARGV[6])
return {'set', time[1], time[2]}
)lua";

// "day:gateway" -> requests. The first of a day drops what is older than is kept.
constexpr std::string_view kHistory = R"lua(
local field = ARGV[1] .. ':' .. ARGV[2]
local count = tonumber(ARGV[3])
local held = redis.call('HGET', KEYS[1], field)
if held and tonumber(held) >= count then return 0 end
if not held then
  local oldest = tonumber(ARGV[4])
  for _, name in ipairs(redis.call('HKEYS', KEYS[1])) do
    local day = tonumber(string.match(name, '^(%d+):') or oldest)
    if day < oldest then redis.call('HDEL', KEYS[1], name) end
  end
end
redis.call('HSET', KEYS[1], field, ARGV[3])
redis.call('EXPIRE', KEYS[1], ARGV[5])
return 1
)lua";

// Alive is who was heard of within the last seconds. The mark stands for the data: another one
// means that Redis came back without it.
constexpr std::string_view kHeartbeat = R"lua(
local me = ARGV[1]
local patience = tonumber(ARGV[2])
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
if ARGV[3] == 'leave' then
  redis.call('ZREM', KEYS[1], me)
  return {'0', '', time[1], time[2]}
end
redis.call('ZADD', KEYS[1], string.format('%.0f', now), me)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('(%.0f', now - patience))
redis.call('PEXPIRE', KEYS[1], string.format('%.0f', patience * 10))
redis.call('SET', KEYS[2], me .. ':' .. time[1] .. ':' .. time[2], 'NX')
return {string.format('%.0f', redis.call('ZCARD', KEYS[1])), redis.call('GET', KEYS[2]),
        time[1], time[2]}
)lua";

}  // namespace

RedisScript::RedisScript(std::string_view text) : text_{text} {
    std::array<unsigned char, SHA_DIGEST_LENGTH> digest{};
    SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
    for (const unsigned char byte : digest) {
        sha1_ += "0123456789abcdef"[byte >> 4];
        sha1_ += "0123456789abcdef"[byte & 15];
    }
}

const RedisScript& bucket_script() {
    static const RedisScript script{kBucket};
    return script;
}
const RedisScript& quota_script() {
    static const RedisScript script{kQuota};
    return script;
}
const RedisScript& extension_script() {
    static const RedisScript script{kExtension};
    return script;
}
const RedisScript& history_script() {
    static const RedisScript script{kHistory};
    return script;
}
const RedisScript& heartbeat_script() {
    static const RedisScript script{kHeartbeat};
    return script;
}

}  // namespace sluice::state
