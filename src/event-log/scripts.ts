/** The Lua scripts: Redis runs each as one step, so numbering, storing and publishing cannot be torn apart. */

/** Entries a stream keeps; older ones are known by the snapshot alone. */
export const STREAM_LENGTH = 2_000;
/** Executions a list of recent ones keeps. */
export const RECENT_LENGTH = 500;
/** Streams that are remembered as moved, and words of publishers about what they dropped. */
export const MOVED_LENGTH = 2_000;
export const GAPS_LENGTH = 100;
const DAY_S = 86_400;
/** After its last event an execution's log stays this long, seconds: while open, and once ended. */
export const OPEN_TTL_S = 7 * DAY_S;
export const ENDED_TTL_S = DAY_S;

/** Milliseconds by the clock of Redis, as text: Lua would print a number of this size with an exponent. */
const NOW_MS = `
local function now_ms()
  local time = redis.call('TIME')
  return string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
end
`;

/** The number of the server process, begun where another process, or nobody, had written through it. */
const NUMBER = `
local function number_of(epoch_key, run_id, now)
  local server = redis.call('HMGET', epoch_key, 'run_id', 'number')
  if server[1] == run_id then return server[2] end
  local number = string.format('%.0f', math.max((tonumber(server[2]) or 0) + 1, tonumber(now)))
  redis.call('HSET', epoch_key, 'run_id', run_id, 'number', number)
  return number
end
`;

/** Numbers the server process before an event does. KEYS: epoch. ARGV: server run id. */
export const BEGIN = `${NOW_MS}${NUMBER}
number_of(KEYS[1], ARGV[1], now_ms())
`;

/**
 * Takes one event into the log. Returns its seq, or 0 when it is known.
 *
 * KEYS: stream, seen, snapshot, meta, epoch, open, workflow status or none, moved, then the lists of recent executions.
 * ARGV: event JSON, event id, snapshot key, precedence (`g,d,a,r`) or '', server run id, timestamp, the same in ms,
 *       execution id or '', channel, phase (`start`, `end` or ''), execution state it brings or '', node count with a start,
 *       `repair` for what is told in somebody else's place, or '', the stream's name.
 *
 * A stream's log epoch is made of the number of the server process and of the moment the stream was born at. The number is the
 * moment the process was first written through: counted up it would go back with an older dump, and begin again when Redis was
 * emptied, and what came then would be taken for known. Only a strictly higher precedence replaces a snapshot entry: terminal
 * states absorb. What repairs is taken only where it would replace the entry, so that it never comes after something newer. An
 * entry Redis does not take stands behind something that is no event and was put there by others:
 * the stream goes, and who was further back than the event before is told that it is not recovered. The JSON is extended as text, because decoding and encoding it in Lua turns `[]` into `{}`.
 */
export const PUBLISH = `${NOW_MS}${NUMBER}
local stream, seen, snapshot, meta, epoch_key, open, status = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7]
local moved, name = KEYS[8], ARGV[14]
local json, event_id, key, precedence, run_id = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local timestamp, at, execution_id, channel = ARGV[6], ARGV[7], ARGV[8], ARGV[9]
local phase, state, node_count, repair = ARGV[10], ARGV[11], ARGV[12], ARGV[13]

local known = redis.call('HMGET', meta, 'started', 'ended')
if redis.call('ZSCORE', seen, event_id) or (phase == 'start' and known[1]) or (phase == 'end' and known[2]) then return 0 end

local function outranks(old)
  local theirs = string.gmatch(string.match(old, '^[^{]*'), '%d+')
  for mine in string.gmatch(precedence, '%d+') do
    local a, b = tonumber(mine), tonumber(theirs())
    if a ~= b then return a > b end
  end
  return false
end
if repair ~= '' and phase == '' then
  local standing = redis.call('HGET', snapshot, key)
  if standing and not outranks(standing) then return 0 end
end

local now = now_ms()
local number = number_of(epoch_key, run_id, now)
local seq = redis.call('HINCRBY', meta, 'seq', 1)
if seq == 1 then
  redis.call('DEL', stream, seen)
  redis.call('HSET', meta, 'born', now)
end
local epoch = number .. '-' .. string.sub(run_id, 1, 8) .. '-' .. redis.call('HGET', meta, 'born')
redis.call('HSET', meta, 'log_epoch', epoch)

local envelope = string.sub(json, 1, -2) .. ',"log_epoch":"' .. epoch .. '","seq":' .. seq .. '}'
local function append(call) return call('XADD', stream, 'MAXLEN', ${STREAM_LENGTH}, seq .. '-0', 'e', envelope) end
if type(append(redis.pcall)) == 'table' then
  redis.call('DEL', stream)
  append(redis.call)
end
redis.call('ZADD', seen, seq, event_id)
redis.call('ZREMRANGEBYSCORE', seen, '-inf', seq - ${STREAM_LENGTH})
redis.call('ZADD', moved, now, name)
redis.call('ZREMRANGEBYRANK', moved, 0, -${MOVED_LENGTH + 1})

if precedence ~= '' then
  local standing = redis.call('HGET', snapshot, key)
  if not standing or outranks(standing) then
    redis.call('HSET', snapshot, key, precedence .. envelope)
    if state ~= '' then redis.call('HSET', meta, 'state', state) end
  end
end
if phase == 'start' then redis.call('HSET', meta, 'started', seq, 'node_count', node_count) end
if phase == 'end' then redis.call('HSET', meta, 'ended', seq) end

if execution_id ~= '' then
  local ended = phase == 'end' or known[2]
  for i = 1, 4 do redis.call('EXPIRE', KEYS[i], ended and ${ENDED_TTL_S} or ${OPEN_TTL_S}) end
  if ended then redis.call('ZREM', open, execution_id) else redis.call('ZADD', open, 'GT', at, execution_id) end
  for i = 9, #KEYS do
    redis.call('ZADD', KEYS[i], 'GT', at, execution_id)
    redis.call('ZREMRANGEBYRANK', KEYS[i], 0, -${RECENT_LENGTH + 1})
    redis.call('EXPIRE', KEYS[i], ${OPEN_TTL_S})
  end
  if string.match(status, '^workflow:') then
    local old = redis.call('HMGET', status, 'execution_id', 'last_event_at')
    local newest = not old[2] or timestamp >= old[2]
    if newest or old[1] == execution_id then
      redis.call('HSET', status, 'execution_id', execution_id, 'state', redis.call('HGET', meta, 'state') or 'running')
      redis.call('HSET', status, 'last_event_at', newest and timestamp or old[2])
      redis.call('EXPIRE', status, ${OPEN_TTL_S})
    end
  end
end
redis.call('PUBLISH', channel, envelope)
return seq
`;

