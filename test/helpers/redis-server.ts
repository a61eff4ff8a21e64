import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { findRedisProgram, type RedisProgram } from './redis-package.ts';

/** A real Redis of a test's own: nothing else talks to it, and it may be killed. */
export interface RedisServer {
  readonly url: string;
  /** Where it keeps its files. */
  readonly folder: string;
  /** SIGKILL, as a crash or a power cut of that process would end it. */
  kill(): Promise<void>;
  /** Starts again on the same port, with what its append-only file kept, or with nothing. */
  restart(): Promise<void>;
  /** Ends it and removes its folder. */
  stop(): Promise<void>;
}

/** What a test may ask of its server. */
export interface RedisServerOptions {
  /** Whether every write goes to an append-only file, which a restart reads. */
  readonly appendOnly?: boolean;
  /** Further lines of redis.conf, as arguments: `--maxmemory-policy allkeys-lru`. */
  readonly settings?: readonly string[];
}

let program: RedisProgram | null | undefined;

/**
 * Why tests that start (and kill) a server are skipped here, or false when they run. With `REQUIRE_REDIS=1` a missing server is a failure.
 * Tests that only need some server go by `whyNoRedis`.
 */
export function whyNoRedisServer(): string | false {
  if (program === undefined) {
    const found = findRedisProgram();
    program = found !== null && isWorking(found) ? found : null;
  }
  if (program !== null) return false;
  const message = 'no Redis: type "apt-get install redis-server" or "brew install redis" and run the tests again';
  if (process.env.REQUIRE_REDIS === '1') throw new Error(`REQUIRE_REDIS=1, but ${message}`);
  return message;
}

/** The same for tests that are content with the server at `REDIS_URL`. */
export function whyNoRedis(): string | false {
  return process.env.REDIS_URL === undefined ? whyNoRedisServer() : false;
}

/** The server at `REDIS_URL`, shared with others and left running, else one of the test's own. */
export async function borrowRedis(): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const url = process.env.REDIS_URL;
  return url === undefined ? startRedis() : { url, stop: async () => {} };
}

function isWorking(found: RedisProgram): boolean {
  try {
    execFileSync(found.path, ['--version'], { env: environment(found), stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

function environment(found: RedisProgram): NodeJS.ProcessEnv {
  return found.libraryPath === null ? process.env : { ...process.env, LD_LIBRARY_PATH: found.libraryPath };
}

/** Starts a server on a free port, keeping its files in a folder of its own. */
export async function startRedis(options: RedisServerOptions = {}): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), 'rowmill-redis-'));
  const port = await findFreePort();
  const url = `redis://127.0.0.1:${port}`;
  let child = await launch(port, folder, options);
  async function kill(): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }
  return {
    url,
    folder,
    kill,
    restart: async () => {
      await kill();
      child = await launch(port, folder, options);
    },
    stop: async () => {
      await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function launch(port: number, folder: string, options: RedisServerOptions): Promise<ChildProcess> {
  const found = program;
  if (found === null || found === undefined) throw new Error('ask whyNoRedisServer() before starting a server');
  const settings = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--loglevel', 'warning'];
  const persistence = ['--appendonly', options.appendOnly === true ? 'yes' : 'no'];
  const child = spawn(found.path, [...settings, ...persistence, ...(options.settings ?? [])], {
    env: environment(found),
    stdio: 'ignore',
  });
  await waitForAnswer(port, child);
  return child;
}

/** The first connection that is answered; a server that loads its file answers later. */
async function waitForAnswer(port: number, child: ChildProcess): Promise<void> {
  const client = new Redis({ host: '127.0.0.1', port, retryStrategy: () => 20, maxRetriesPerRequest: null });
  client.on('error', () => {});
  const exited = once(child, 'exit').then(() => {
    throw new Error('the Redis server ended before it answered');
  });
  exited.catch(() => {});
  try {
    // Any answer will do, also "NOAUTH": the server is up.
    await Promise.race([client.ping().catch(() => 'refused'), exited]);
  } finally {
    client.disconnect();
  }
}

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
