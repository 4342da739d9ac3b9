"""What Redis does in one step: the scripts of the Redis store. Pure.

Rules:
- All keys of a script have one hash tag, so they are in one slot, and Redis Cluster runs it like one Redis.
- Every script first looks, then decides, then writes: what is refused has changed nothing.
- Offsets stay below 2^53, where Lua's numbers are whole.
"""

import hashlib


class Script:
    """A script, and the hash by which Redis knows it."""

    def __init__(self, *parts: str) -> None:
        self.text = "".join(parts)
        self.sha = hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest()


LUA = "#!lua\n"
"""How a script begins. Redis runs one with such a first line only when it may write."""
_READING = "#!lua flags=no-writes\n"
_FULL = "#!lua flags=allow-oom\n"
"""How a script begins that adds next to nothing, or frees: it runs in a Redis that is full, too."""

LOG = """
local function whole(n) return string.format('%.0f', n) end
-- The log of KEYS[1..3]; nothing when there is none.
local function load()
  local h = redis.call('HMGET', KEYS[1], 'epoch', 'oldest', 'latest', 'listed', 'time')
  if not h[1] then return nil end
  return {epoch = h[1], oldest = tonumber(h[2]), latest = tonumber(h[3]), listed = h[4] or '', time = h[5]}
end
local function save(log)
  redis.call('HSET', KEYS[1], 'epoch', log.epoch, 'oldest', whole(log.oldest), 'latest', whole(log.latest),
    'time', log.time)
end
local function tell(log, first, bodies)
  local parts = {struct.pack('>c16dI8I8', log.epoch, tonumber(log.time), log.oldest, first)}
  for _, body in ipairs(bodies) do
    parts[#parts + 1] = struct.pack('>I4', #body)
    parts[#parts + 1] = body
  end
  redis.call('SPUBLISH', KEYS[3], table.concat(parts))
end
local function answer(log)
  return {log.epoch, log.oldest, log.latest, log.listed, log.time}
end
"""

APPENDING = """
-- Appends n messages, given from ARGV[at] on as (has an id, digest, body); the keys of ids are KEYS[key], ...
-- A log that is not there is born with epoch `birth`; one that is behind what was shown of it goes on as `renewed`.
local function append(at, n, key, birth, renewed, known_epoch, known_latest, time, window, max_events)
  local log, born, changed = load(), false, false
  if not log then
    if birth == '' then return {'', 'missing'} end
    log, born = {epoch = birth, oldest = 1, latest = 0, listed = '', time = time}, true
  elseif log.epoch == known_epoch and log.latest < known_latest then
    log.epoch, changed = renewed, true
  end
  local now, first = tonumber(time), log.latest + 1
  local receipts, bodies, ids = {}, {}, {}
  for i = 1, n do
    local digest, body, old = ARGV[at + 1], ARGV[at + 2], nil
    if ARGV[at] == '1' then
      local id = KEYS[key]
      key = key + 1
      local kept = ids[id] or redis.call('GET', id)
      if kept then
        local used_digest, used_offset, used_at = struct.unpack('>c16I8d', kept)
        if used_at > now - window then
          if used_digest ~= digest then return {'', 'conflict', i - 1} end
          old = used_offset
        end
      end
      if not old then ids[id] = struct.pack('>c16I8d', digest, first + #bodies, now) end
    end
    if old then
      receipts[i] = -old
    else
      receipts[i] = first + #bodies
      bodies[#bodies + 1] = body
    end
    at = at + 3
  end
  if #bodies > 0 or changed then
    if born then redis.call('DEL', KEYS[2]) end
    for id, kept in pairs(ids) do redis.call('SET', id, kept, 'PX', whole(window * 1000)) end
    for i, body in ipairs(bodies) do
      redis.call('XADD', KEYS[2], whole(first + i - 1) .. '-0', 't', time, 'b', body)
    end
    if #bodies > 0 then
      log.latest, log.time = log.latest + #bodies, time
      log.oldest = log.oldest + redis.call('XTRIM', KEYS[2], 'MAXLEN', '=', max_events)
    end
    save(log)
    tell(log, first, bodies)
  end
  return {log.epoch, log.oldest, log.latest, log.listed, receipts}
end
"""

APPEND = Script(
    LUA,
    LOG,
    APPENDING,
    """
return append(8, (#ARGV - 7) / 3, 4, ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5], tonumber(ARGV[6]),
  ARGV[7])
""",
)
"""KEYS: head, log, news, the id of each message that has one. ARGV: birth, renewed, known epoch and latest, time,
window, max_events, then each message."""

