import type { Redis } from 'ioredis';
import { makeScript } from './presence-scripts.ts';

/** Commands of ours and of BullMQ's that use keys; docs/redis-protocol.md turns them into a user. */
export const KEY_COMMANDS: readonly string[] = [
  ...['DEL', 'EXISTS', 'PERSIST', 'PEXPIRE', 'PTTL', 'GET', 'SET', 'INCR'],
  ...['HDEL', 'HEXISTS', 'HGET', 'HGETALL', 'HINCRBY', 'HKEYS', 'HLEN', 'HMGET', 'HMSET', 'HSET', 'HSETNX'],
  ...['LINDEX', 'LLEN', 'LPUSH', 'LRANGE', 'LREM', 'LTRIM', 'RPOP', 'RPOPLPUSH'],
  ...['SADD', 'SCARD', 'SISMEMBER', 'SMEMBERS', 'SREM'],
  ...['BZPOPMIN', 'ZADD', 'ZCARD', 'ZPOPMIN', 'ZRANGE', 'ZRANGEBYSCORE', 'ZREM', 'ZREMRANGEBYRANK', 'ZREMRANGEBYSCORE'],
  ...['ZREVRANGE', 'ZREVRANGEBYSCORE', 'ZSCORE', 'XADD', 'XDEL', 'XRANGE', 'XTRIM'],
];

/** Those that touch no key of ours. */
export const OTHER_COMMANDS: readonly string[] = ['CLIENT|SETNAME', 'INFO', 'TIME', 'EVAL', 'EVALSHA'];

const PROBE_KEY = 'rowmill-calls:{rights}';
/** Arguments beyond the key, for commands that are not checked with one key only. */
const ARGUMENTS: Readonly<Record<string, string>> = {
  ...{ SET: '1', HMSET: '1 1', HSET: '1 1', HSETNX: '1 1', HINCRBY: '1 1', LREM: '1 1', LTRIM: '0 1', LRANGE: '0 1', PEXPIRE: '1000' },
  ...{ RPOPLPUSH: PROBE_KEY, ZADD: '1 1', ZRANGE: '0 1', ZRANGEBYSCORE: '0 1', ZREMRANGEBYRANK: '0 1' },
  ...{ ZREMRANGEBYSCORE: '0 1', ZREVRANGE: '0 1', ZREVRANGEBYSCORE: '0 1', XADD: '* 1 1', XDEL: '0-1', XRANGE: '- +', XTRIM: 'MAXLEN 1' },
};
const NEEDS_ONE = ['HDEL', 'HEXISTS', 'HGET', 'HMGET', 'LINDEX', 'LPUSH', 'SADD', 'SISMEMBER', 'SREM', 'ZREM', 'ZSCORE'];

/**
 * Tries every command on a key that nobody uses, and says which are refused. The key is a string, which accepts no command of a list, hash or
 * stream, so nothing is written but that string, which expires. A Redis that refuses all writes refuses the first line. ARGV commands and arguments.
 */
const TRY = makeScript(`
local function refuses(answer)
  local why = type(answer) == 'table' and answer.err or ''
  return string.find(why, 'permission') or string.find(why, "can't run") or string.find(why, 'Unknown')
end
local first = redis.pcall('SET', KEYS[1], '1', 'PX', 1000)
if refuses(first) then return {'SET'} end
if first.err then return first end
local refused = {}
for _, line in ipairs(ARGV) do
  local command = {}
  for word in string.gmatch(line, '%S+') do command[#command + 1] = word end
  if refuses(redis.pcall(unpack(command))) then refused[#refused + 1] = command[1] end
end
return refused
`);

/** Commands that Redis refuses to its user, or does not know; rejects if it refuses every write. */
export async function findRefusedCommands(redis: Redis): Promise<readonly string[]> {
  const lines = KEY_COMMANDS.filter((name) => name !== 'BZPOPMIN').map(
    (name) => `${name} ${PROBE_KEY} ${ARGUMENTS[name] ?? (NEEDS_ONE.includes(name) ? '1' : '')}`,
  );
  const refused = (await redis.eval(TRY.text, 1, PROBE_KEY, ...lines, 'TIME')) as string[];
  // Scripts are sent by text once, and then by hash: both are rights.
  await redis.evalsha(TRY.sha1, 1, PROBE_KEY);
  // Blocking commands cannot run in a script; here too the key is a string, refused only after the rights were checked.
  await redis.bzpopmin(PROBE_KEY, 0.01).catch((error: Error) => {
    if (!error.message.startsWith('WRONGTYPE')) throw error;
  });
  return refused;
}