/** Says what a publisher had to drop, to who listens now and to who does later. KEYS: gaps. ARGV: the words, channel. */
export const TELL_GAP = `${NOW_MS}
redis.call('ZADD', KEYS[1], now_ms(), ARGV[1])
redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -${GAPS_LENGTH + 1})
return redis.call('PUBLISH', ARGV[2], ARGV[1])
`;

/**
 * Begins a stream anew for an execution that a reset made run again: what it did since is undone, and told again under ids the log
 * would take for known. KEYS: stream, seen, snapshot, meta. ARGV: the run. Returns 1, or 0 when it was begun anew for this run before.
 */
export const RENEW = `
if redis.call('HGET', KEYS[4], 'reset_run') == ARGV[1] then return 0 end
redis.call('DEL', KEYS[1], KEYS[2], KEYS[3], KEYS[4])
redis.call('HSET', KEYS[4], 'reset_run', ARGV[1])
redis.call('EXPIRE', KEYS[4], ${OPEN_TTL_S})
return 1
`;

/** How long one that claimed an execution may take, seconds: a worker's answer is awaited for five. */
const CLAIM_S = 6;

/** Who asks an execution how it stands, so that not every gateway does. KEYS: claim. ARGV: who. Returns 1, or 0 when somebody else does. */
export const CLAIM = `
local by = redis.call('HGET', KEYS[1], 'by')
if by and by ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'by', ARGV[1])
redis.call('EXPIRE', KEYS[1], ${CLAIM_S})
return 1
`;

/** Nodes and position in one step. KEYS: snapshot, meta. Returns [[seq, log_epoch, started, ended, node_count], [key, value, …]]. */
export const SNAPSHOT = `
local meta = redis.call('HMGET', KEYS[2], 'seq', 'log_epoch', 'started', 'ended', 'node_count')
return { meta, redis.call('HGETALL', KEYS[1]) }
`;

/**
 * Events after a position, and whether that position is still in the log.
 *
 * KEYS: stream, meta. ARGV: log epoch or '', seq, limit, server run id. Returns [seq, log_epoch, recovered, [envelope, …]]:
 * recovered is 1 when every event after the position is there and within the limit. A position of an earlier epoch or of an earlier
 * server process is never recovered: one that restarted may have lost what came after it, or renumbered what the reader has seen.
 * What others put between or behind the
 * numbered entries is passed over.
 */
export const REPLAY = `
local meta = redis.call('HMGET', KEYS[2], 'seq', 'log_epoch')
local seq, epoch = tonumber(meta[1] or '0'), meta[2] or ''
local after, limit = tonumber(ARGV[2]), tonumber(ARGV[3])
local own_run = '-' .. string.sub(ARGV[4], 1, 8) .. '-'
local foreign = ARGV[1] ~= '' and (ARGV[1] ~= epoch or not string.find(epoch, own_run, 1, true))
if foreign or after > seq or seq - after > limit then return { seq, epoch, 0, {} } end
local entries = redis.call('XRANGE', KEYS[1], '(' .. after .. '-0', seq .. '-0')
local events = {}
for _, entry in ipairs(entries) do
  if string.match(entry[1], '^%d+%-0$') then events[#events + 1] = entry[2][2] end
end
local recovered = #events == seq - after and 1 or 0
return { seq, epoch, recovered, events }
`;

/** How many partitions the log has. KEYS: layout. ARGV: what is said where nobody has said it yet. Returns what holds, as text. */
export const LAYOUT = `
local said = redis.call('HGET', KEYS[1], 'partitions')
if not said then
  said = ARGV[1]
  redis.call('HSET', KEYS[1], 'partitions', said)
end
return said
`;
