import { COMPARED_CALLS, LOW_SHARE, OTHERS_FACTOR } from '../limits/charge-probe.ts';
import {
  FIRST_BACK_OFF_MS,
  FULL_BURST_SECONDS,
  FULL_SHARE,
  LEAST_BURST_SECONDS,
  LEAST_SHARE,
  LONGEST_BACK_OFF_MS,
  REFUSALS_TO_DOUBT,
  RELAX_MS,
  SHARE_AFTER_REFUSAL,
} from '../limits/throttle-rules.ts';
import { makeScript } from './presence-scripts.ts';

/**
 * The rates as they stand: what the job allows and what the provider tells, the lower winning, times the share that refusals have left.
 * `LIMITS` is replaced by the key. Gives microseconds per unit and what may leave at once, for requests and for tokens.
 */
const RATES = `
local now = redis.call('TIME')
now = now[1] * 1000000 + now[2]
local limits = redis.call('HMGET', LIMITS, 'requestsPerMinute', 'toldRequests', 'tokensPerMinute', 'toldTokens', 'share', 'burstSeconds', 'changedAt', 'requestBurst', 'tokenBurst')
local share, burstSeconds = tonumber(limits[5] or '') or FULL_SHARE, tonumber(limits[6] or '') or FULL_BURST_SECONDS
local function rate(wanted, told, toldBurst)
  wanted, told = tonumber(wanted or ''), tonumber(told or '')
  local limit = wanted and told and math.min(wanted, told) or wanted or told
  if not limit then return {0, 1} end
  local seconds = math.max(LEAST_BURST_SECONDS, (tonumber(toldBurst or '') or FULL_BURST_SECONDS) * burstSeconds / FULL_BURST_SECONDS)
  return {60000000 / (limit * share), math.max(1, limit * seconds / 60)}
end
local rates = {rate(limits[1], limits[2], limits[8]), rate(limits[3], limits[4], limits[9])}
local function used(key) return tonumber(redis.call('GET', key) or 0) end
local function keep(key, instant)
  redis.call('SET', key, string.format('%.0f', instant), 'PX', math.max(1, math.ceil((instant - now) / 1000)) + 1000)
end
`;

function withRates(limitsKey: string, text: string): string {
  return (RATES + text)
    .replaceAll('LIMITS', limitsKey)
    .replaceAll('AFTER_REFUSAL', String(SHARE_AFTER_REFUSAL))
    .replaceAll('FULL_SHARE', String(FULL_SHARE))
    .replaceAll('LEAST_BURST_SECONDS', String(LEAST_BURST_SECONDS))
    .replaceAll('FULL_BURST_SECONDS', String(FULL_BURST_SECONDS));
}

/**
 * Grants one call its place among all calls of the key, or says why not. The arithmetic is that of `reserve` in gcra.ts. A repeated request
 * for the same grant gets the same answer, so a lost reply costs nothing; when all calls were held back since, it gets a later one.
 * KEYS requests tokens blocked limits done open crashes admitted job states;
 * ARGV jobId customId worker grant horizonMs tokens maxCrashes state limitsHorizonMs: how far ahead a place is given, and how far for the limits' sake.
 * @returns what, wait in ms, crashes so far, mark of the attempt, now in microseconds
 */
