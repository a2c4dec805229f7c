-- Takes a request from a bucket. The value under KEYS[1] is when the bucket is
-- full again, in microseconds; no value: it is full.
local interval, burst = tonumber(ARGV[1]), tonumber(ARGV[2]) -- microseconds that a token takes; size
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]

local full = tonumber(redis.call('GET', KEYS[1])) or now
-- Another server may have written it, whose clock was ahead.
full = math.max(now, math.min(full, now + burst * interval))

-- The value is rounded to a microsecond, of which a token has at least a hundred.
local tokens = burst - (full - now) / interval + 0.005
local allowed, retry = 0, 0
if tokens >= 1 then
  allowed, tokens, full = 1, tokens - 1, full + interval
  -- %.0f, because tostring keeps fourteen digits only.
  -- Rounded up: a value that goes early would fill the bucket early.
  redis.call('SET', KEYS[1], string.format('%.0f', full), 'PX', math.ceil((full - now) / 1000))
else
  retry = math.ceil((1 - tokens) * interval)
end
return {allowed, math.floor(tokens), retry, math.ceil(full - now)}
