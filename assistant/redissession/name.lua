-- Enters a session into a set of sessions, with the time when it is forgotten as its
-- score, and removes those whose time has come.
-- KEYS[1]: the set; ARGV: id, now and time to forget it in microseconds since 1970,
-- how many the set may hold (0: any number)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[2])
local most = tonumber(ARGV[4])
if most > 0 and redis.call('ZCARD', KEYS[1]) >= most and not redis.call('ZSCORE', KEYS[1], ARGV[1]) then
  return 0
end
redis.call('ZADD', KEYS[1], 'GT', ARGV[3], ARGV[1])
local last = redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')
redis.call('PEXPIREAT', KEYS[1], string.format('%.0f', math.ceil(tonumber(last[2]) / 1000)))
return 1