HEAD = Script(
    _FULL,
    LOG,
    """
local birth, renewed, known_epoch, known_latest, known_time = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5]
local log = load()
if not log then
  if birth == '' then return {'', 'missing'} end
  log = {epoch = birth, oldest = 1, latest = 0, listed = '', time = '0'}
  redis.call('DEL', KEYS[2])
  save(log)
  tell(log, 1, {})
elseif log.epoch == known_epoch then
  local behind = log.latest < known_latest
  if not behind and known_latest >= log.oldest then
    local at = whole(known_latest)
    local kept = redis.call('XRANGE', KEYS[2], at, at)[1]
    behind = not kept or tonumber(kept[2][2]) ~= tonumber(known_time)
  end
  if behind then
    log.epoch = renewed
    save(log)
    tell(log, log.latest + 1, {})
  end
end
return answer(log)
""",
)
"""KEYS: head, log, news. ARGV: birth, renewed, and what is known: epoch, latest, and when that was published."""

TRIM = Script(
    _FULL,
    LOG,
    """
local log, kept_from, most = load(), tonumber(ARGV[1]), tonumber(ARGV[2])
if not log then return {'', 'missing'} end
local last, gone, count = log.oldest - 1, 0, 1
while gone < most do
  local page = redis.call('XRANGE', KEYS[2], whole(last + 1), '+', 'COUNT', count)
  local expired = 0
  for _, entry in ipairs(page) do
    if tonumber(entry[2][2]) >= kept_from then break end
    expired = expired + 1
  end
  last, gone = last + expired, gone + expired
  if expired < count then break end
  count = math.min(count * 2, 64)
end
if gone > 0 then
  redis.call('XTRIM', KEYS[2], 'MINID', '=', whole(last + 1))
  log.oldest = last + 1
  save(log)
  tell(log, log.latest + 1, {})
end
return {log.epoch, log.oldest, log.latest, gone, gone >= most and 1 or 0}
""",
)
"""KEYS: head, log, news. ARGV: events before this time go, about so many at most. Answers also how many went, and
whether there may be more."""

READ = Script(
    _READING,
    """
local after, events, room, count, found = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), 1, {}
local epoch = redis.call('HGET', KEYS[1], 'epoch') or ''
while events > 0 do
  count = math.min(count, events)
  local page = redis.call('XRANGE', KEYS[2], string.format('(%.0f-0', after), '+', 'COUNT', count)
  for _, entry in ipairs(page) do
    local body = entry[2][4]
    room = room - #body
    if #found > 0 and room < 0 then return {epoch, found} end
    found[#found + 1] = {entry[1], entry[2][2], body}
  end
  if #page < count then break end
  events = events - count
  after = tonumber(string.match(page[#page][1], '^%d+'))
  count = math.min(count * 2, 64)
end
return {epoch, found}
""",
)
"""KEYS: head, log. ARGV: after, at most so many events and bytes, but at least one event."""

LISTED = Script(
    _FULL,
    "if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('HSET', KEYS[1], 'listed', ARGV[1]) end return 1\n",
)
"""KEYS: head. ARGV: the store's epoch. Marks that the index of channels has this one."""

LOOK = Script(
    _READING,
    """
local time = redis.call('TIME')
return {redis.call('GET', KEYS[1]) or '', redis.call('ZSCORE', KEYS[2], ARGV[1]) and 1 or 0, time[1], time[2]}
""",
)
"""KEYS: the store's epoch, the index. ARGV: a channel to look up. Also tells the time."""

EPOCH = Script(LUA, "redis.call('SET', KEYS[1], ARGV[1], 'NX') return redis.call('GET', KEYS[1])\n")
"""KEYS: the store's epoch. ARGV: an epoch for a store that has none."""

MAY_WRITE = Script(LUA, "return 1\n")
"""Needs no key. Refused wherever an append would be."""

LEAD = Script(
    _FULL,
    """
local leader = redis.call('GET', KEYS[1])
if leader and leader ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
""",
)
"""KEYS: who trims. ARGV: who asks, and for how many milliseconds it will."""

ACK = Script(
    LUA,
    """
local stored = {}
for at = 2, #ARGV, 3 do
  local channel, epoch, offset = ARGV[at], ARGV[at + 1], ARGV[at + 2]
  local old = redis.call('HGET', KEYS[1], channel)
  if old then
    local same = string.match(old, '^(.*) ') == epoch
    local further = tonumber(offset) > tonumber(string.match(old, ' (%d+)$'))
    if same and (ARGV[1] == '1' or not further) then offset = nil end
  end
  if offset then redis.call('HSET', KEYS[1], channel, epoch .. ' ' .. offset) end
end
for at = 2, #ARGV, 3 do stored[#stored + 1] = redis.call('HGET', KEYS[1], ARGV[at]) end
return stored
""",
)
"""KEYS: a client's cursors. ARGV: whether only first ones are stored, then channel, epoch and offset of each."""
