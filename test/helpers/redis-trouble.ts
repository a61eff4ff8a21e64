import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { Redis } from 'ioredis';
import type { RedisServer } from './redis-server.ts';

/** A real Redis made to answer with an error, and its way back. */
export interface Trouble {
  /** Redis's own word. */
  readonly word: string;
  /** What a person reads about it. */
  readonly says: RegExp;
  begin(admin: Redis, server: RedisServer): Promise<void>;
  end(admin: Redis, server: RedisServer): Promise<void>;
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo()));
}

const info = async (admin: Redis, line: string) => (await admin.info('everything')).includes(`\n${line}`);

/** Settings that the troubles need. */
export const TROUBLE_SETTINGS = [
  '--enable-debug-command',
  'yes',
  '--busy-reply-threshold',
  '50',
  '--loading-process-events-interval-bytes',
  '1024',
];

/** What passes when somebody does something about it. */
export const PASSING_TROUBLES: readonly Trouble[] = [
  {
    word: 'OOM',
    says: /is full: .*CONFIG SET maxmemory.*\(OOM\)/,
    begin: async (admin) => void (await admin.config('SET', 'maxmemory', '1')),
    end: async (admin) => void (await admin.config('SET', 'maxmemory', '0')),
  },
  {
    word: 'READONLY',
    says: /is a replica and accepts no writes: use the address of its primary \(READONLY\)/,
    begin: async (admin) => void (await admin.replicaof('127.0.0.1', 1)),
    end: async (admin) => void (await admin.replicaof('NO', 'ONE')),
  },
  {
    word: 'MASTERDOWN',
    says: /has lost its primary.*\(MASTERDOWN\)/,
    begin: async (admin) => {
      await admin.config('SET', 'replica-serve-stale-data', 'no');
      await admin.replicaof('127.0.0.1', 1);
    },
    end: async (admin) => void (await admin.replicaof('NO', 'ONE')),
  },
  {
    word: 'BUSY',
    says: /busy with somebody's script: .*SCRIPT KILL \(BUSY\)/,
    begin: async (admin, server) => {
      const other = new Redis(server.url);
      other
        .eval('while true do end', 0)
        .catch(() => {})
        .finally(() => other.disconnect());
      await until(() =>
        admin.ping().then(
          () => false,
          ({ message }: Error) => message.startsWith('BUSY'),
        ),
      );
    },
    end: async (admin) => void (await admin.script('KILL')),
  },
  {
    word: 'LOADING',
    says: /is still reading its data: wait.*\(LOADING\)/,
    begin: async (admin, server) => {
      // Keys that take their time, and are large enough for Redis to look up between two of them, until somebody says that it is enough.
      await admin.mset(...Array.from({ length: 400 }, (_, index) => [`other:${index}`, randomBytes(3_000).toString('hex')]).flat());
      await admin.config('SET', 'key-load-delay', '20000');
      const other = new Redis(server.url);
      other
        .call('DEBUG', 'RELOAD')
        .catch(() => {})
        .finally(() => other.disconnect());
      await until(() => info(admin, 'loading:1'));
    },
    end: async (admin) => {
      await admin.config('SET', 'key-load-delay', '0');
      await until(() => info(admin, 'loading:0'));
    },
  },
  // Last: its folder is gone for good.
  {
    word: 'MISCONF',
    says: /cannot save to its disk: make room.*\(MISCONF\)/,
    begin: async (admin, server) => {
      rmSync(server.folder, { recursive: true, force: true });
      await admin.config('SET', 'save', '3600 1');
      await admin.bgsave();
      await until(() => info(admin, 'rdb_last_bgsave_status:err'));
    },
    end: async (admin) => void (await admin.config('SET', 'save', '')),
  },
];
