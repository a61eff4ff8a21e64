import { hash } from 'node:crypto';
import type { Redis } from 'ioredis';

/** One of our Lua scripts: one atomic step on Redis's own clock. */
export interface Script {
  readonly text: string;
  readonly sha1: string;
}

/** A script and the hash by which Redis knows it. */
export function makeScript(text: string): Script {
  return { text, sha1: hash('sha1', text) };
}

/** Runs a script by its hash, or by its text if Redis has forgotten it. */
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
 * Sets fields of a hash, even in a full Redis, which refuses only scripts that have not written yet, and never a removal. Every script that
 * frees memory, or keeps somebody from being considered dead, starts with the same line. KEYS hash; ARGV field value field value…
 */
const WRITE_HASH = makeScript(`
redis.call('HDEL', KEYS[1], '')
return redis.call('HSET', KEYS[1], unpack(ARGV))
`);

export async function writeHash(redis: Redis, key: string, fields: Readonly<Record<string, string | number>>): Promise<void> {
  await runScript(redis, WRITE_HASH, [key], Object.entries(fields).flat());
}

/** A worker's heartbeat. KEYS workers states limits; ARGV worker. @returns how the provider charges, and the notices, flat: state, notice, … */
export const BEAT = makeScript(`
local now = redis.call('TIME')
redis.call('HDEL', KEYS[2], '')
redis.call('ZADD', KEYS[1], now[1] * 1000 + math.floor(now[2] / 1000), ARGV[1])
return {redis.call('HGET', KEYS[3], 'tokenCharging') or '', redis.call('HGETALL', KEYS[2])}
`);

/**
 * A worker reports, after Redis may have lost data, which attempts it has in flight; one whose end has just arrived is over.
 * KEYS open results done; ARGV worker sessionId (jobId mark)…
 */
export const ACCOUNT = makeScript(`
redis.call('HDEL', KEYS[1], '')
for i = 3, #ARGV, 2 do
  if redis.call('SISMEMBER', KEYS[3], ARGV[i]) == 0 then redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
end
return redis.call('XADD', KEYS[2], '*', 'kind', 'account', 'job', '', 'text', ARGV[1] .. '|' .. ARGV[2], 'seal', '')
`);

/**
 * The runner admits the workers that are alive. Silent ones are removed first, so that their attempts can no longer change; those with a newer
 * protocol than ours are not admitted. KEYS states workers admitted open; ARGV state sessionId aliveMs protocol.
 * @returns [] if Redis has lost its data, otherwise workers and marks, flat: jobId, mark, jobId, …
 */
export const MUSTER = makeScript(`
local notice = redis.call('HGET', KEYS[1], ARGV[1])
if not notice or string.match(notice, '^[^|]*') ~= ARGV[2] then return {} end
local now = redis.call('TIME')
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now[1] * 1000 + math.floor(now[2] / 1000) - ARGV[3])
local workers = redis.call('ZRANGE', KEYS[2], 0, -1)
redis.call('DEL', KEYS[3])
for _, worker in ipairs(workers) do
  local protocol = string.match(worker, '^[^~]*~(%d+)~')
  if not protocol or tonumber(protocol) <= tonumber(ARGV[4]) then redis.call('SADD', KEYS[3], worker) end
end
return {workers, redis.call('HGETALL', KEYS[4])}
`);

/**
 * Deletes ends that are safe in the ledger. The id of a call leaves \`done\` only when its job is gone; otherwise a repeated job would call again.
 * KEYS results done states job…; ARGV state sessionId notice entries entryId… (calls callId…)… for each job.
 * @returns which of the jobs, counted from 0, are still there
 */
export const FORGET = makeScript(`
local entries = tonumber(ARGV[4])
redis.call('HDEL', KEYS[3], '')
for i = 1, entries do redis.call('XDEL', KEYS[1], ARGV[4 + i]) end
local staying, at = {}, 5 + entries
for i = 4, #KEYS do
  local calls = tonumber(ARGV[at])
  if redis.call('EXISTS', KEYS[i]) == 1 then
    staying[#staying + 1] = i - 4
  else
    for j = 1, calls do redis.call('SREM', KEYS[2], ARGV[at + j]) end
  end
  at = at + calls + 1
end
local notice = redis.call('HGET', KEYS[3], ARGV[1])
if notice and string.match(notice, '^[^|]*') == ARGV[2] then redis.call('HSET', KEYS[3], ARGV[1], ARGV[3]) end
return staying
`);

/** Withdraws a call for good if no worker has it: to every worker it is then done. KEYS open done; ARGV callId. @returns 1 if that was in time */
export const WITHDRAW = makeScript(`
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 1 then return 0 end
return redis.call('SADD', KEYS[2], ARGV[1])
`);

/** The calls in jobs. KEYS job…. @returns for each the custom ids of its calls; none if it is a single call, or is gone */
export const LIST_CALLS = makeScript(`
local lists = {}
for i = 1, #KEYS do
  local isRead, data = pcall(cjson.decode, redis.call('HGET', KEYS[i], 'data') or '')
  local ids = {}
  if isRead and type(data) == 'table' and type(data.calls) == 'table' then
    for _, call in ipairs(data.calls) do
      if type(call) == 'table' and type(call.custom_id) == 'string' then ids[#ids + 1] = call.custom_id end
    end
  end
  lists[i] = ids
end
return lists
`);
