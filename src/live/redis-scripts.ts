import { hash } from 'node:crypto';
import type { Redis } from 'ioredis';

/** A Lua script of ours: one atomic step on Redis's own clock. */
export interface Script {
  readonly text: string;
  readonly sha1: string;
}

function makeScript(text: string): Script {
  return { text, sha1: hash('sha1', text) };
}

/** Runs a script by its hash, and by its text where Redis has forgotten it. */
export async function runScript(
  redis: Redis,
  script: Script,
  keys: readonly string[],
  values: readonly (string | number)[],
): Promise<unknown> {
  try {
    return await redis.evalsha(script.sha1, keys.length, ...keys, ...values);
  } catch (error) {
    if (!(error as Error).message.startsWith('NOSCRIPT')) throw error;
    return redis.eval(script.text, keys.length, ...keys, ...values);
  }
}

/**
 * Grants one call its place among all calls of the key, or says why not. The arithmetic is that of `reserve` in throttle.ts. A repeated
 * request for the same grant gets the same answer, so a lost reply costs nothing.
 * KEYS requests tokens blocked limits done open crashes admitted job states;
 * ARGV jobId customId worker grant horizonMs tokens maxCrashes state.
 * @returns what, wait in ms, crashes so far, mark of the attempt
 */
export const RESERVE = makeScript(`
local now = redis.call('TIME')
now = now[1] * 1000000 + now[2]
local crashes = tonumber(redis.call('HGET', KEYS[7], ARGV[2]) or 0)
if redis.call('SISMEMBER', KEYS[5], ARGV[1]) == 1 then return {'done', 0, crashes, ''} end
if redis.call('EXISTS', KEYS[9]) == 0 or redis.call('HEXISTS', KEYS[10], ARGV[8]) == 0 then return {'gone', 0, crashes, ''} end
if redis.call('SISMEMBER', KEYS[8], ARGV[3]) == 0 then return {'stranger', 0, crashes, ''} end
local mark = redis.call('HGET', KEYS[6], ARGV[1])
if mark then
  local worker, grant, at = string.match(mark, '^(.-)|(.-)|(.-)$')
  if worker ~= ARGV[3] or grant ~= ARGV[4] then
    return {redis.call('SISMEMBER', KEYS[8], worker) == 1 and 'busy' or 'lost', 0, crashes, mark}
  end
  return {'go', math.max(0, math.ceil((at - now) / 1000)), crashes, mark}
end
if crashes >= tonumber(ARGV[7]) then return {'poison', 0, crashes, ''} end
local at = math.max(now, tonumber(redis.call('GET', KEYS[3]) or 0))
local limits = redis.call('HMGET', KEYS[4], 'microsecondsPerRequest', 'burstRequests', 'microsecondsPerToken', 'burstTokens')
local costs = {1, tonumber(ARGV[6])}
local used = {}
for i = 1, 2 do
  local per, burst = tonumber(limits[2 * i - 1] or 0), tonumber(limits[2 * i] or 0)
  used[i] = math.max(now, tonumber(redis.call('GET', KEYS[i]) or 0)) + per * costs[i]
  at = math.max(at, used[i] - per * math.max(burst, costs[i]))
end
local wait = math.ceil((at - now) / 1000)
if wait > tonumber(ARGV[5]) then return {'wait', wait, crashes, ''} end
for i = 1, 2 do redis.call('SET', KEYS[i], string.format('%.0f', used[i]), 'PX', math.ceil((used[i] - now) / 1000) + 1000) end
mark = ARGV[3] .. '|' .. ARGV[4] .. '|' .. string.format('%.0f', at)
redis.call('HSET', KEYS[6], ARGV[1], mark)
return {'go', wait, crashes, mark}
`);

/**
 * Ends an attempt: corrects the tokens it took, and delivers what came of it. May be repeated: only the first one corrects, and only an
 * answer is delivered twice.
 * KEYS tokens limits open crashes done results; ARGV jobId customId mark tokensDelta kind text seal crashed.
 * @returns the id of the delivered entry, or '' when nothing was delivered
 */
