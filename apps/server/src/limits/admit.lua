-- One more request of a site, if its limit allows that: all or nothing, by this server's clock.
--
-- KEYS[1]  the site's log: a sorted set of requests by the time each was admitted, in microseconds
-- ARGV     limit, window in microseconds, the name of this request,
--          then pairs: the name of a request that the asking node admitted before, its age in microseconds
-- Returns  1 if it is admitted or else 0, the requests counted, and the microseconds until a place gets free
local limit, window = tonumber(ARGV[1]), tonumber(ARGV[2])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]

-- What this server has forgotten, or never heard of because it was away.
for i = 4, #ARGV, 2 do
    redis.call('ZADD', KEYS[1], 'NX', now - ARGV[i + 1], ARGV[i])
end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - window)

local count = redis.call('ZCARD', KEYS[1])
local admitted = 0
if count < limit then
    redis.call('ZADD', KEYS[1], now, ARGV[3])
    admitted, count = 1, count + 1
end
redis.call('PEXPIRE', KEYS[1], math.ceil(window / 1000))

local reset = window
local rank = math.max(count - limit, 0)
local first = redis.call('ZRANGE', KEYS[1], rank, rank, 'WITHSCORES')
if first[2] then
    reset = first[2] + window - now
end
return { admitted, count, reset }