export const RESERVE = makeScript(
  withRates(
    'KEYS[4]',
    `
local crashes = tonumber(redis.call('HGET', KEYS[7], ARGV[2]) or 0)
local function say(what, wait, mark) return {what, wait, crashes, mark, string.format('%.0f', now)} end
if redis.call('SISMEMBER', KEYS[5], ARGV[1]) == 1 then return say('done', 0, '') end
if redis.call('EXISTS', KEYS[9]) == 0 or redis.call('HEXISTS', KEYS[10], ARGV[8]) == 0 then return say('gone', 0, '') end
if redis.call('SISMEMBER', KEYS[8], ARGV[3]) == 0 then return say('stranger', 0, '') end
local blocked = used(KEYS[3])
local costs = {1, tonumber(ARGV[6])}
local usedUntil = {used(KEYS[1]), used(KEYS[2])}
local mark = redis.call('HGET', KEYS[6], ARGV[1])
if mark then
  local worker, grant, leavesAt = string.match(mark, '^(.-)|(.-)|(.-)$')
  if worker ~= ARGV[3] or grant ~= ARGV[4] then
    return say(redis.call('SISMEMBER', KEYS[8], worker) == 1 and 'busy' or 'lost', 0, mark)
  end
  leavesAt = tonumber(leavesAt)
  if blocked <= math.max(now, leavesAt) then return say('go', math.max(0, math.ceil((leavesAt - now) / 1000)), mark) end
  for i = 1, 2 do usedUntil[i] = usedUntil[i] - rates[i][1] * costs[i] end
elseif crashes >= tonumber(ARGV[7]) then
  return say('poison', 0, '')
end
if share < FULL_SHARE and now - tonumber(limits[7] or 0) >= RELAX_MICROSECONDS then
  redis.call('HSET', KEYS[4], 'share', math.min(FULL_SHARE, share / AFTER_REFUSAL), 'burstSeconds', math.min(FULL_BURST_SECONDS, burstSeconds * 2),
    'changedAt', string.format('%.0f', now))
end
local leavesAt = math.max(now, blocked)
for i = 1, 2 do leavesAt = math.max(leavesAt, usedUntil[i] - rates[i][1] * math.max(0, rates[i][2] - costs[i])) end
local wait = math.ceil((leavesAt - now) / 1000)
local waitForLimits = math.ceil((leavesAt - math.max(now, blocked)) / 1000)
if not mark and (wait > tonumber(ARGV[5]) or waitForLimits > tonumber(ARGV[9])) then return say('wait', wait, '') end
for i = 1, 2 do
  keep(KEYS[i], math.max(leavesAt, usedUntil[i]) + rates[i][1] * costs[i])
end
mark = ARGV[3] .. '|' .. ARGV[4] .. '|' .. string.format('%.0f', leavesAt)
redis.call('HSET', KEYS[6], ARGV[1], mark)
return say('go', wait, mark)
`.replaceAll('RELAX_MICROSECONDS', String(RELAX_MS * 1000)),
  ),
);

/**
 * The same as charge-probe.ts, over the answers of all workers: while little is left, what the provider's limit loses is what it charges.
 * Samples are kept by the moment in which their call left.
 */
const CHARGE_PROBE = `
local function observe(leavesAt, left)
  local told = tonumber(limits[4] or '')
  if ARGV[12] == '' or not left or not told then return end
  if left > told * ${LOW_SHARE} then redis.call('DEL', KEYS[8]) return end
  redis.call('ZADD', KEYS[8], leavesAt, table.concat({left, ARGV[12], ARGV[13], ARGV[1]}, '|'))
  redis.call('PEXPIRE', KEYS[8], 60000)
  if redis.call('ZCARD', KEYS[8]) <= ${2 * COMPARED_CALLS} then return end
  local samples = redis.call('ZRANGE', KEYS[8], 0, ${COMPARED_CALLS}, 'WITHSCORES')
  redis.call('DEL', KEYS[8])
  local charged, usedTokens, cappedTokens = 0, 0, 0
  for i = 1, #samples, 2 do
    local sampleLeft, sampleUsed, sampleCapped = string.match(samples[i], '^(.-)|(.-)|(.-)|')
    local level = sampleLeft - samples[i + 1] * told / 60000000
    if i == 1 then charged = level else usedTokens, cappedTokens = usedTokens + sampleUsed, cappedTokens + sampleCapped end
    if i == #samples - 1 then charged = charged - level end
  end
  if charged > cappedTokens * ${OTHERS_FACTOR} or redis.call('HGET', KEYS[3], 'tokenCharging') == 'header' then return end
  redis.call('HSET', KEYS[3], 'tokenCharging', charged > (usedTokens + cappedTokens) / 2 and 'reserved' or 'actual')
end
`;

/**
 * Ends an attempt: corrects what it took, keeps within what the provider says is left, and delivers what came of it. May be repeated: only
 * the first one corrects, and only an answer is delivered twice.
 * KEYS requests tokens limits open crashes done results probe;
 * ARGV jobId customId mark requestsDelta tokensDelta remainingRequests remainingTokens kind text seal crashed usedTokens cappedTokens told.
 * @returns the id of the delivered entry, or '' when nothing was delivered
 */