export const SETTLE = makeScript(`
if ARGV[3] ~= '' and redis.call('HGET', KEYS[3], ARGV[1]) == ARGV[3] then
  redis.call('HDEL', KEYS[3], ARGV[1])
  if ARGV[8] == '1' then redis.call('HINCRBY', KEYS[4], ARGV[2], 1) end
  local used = redis.call('GET', KEYS[1])
  local per = tonumber(redis.call('HGET', KEYS[2], 'microsecondsPerToken') or 0)
  if used and per > 0 then redis.call('SET', KEYS[1], string.format('%.0f', used + per * ARGV[4]), 'KEEPTTL') end
end
if ARGV[5] == '' then return '' end
if redis.call('SADD', KEYS[5], ARGV[1]) == 0 and ARGV[5] ~= 'line' then return '' end
return redis.call('XADD', KEYS[6], '*', 'kind', ARGV[5], 'job', ARGV[1], 'text', ARGV[6], 'seal', ARGV[7])
`);

/** Nobody leaves for a while. KEYS blocked; ARGV ms. */
export const BLOCK = makeScript(`
local now = redis.call('TIME')
local at = now[1] * 1000000 + now[2] + ARGV[1] * 1000
if at > tonumber(redis.call('GET', KEYS[1]) or 0) then
  redis.call('SET', KEYS[1], string.format('%.0f', at), 'PX', math.ceil(tonumber(ARGV[1])) + 1000)
end
return 1
`);

/** A worker's sign of life. KEYS workers states; ARGV worker. @returns the notices, flat: state, notice, state, … */
export const BEAT = makeScript(`
local now = redis.call('TIME')
redis.call('ZADD', KEYS[1], now[1] * 1000 + math.floor(now[2] / 1000), ARGV[1])
return redis.call('HGETALL', KEYS[2])
`);

/** A worker says, after Redis may have lost memory, which attempts it has under way. KEYS open results; ARGV worker epoch (jobId mark)… */
export const ACCOUNT = makeScript(`
for i = 3, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
return redis.call('XADD', KEYS[2], '*', 'kind', 'account', 'job', '', 'text', ARGV[1] .. '|' .. ARGV[2], 'seal', '')
`);

/**
 * The runner looks who works for it: the living are admitted, the silent are struck off first, so that what they have under way can no
 * longer change. KEYS states workers admitted open; ARGV state epoch aliveMs.
 * @returns [] when Redis has lost its memory, else workers and marks, flat: jobId, mark, jobId, …
 */
export const MUSTER = makeScript(`
local notice = redis.call('HGET', KEYS[1], ARGV[1])
if not notice or string.match(notice, '^[^|]*') ~= ARGV[2] then return {} end
local now = redis.call('TIME')
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now[1] * 1000 + math.floor(now[2] / 1000) - ARGV[3])
local workers = redis.call('ZRANGE', KEYS[2], 0, -1)
redis.call('DEL', KEYS[3])
if #workers > 0 then redis.call('SADD', KEYS[3], unpack(workers)) end
return {workers, redis.call('HGETALL', KEYS[4])}
`);

/**
 * Forgets ends that are safe in the ledger. A job id leaves \`done\` only when its job is gone, else a repeated job would call again.
 * KEYS results done states job…; ARGV state epoch notice entries entryId… jobId….
 * @returns job ids that must stay for now
 */
export const FORGET = makeScript(`
local entries = tonumber(ARGV[4])
for i = 1, entries do redis.call('XDEL', KEYS[1], ARGV[4 + i]) end
local staying = {}
for i = 4, #KEYS do
  local job = ARGV[1 + entries + i]
  if redis.call('EXISTS', KEYS[i]) == 1 then staying[#staying + 1] = job else redis.call('SREM', KEYS[2], job) end
end
local notice = redis.call('HGET', KEYS[3], ARGV[1])
if notice and string.match(notice, '^[^|]*') == ARGV[2] then redis.call('HSET', KEYS[3], ARGV[1], ARGV[3]) end
return staying
`);
