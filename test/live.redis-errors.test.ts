import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Redis } from 'ioredis';
import { readErrorReply } from '../src/live/redis/error-reply.ts';
import { KEY_COMMANDS, OTHER_COMMANDS } from '../src/live/redis/rights.ts';
import { startWorker } from './helpers/in-process-worker.ts';
import { projectRoot } from './helpers/project-root.ts';
import { type RedisServer, startRedis, whyNoRedisServer } from './helpers/redis-server.ts';
import { PASSING_TROUBLES, TROUBLE_SETTINGS } from './helpers/redis-trouble.ts';
import { openTestQueue } from './helpers/redis-world.ts';

const reply = (message: string, more = {}) => Object.assign(new Error(message), { name: 'ReplyError' }, more);

test('each error reply has its sentence, and only listed ones count as transient', () => {
  const table: readonly (readonly [string, RegExp, 'passes' | 'lasts'])[] = [
    ["OOM command not allowed when used memory > 'maxmemory'.", /is full: .*maxmemory.*\(OOM\)/, 'passes'],
    ["OOM command not allowed when used memory > 'maxmemory'. script: 87c, on @user_script:1.", /\(OOM\)/, 'passes'],
    ["READONLY You can't write against a read only replica.", /replica.*use the address of its primary \(READONLY\)/, 'passes'],
    ['MISCONF Redis is configured to save RDB snapshots, but it is unable to persist to disk.', /cannot save.*\(MISCONF\)/, 'passes'],
    ['LOADING Redis is loading the dataset in memory', /reading its data.*\(LOADING\)/, 'passes'],
    ['BUSY Redis is busy running a script.', /SCRIPT KILL \(BUSY\)/, 'passes'],
    ['MASTERDOWN Link with MASTER is down', /lost its primary.*\(MASTERDOWN\)/, 'passes'],
    ['CLUSTERDOWN Hash slot not served', /cluster that is down.*\(CLUSTERDOWN\)/, 'passes'],
    ['TRYAGAIN Multiple keys request during rehashing of slot', /moving keys.*\(TRYAGAIN\)/, 'passes'],
    ['NOREPLICAS Not enough good replicas to write.', /min-replicas-to-write.*\(NOREPLICAS\)/, 'passes'],
    ['UNBLOCKED force unblock from blocking operation', /become a replica.*\(UNBLOCKED\)/, 'passes'],
    ['NOSCRIPT No matching script. Please use EVAL.', /\(NOSCRIPT\)/, 'passes'],
    ['ERR max number of clients reached', /maxclients/, 'passes'],
    ['WRONGPASS invalid username-password pair or user is disabled.', /password.*\(WRONGPASS\)/, 'lasts'],
    ['NOAUTH Authentication required.', /asks for a password.*\(NOAUTH\)/, 'lasts'],
    ['MOVED 3999 10.0.0.7:6381', /one node of a cluster.*\(MOVED\)/, 'lasts'],
    ['ASK 3999 10.0.0.7:6381', /one node of a cluster.*\(ASK\)/, 'lasts'],
    ["CROSSSLOT Keys in request don't hash to the same slot", /one node of a cluster.*\(CROSSSLOT\)/, 'lasts'],
    ['DENIED Redis is running in protected mode', /protected mode.*\(DENIED\)/, 'lasts'],
    ["NOPERM this user has no permissions to run the 'xadd' command", /to run XADD \(NOPERM\).*ACL SETUSER/, 'lasts'],
    ["NOPERM User worker has no permissions to run the 'client|setname' command", /to run CLIENT\|SETNAME/, 'lasts'],
    ["ERR ACL failure in script: User w has no permissions to run the 'hset' command script: 8, on @user_script:1.", /run HSET/, 'lasts'],
    [
      "ERR The user executing the script can't run this command or subcommand script: 8, on @user_script:1.",
      /a script \(NOPERM\)/,
      'lasts',
    ],
    ['NOPERM this user has no permissions to access one of the keys used as arguments', /keys that begin with "rowmill"/, 'lasts'],
    ["ERR unknown command 'XADD', with args beginning with: 'canary-cell' ", /does not know XADD: .*6\.2/, 'lasts'],
    ['ERR unknown command `evalsha`, with args beginning with: `canary-cell`, ', /does not know EVALSHA/, 'lasts'],
    ['ERR Unknown Redis command called from script script: 8', /does not know a command/, 'lasts'],
    ['WRONGTYPE Operation against a key holding the wrong kind of value', /answers HGET with an error: WRONGTYPE/, 'lasts'],
    [`SURPRISE something new\u001b[2J ${'x'.repeat(500)}`, /answers HGET with an error: SURPRISE something new \[2J x{100}/, 'lasts'],
  ];
  for (const [message, says, how] of table) {
    const read = readErrorReply(reply(message, { command: { name: 'hget', args: ['canary-cell'] } }));
    assert.ok(read !== null, message);
    assert.match(read.sentence, says);
    assert.equal(read.mayPass ? 'passes' : 'lasts', how, message);
    assert.doesNotMatch(read.sentence, /canary/);
    assert.ok(!read.sentence.includes('\u001b') && read.sentence.length < 300);
  }
});

test('a transaction is judged by the command that was refused in it; silence and bugs are not replies', () => {
  const discarded = reply('EXECABORT Transaction discarded because of previous errors.', { previousErrors: [reply('OOM no')] });
  assert.equal(readErrorReply(discarded)?.word, 'OOM');
  for (const error of [new Error('Connection is closed.'), new TypeError('OOM'), null]) assert.equal(readErrorReply(error), null);
});

test('the user in the docs has exactly the rights that are tested', () => {
  const text = readFileSync(join(projectRoot, 'docs', 'redis-protocol.md'), 'utf8');
  const written = /ACL SETUSER rowmill [^`]*/.exec(text)?.[0].match(/\+[a-z|]+/g) ?? [];
  assert.deepEqual(written.toSorted(), [...OTHER_COMMANDS, ...KEY_COMMANDS].map((name) => `+${name.toLowerCase()}`).toSorted());
});

/** How a run and a worker are refused by this Redis when they begin. */
async function refusalsOf(redisUrl: string): Promise<readonly { message: string; exitCode: number }[]> {
  const begin = [
    () => openTestQueue(redisUrl, { keyFingerprint: 'k' }).then((queue) => queue.close()),
    () =>
      startWorker({ redisUrl, baseUrl: 'http://127.0.0.1:9/v1', apiKey: 'sk-none', concurrency: 1 }).then(async (worker) => {
        await worker.drain();
      }),
  ];
  const refused = [];
  for (const attempt of begin) {
    try {
      await attempt();
    } catch (error) {
      refused.push(error as { message: string; exitCode: number });
    }
  }
  return refused;
}

function assertRefused(refusals: Awaited<ReturnType<typeof refusalsOf>>, server: RedisServer, says: RegExp): void {
  assert.equal(refusals.length, 2, 'both must be refused');
  for (const { message, exitCode } of refusals) {
    assert.equal(exitCode, 2);
    assert.ok(message.startsWith(`Redis at ${server.url.replace(/\/\/.*@/, '//')} `), message);
    assert.match(message, says);
    assert.doesNotMatch(message, /be reached|secret-word|\n/);
  }
}

describe('a Redis that answers with an error when work begins', { skip: whyNoRedisServer() }, () => {
  test('is reported in one sentence with its address, by a run and by a worker, exit 2', async (t) => {
    const server = await startRedis({ settings: TROUBLE_SETTINGS });
    const admin = new Redis(server.url);
    t.after(() => {
      admin.disconnect();
      return server.stop();
    });
    for (const trouble of PASSING_TROUBLES) {
      await trouble.begin(admin, server);
      assertRefused(await refusalsOf(server.url), server, trouble.says);
      await trouble.end(admin, server);
    }
    await admin.call('ACL', 'SETUSER', 'known', 'on', '>secret-word', '~rowmill*', '+@all', '-xadd', '-rpoplpush');
    const withUser = (text: string) => server.url.replace('//', `//${text}@`);
    assertRefused(await refusalsOf(withUser('known:secret-word')), server, /to run RPOPLPUSH, XADD \(NOPERM\)/);
    await admin.call('ACL', 'SETUSER', 'known', '+@all', '-info');
    assertRefused(await refusalsOf(withUser('known:secret-word')), server, /to run INFO \(NOPERM\)/);
    await admin.call('ACL', 'SETUSER', 'known', '+@all', 'resetkeys', '~other*');
    assertRefused(await refusalsOf(withUser('known:secret-word')), server, /keys that begin with "rowmill" \(NOPERM\)/);
    assertRefused(await refusalsOf(withUser('known:secret-words')), server, /password.*\(WRONGPASS\)/);
    assertRefused(await refusalsOf(`${server.url}/99`), server, /answers SELECT with an error: ERR DB index is out of range/);
    await admin.config('SET', 'requirepass', 'secret-word');
    assertRefused(await refusalsOf(server.url), server, /asks for a password.*\(NOAUTH\)/);
  });

  test('a cluster node without slots, and a server that lacks a command, are reported as well', async (t) => {
    for (const [settings, says] of [
      [['--cluster-enabled', 'yes'], /cluster that is down.*\(CLUSTERDOWN\)/],
      [['--rename-command', 'XADD', ''], /XADD/],
    ] as const) {
      const server = await startRedis({ settings });
      t.after(() => server.stop());
      assertRefused(await refusalsOf(server.url), server, says);
    }
  });
});
