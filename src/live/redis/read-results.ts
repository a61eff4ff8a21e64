import type { Redis } from 'ioredis';
import { makeScript, runScript } from './presence-scripts.ts';

/** Ends read in one round: what is recorded with one sync of the disk. */
export const ROUND_ENTRIES = 500;
/** The byte limit of a round; a single larger entry is read alone. */
const ROUND_BYTES = 8 * 2 ** 20;

/** An entry of the results stream: its id, and its fields and values in turn. */
export type StreamEntry = readonly [id: string, fields: readonly string[]];

/**
 * Reads entries of a stream, up to a number and a size. A missing right is reported as it is outside of scripts.
 * KEYS results; ARGV from entries bytes.
 */
const READ = makeScript(`
local round, bytes, from = {}, 0, ARGV[1]
for _ = 1, tonumber(ARGV[2]) do
  local found = redis.pcall('XRANGE', KEYS[1], from, '+', 'COUNT', 1)
  if found.err then
    if string.find(found.err, "can't run") then return redis.error_reply("NOPERM this user has no permissions to run the 'xrange' command") end
    return found
  end
  if #found == 0 then break end
  for _, text in ipairs(found[1][2]) do bytes = bytes + #text end
  if #round > 0 and bytes > tonumber(ARGV[3]) then break end
  round[#round + 1] = found[1]
  from = '(' .. found[1][1]
end
return round
`);

/** One round of the results stream. @param from `-`, or `(` and the id after which to continue */
export async function readResults(redis: Redis, results: string, from = '-'): Promise<readonly StreamEntry[]> {
  return (await runScript(redis, READ, [results], [from, ROUND_ENTRIES, ROUND_BYTES])) as readonly StreamEntry[];
}
