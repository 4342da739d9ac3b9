"""What Redis does in one step to presence, all of which is in the slot of "$presence". Pure."""

from heartline_service.stores.redis.scripts import APPENDING, LOG, LUA, Script

STANDING = Script(
    LUA,
    LOG,
    APPENDING,
    """
local records, online, offline, leases, nodes = KEYS[4], KEYS[5], KEYS[6], KEYS[7], KEYS[8]
local header = 14
local client, expected, written = ARGV[8], ARGV[9], ARGV[10]
local is_online, lease, joined, left = ARGV[11] == '1', tonumber(ARGV[12]), tonumber(ARGV[13]), tonumber(ARGV[14])
local kept = redis.call('HGET', records, client) or ''
if expected ~= '*' and kept ~= expected then return {'', 'changed', kept} end
local held = #KEYS - joined - left
for i = 1, joined do
  if not redis.call('ZSCORE', nodes, ARGV[header + i]) then return {'', 'stranger'} end
end
local told = {'', 'untold'}
local messages = header + joined + 1
if #ARGV >= messages then
  told = append(messages, 1, 9, ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5], tonumber(ARGV[6]), ARGV[7])
  if told[1] == '' then return told end
end
redis.call('HSET', records, client, written)
redis.call('ZADD', is_online and online or offline, 0, client)
redis.call('ZREM', is_online and offline or online, client)
if lease > 0 then redis.call('ZADD', leases, lease, client) else redis.call('ZREM', leases, client) end
for i = 1, joined do redis.call('SADD', KEYS[held + i], client) end
for i = 1, left do redis.call('SREM', KEYS[held + joined + i], client) end
return told
""",
)
"""KEYS: head, log, news of "$presence", records, clients online and offline, leases, nodes; the id of the message if it
has one; the clients of each node that joins as a holder, and of each that leaves.
ARGV: as APPEND up to max_events, then the client, what is to be replaced ("*": anything), by what, whether online, the
end of the lease (0: none), how many nodes join and leave, the names of those that join, then the message, if any."""

BEAT = Script(
    LUA,
    """
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
local known = redis.call('ZSCORE', KEYS[1], ARGV[1])
if known or ARGV[3] == '1' then redis.call('ZADD', KEYS[1], now + tonumber(ARGV[2]), ARGV[1]) end
return {
  known and 1 or 0,
  redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, 10),
  redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now, 'LIMIT', 0, 100),
  redis.call('LPOP', KEYS[3], 1000) or {},
}
""",
)
"""KEYS: nodes, leases, what the node was told. ARGV: the node, its ttl, whether it joins. Answers whether it was known,
nodes that are silent, clients whose leases are over, and what it was told."""

TELL = Script(LUA, "redis.call('RPUSH', KEYS[1], ARGV[1]) redis.call('EXPIRE', KEYS[1], ARGV[2]) return 1\n")
"""KEYS: what a node was told. ARGV: a word more, and for how many seconds it is kept for a node that does not beat."""
