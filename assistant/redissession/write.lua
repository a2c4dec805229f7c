-- Replaces a session if it still has the version that was read. Says 1 also
-- when it did so before, and the client asks again because the answer was lost.
-- KEYS[1]: the session; ARGV: version that was read, new version, time to forget it
-- in milliseconds and in microseconds since 1970, owner, head, history
local version = redis.call('HGET', KEYS[1], 'version') or ''
if version == ARGV[2] then
  return 1
end
if version ~= ARGV[1] then
  return 0
end
redis.call('HSET', KEYS[1], 'version', ARGV[2], 'forget', ARGV[4], 'owner', ARGV[5], 'head', ARGV[6], 'history', ARGV[7])
redis.call('PEXPIREAT', KEYS[1], ARGV[3])
return 1