export const SETTLE = makeScript(
  withRates(
    'KEYS[3]',
    `${CHARGE_PROBE}
redis.call('HDEL', KEYS[4], '')
if ARGV[3] ~= '' and redis.call('HGET', KEYS[4], ARGV[1]) == ARGV[3] then
  -- What is left was so when the call came in: what left after it is counted here already.
  local leavesAt = tonumber(string.match(ARGV[3], '([0-9]+)$'))
  redis.call('HDEL', KEYS[4], ARGV[1])
  if ARGV[11] == '1' then redis.call('HINCRBY', KEYS[5], ARGV[2], 1) end
  if ARGV[8] == 'line' then redis.call('HDEL', KEYS[3], 'refusals') end
  for i = 1, 2 do
    local before = used(KEYS[i])
    local instant = before + rates[i][1] * ARGV[3 + i]
    local remaining = tonumber(ARGV[5 + i])
    if remaining then instant = math.max(instant, leavesAt + rates[i][1] * math.max(0, rates[i][2] - remaining)) end
    if instant ~= before then keep(KEYS[i], instant) end
  end
  observe(leavesAt, tonumber(ARGV[7]))
end
if ARGV[8] == '' then return '' end
if redis.call('SADD', KEYS[6], ARGV[1]) == 0 and ARGV[8] ~= 'line' then return '' end
return redis.call('XADD', KEYS[7], '*', 'kind', ARGV[8], 'job', ARGV[1], 'text', ARGV[9], 'seal', ARGV[10], 'told', ARGV[14])
`,
  ),
);

/**
 * The provider refused a call as too early: nobody leaves for a while, and the rates are used less fully. Refusals that come together are one.
 * KEYS blocked limits; ARGV waitMs ('' when the provider said nothing) isAboutTokens random resetMs.
 * @returns for how many milliseconds nobody leaves
 */
export const REFUSE = makeScript(
  withRates(
    'KEYS[2]',
    `
redis.call('HDEL', KEYS[2], '')
local blocked = used(KEYS[1])
if now >= blocked then
  redis.call('HINCRBY', KEYS[2], 'refusals', 1)
  redis.call('HINCRBY', KEYS[2], 'allRefusals', 1)
  redis.call('HSET', KEYS[2], 'share', math.max(LEAST_SHARE, share * AFTER_REFUSAL), 'burstSeconds', math.max(LEAST_BURST_SECONDS, burstSeconds / 2),
    'changedAt', string.format('%.0f', now))
  if ARGV[2] == '1' and redis.call('HINCRBY', KEYS[2], 'tokenRefusals', 1) >= REFUSALS_TO_DOUBT then
    redis.call('HSET', KEYS[2], 'tokenCharging', 'reserved')
  end
end
local refusals = math.max(1, tonumber(redis.call('HGET', KEYS[2], 'refusals') or 1))
local backOff = math.min(FIRST_BACK_OFF * 2 ^ math.min(refusals - 1, 10), LONGEST_BACK_OFF) * (1 - ARGV[3] / 4)
local wait = tonumber(ARGV[1]) or math.min(backOff, tonumber(ARGV[4]) or backOff)
local instant = math.max(blocked, now + wait * 1000)
if instant > now then keep(KEYS[1], instant) end
return math.ceil((instant - now) / 1000)
`
      .replaceAll('LEAST_SHARE', String(LEAST_SHARE))
      .replaceAll('REFUSALS_TO_DOUBT', String(REFUSALS_TO_DOUBT))
      .replaceAll('FIRST_BACK_OFF', String(FIRST_BACK_OFF_MS))
      .replaceAll('LONGEST_BACK_OFF', String(LONGEST_BACK_OFF_MS)),
  ),
);

/** Gives back tokens that calls under way were found to have taken too much of. KEYS tokens limits; ARGV tokens. */
export const GIVE_BACK = makeScript(
  withRates(
    'KEYS[2]',
    `
redis.call('HDEL', KEYS[2], '')
keep(KEYS[1], used(KEYS[1]) - rates[2][1] * ARGV[1])
`,
  ),
);

/**
 * The limits as they stand. KEYS requests tokens blocked limits delayed.
 * @returns requests and tokens per minute ('' without a limit), how the provider charges, for how long all calls are held back, refusals so
 * far, calls in a back-off, and for how long the next request and the next token have to wait; times in milliseconds
 */
export const PACE = makeScript(
  withRates(
    'KEYS[4]',
    `
local function limit(wanted, told)
  wanted, told = tonumber(wanted or ''), tonumber(told or '')
  local lower = wanted and told and math.min(wanted, told) or wanted or told
  return lower and string.format('%.0f', lower) or ''
end
local more = redis.call('HMGET', KEYS[4], 'tokenCharging', 'allRefusals')
local function wait(i) return string.format('%.0f', math.max(0, (used(KEYS[i]) - rates[i][1] * (rates[i][2] - 1) - now) / 1000)) end
return {limit(limits[1], limits[2]), limit(limits[3], limits[4]), more[1] or '',
  string.format('%.0f', math.max(0, (used(KEYS[3]) - now) / 1000)), more[2] or '0', tostring(redis.call('ZCARD', KEYS[5])), wait(1), wait(2)}
`,
  ),
);
