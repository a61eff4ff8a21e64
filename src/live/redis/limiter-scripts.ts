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
 * The current rates: the lower of the job's limit and the one the provider reports, times the share that refusals have left.
 * `LIMITS` is replaced by the key. Yields microseconds per unit and the burst, for requests and for tokens.
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
 * Grants calls of one state, in order, their places among all calls of the key, or says why not. The arithmetic is that of `reserve` in gcra.ts.
 * A repeated request for the same grant gets the same answer, so a lost reply costs nothing; a later place, if all calls were held back since.
 * KEYS requests tokens blocked limits done open crashes admitted states job…;
 * ARGV state maxCrashes (callId customId worker grant horizonMs limitsHorizonMs tokens)…: how far ahead a place may be, in total and because of limits.
 * @returns now in microseconds, and for each call: what, wait in ms, crashes so far, mark of the attempt
 */
export const RESERVE = makeScript(
  withRates(
    'KEYS[4]',
    `
local isWanted = redis.call('HEXISTS', KEYS[9], ARGV[1]) == 1
local blocked = used(KEYS[3])
local changedAt = tonumber(limits[7] or 0)
local function relax()
  if share >= FULL_SHARE or now - changedAt < RELAX_MICROSECONDS then return end
  share, changedAt = math.min(FULL_SHARE, share / AFTER_REFUSAL), now
  redis.call('HSET', KEYS[4], 'share', share, 'burstSeconds', math.min(FULL_BURST_SECONDS, burstSeconds * 2), 'changedAt', string.format('%.0f', now))
end
local function reserve(job, callId, customId, worker, grant, horizon, limitsHorizon, tokens)
  local crashes = tonumber(redis.call('HGET', KEYS[7], customId) or 0)
  local function say(what, wait, mark) return {what, wait, crashes, mark} end
  if redis.call('SISMEMBER', KEYS[5], callId) == 1 then return say('done', 0, '') end
  if not isWanted or redis.call('EXISTS', job) == 0 then return say('gone', 0, '') end
  if redis.call('SISMEMBER', KEYS[8], worker) == 0 then return say('stranger', 0, '') end
  local costs = {1, tokens}
  local usedUntil = {used(KEYS[1]), used(KEYS[2])}
  local mark = redis.call('HGET', KEYS[6], callId)
  if mark then
    local marker, granted, leavesAt = string.match(mark, '^(.-)|(.-)|(.-)$')
    if marker ~= worker or granted ~= grant then
      return say(redis.call('SISMEMBER', KEYS[8], marker) == 1 and 'busy' or 'lost', 0, mark)
    end
    leavesAt = tonumber(leavesAt)
    if blocked <= math.max(now, leavesAt) then return say('go', math.max(0, math.ceil((leavesAt - now) / 1000)), mark) end
    for i = 1, 2 do usedUntil[i] = usedUntil[i] - rates[i][1] * costs[i] end
  elseif crashes >= tonumber(ARGV[2]) then
    return say('poison', 0, '')
  end
  relax()
  local leavesAt = math.max(now, blocked)
  for i = 1, 2 do leavesAt = math.max(leavesAt, usedUntil[i] - rates[i][1] * math.max(0, rates[i][2] - costs[i])) end
  local wait = math.ceil((leavesAt - now) / 1000)
  local waitForLimits = math.ceil((leavesAt - math.max(now, blocked)) / 1000)
  if not mark and (wait > horizon or waitForLimits > limitsHorizon) then return say('wait', wait, '') end
  for i = 1, 2 do
    keep(KEYS[i], math.max(leavesAt, usedUntil[i]) + rates[i][1] * costs[i])
  end
  mark = worker .. '|' .. grant .. '|' .. string.format('%.0f', leavesAt)
  redis.call('HSET', KEYS[6], callId, mark)
  return say('go', wait, mark)
end
local replies = {string.format('%.0f', now)}
for i = 10, #KEYS do
  local at = 3 + (i - 10) * 7
  replies[#replies + 1] = reserve(KEYS[i], ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], tonumber(ARGV[at + 4]), tonumber(ARGV[at + 5]),
    tonumber(ARGV[at + 6]))
end
return replies
`.replaceAll('RELAX_MICROSECONDS', String(RELAX_MS * 1000)),
  ),
);

/**
 * The same as charge-probe.ts, over the answers of all workers: while little of the provider's limit is left, its decrease is what is charged.
 * Samples are sorted by when their call left.
 */
const CHARGE_PROBE = `
local function observe(callId, leavesAt, left, usedByCall, cappedByCall)
  local told = tonumber(limits[4] or '')
  if usedByCall == '' or not left or not told then return end
  if left > told * ${LOW_SHARE} then redis.call('DEL', KEYS[8]) return end
  redis.call('ZADD', KEYS[8], leavesAt, table.concat({left, usedByCall, cappedByCall, callId}, '|'))
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
 * Ends attempts of one state: corrects what each took, by what the provider reports as left too, and delivers its result. May be repeated:
 * the correction is made once, and only an answer is delivered again.
 * KEYS requests tokens limits open crashes done results probe;
 * ARGV (callId customId mark requestsDelta tokensDelta remainingRequests remainingTokens kind text seal crashed usedTokens cappedTokens told)….
 * @returns for each the id of the delivered entry, or '' when nothing was delivered
 */
export const SETTLE = makeScript(
  withRates(
    'KEYS[3]',
    `${CHARGE_PROBE}
redis.call('HDEL', KEYS[4], '')
local function settle(at)
  local callId, mark, kind = ARGV[at + 1], ARGV[at + 3], ARGV[at + 8]
  if mark ~= '' and redis.call('HGET', KEYS[4], callId) == mark then
    -- The remainder is as of the call's arrival; calls that left after it are already counted here.
    local leavesAt = tonumber(string.match(mark, '([0-9]+)$'))
    redis.call('HDEL', KEYS[4], callId)
    if ARGV[at + 11] == '1' then redis.call('HINCRBY', KEYS[5], ARGV[at + 2], 1) end
    if kind == 'line' then redis.call('HDEL', KEYS[3], 'refusals') end
    for i = 1, 2 do
      local before = used(KEYS[i])
      local instant = before + rates[i][1] * ARGV[at + 3 + i]
      local remaining = tonumber(ARGV[at + 5 + i])
      if remaining then instant = math.max(instant, leavesAt + rates[i][1] * math.max(0, rates[i][2] - remaining)) end
      if instant ~= before then keep(KEYS[i], instant) end
    end
    observe(callId, leavesAt, tonumber(ARGV[at + 7]), ARGV[at + 12], ARGV[at + 13])
  end
  if kind == '' then return '' end
  if redis.call('SADD', KEYS[6], callId) == 0 and kind ~= 'line' then return '' end
  return redis.call('XADD', KEYS[7], '*', 'kind', kind, 'job', callId, 'text', ARGV[at + 9], 'seal', ARGV[at + 10], 'told', ARGV[at + 14])
end
local entries = {}
for at = 0, #ARGV - 14, 14 do entries[#entries + 1] = settle(at) end
return entries
`,
  ),
);

/**
 * The provider refused a call as too early: no call leaves for a while, and a smaller share of the rates is used. Refusals that arrive together
 * count as one. KEYS blocked limits; ARGV waitMs ('' if the provider said nothing) isAboutTokens random resetMs.
 * @returns for how many milliseconds no call leaves
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

/** Returns tokens that calls in flight have reserved in excess. KEYS tokens limits; ARGV tokens. */
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
 * The current limits. KEYS requests tokens blocked limits delayed.
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
