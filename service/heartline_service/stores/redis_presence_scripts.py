"""What Redis does in one step to presence, all of which is in the slot of "$presence". Pure."""

from heartline_service.stores.redis_scripts import APPENDING, LOG, LUA, Script

PRESENCE = Script(
    LUA,
    LOG,
    APPENDING,
    """
local records, online, offline = KEYS[#KEYS - 2], KEYS[#KEYS - 1], KEYS[#KEYS]
local client, record, is_online = ARGV[#ARGV - 2], ARGV[#ARGV - 1], ARGV[#ARGV] == '1'
local told = {'', 'untold'}
if #ARGV > 10 then
  told = append(8, 1, 4, ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5], tonumber(ARGV[6]), ARGV[7])
  if told[1] == '' then return told end
end
redis.call('HSET', records, client, record)
redis.call('ZADD', is_online and online or offline, 0, client)
redis.call('ZREM', is_online and offline or online, client)
return told
""",
)
"""KEYS: as APPEND for "$presence", then records, clients online, clients offline. ARGV: as APPEND with one message or
none, then the client, its record, whether it is online."""
