import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { parseEnv } from 'node:util';
import { AppError, EXIT, UsageError } from '../core/errors.ts';
import { DEFAULT_BASE_URL } from '../ledger/origin.ts';
import type { RedisLink } from '../live/redis/connection.ts';
import { hasBaseUrl, mayDoWithoutKey } from './base-url.ts';
import { rememberSecret } from './secrets.ts';

/** Only these are taken from a `.env` file: a file found by chance may give a key, never an address rows are sent to. */
const FROM_ENV_FILE = ['OPENAI_API_KEY', 'OPENAI_API_KEY_FILE'] as const;

/** Adds what `.env` in the working directory holds to the environment, where the environment does not say otherwise. */
export function loadEnvFile(): void {
  const values = readEnvFile();
  for (const name of FROM_ENV_FILE) {
    const value = values[name];
    if (value !== undefined) process.env[name] ??= value;
  }
}

function readEnvFile(): NodeJS.Dict<string> {
  try {
    return parseEnv(readFileSync('.env', 'utf8'));
  } catch {
    return {};
  }
}

/** What is sent as a key where there is none and the server most likely asks for none. */
const NO_KEY = 'none';

/** The files an environment may come from, whether they are there or not: nothing may be written over them. */
export function listEnvironmentFiles(): readonly string[] {
  const keyFile = process.env.OPENAI_API_KEY_FILE ?? '';
  return ['.env', ...(keyFile === '' ? [] : [keyFile])].map((file) => path.resolve(file));
}

/** The API key from `OPENAI_API_KEY`, else from the file `OPENAI_API_KEY_FILE` names. @throws AppError exit 4 without one, where one is needed */
export function readApiKey(baseUrl: string): string {
  const key = process.env.OPENAI_API_KEY?.trim();
  if (key !== undefined && key !== '') return key;
  const file = process.env.OPENAI_API_KEY_FILE;
  if (file !== undefined && file !== '') return readKeyFile(file);
  if (mayDoWithoutKey(baseUrl)) return NO_KEY;
  throw new AppError('no API key: set OPENAI_API_KEY or OPENAI_API_KEY_FILE, or try it without one: --simulate', {
    code: 'no_api_key',
    exitCode: EXIT.refused,
  });
}

function readKeyFile(file: string): string {
  try {
    // Windows has no modes, and shows every file as one that all may read.
    if (process.platform !== 'win32' && (statSync(file).mode & 0o077) !== 0)
      throw new UsageError(`OPENAI_API_KEY_FILE: others may read ${file}; type: chmod 600 ${file}`);
    const key = readFileSync(file, 'utf8').trim();
    rememberSecret(key);
    if (key !== '') return key;
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new AppError(`OPENAI_API_KEY_FILE: ${file} cannot be read`, { code: 'no_api_key', exitCode: EXIT.refused, cause: error });
  }
  throw new AppError(`OPENAI_API_KEY_FILE: ${file} is empty`, { code: 'no_api_key', exitCode: EXIT.refused });
}

/** The sentence about a `REDIS_URL` in `.env`, which counts for nothing: rows go only where somebody said so. Null where there is none. */
export function findUnusedRedis(): string | null {
  if ((readEnvFile().REDIS_URL ?? '') === '') return null;
  return 'the REDIS_URL in .env is not used, since rows would go to it: type --redis URL, or export REDIS_URL=URL';
}

/** The same about a base URL, where none is given and rows go to OpenAI instead. */
export function findUnusedBaseUrl(flag: string | undefined): string | null {
  const values = readEnvFile();
  const name = ['ROWMILL_BASE_URL', 'OPENAI_BASE_URL'].find((word) => (values[word] ?? '') !== '');
  if (name === undefined || hasBaseUrl(flag)) return null;
  return `the ${name} in .env is not used, since rows would go to it; they go to ${DEFAULT_BASE_URL}: type --base-url URL, or export ${name}=URL`;
}

/** Redis as `--redis` or `REDIS_URL` name it; null without either: calls are then made in the run's own process. */
export function readRedisLink(flag: string | undefined): RedisLink | null {
  const url = flag ?? process.env.REDIS_URL ?? '';
  if (url === '') return null;
  if (!/^rediss?:\/\//.test(url)) throw new UsageError('--redis: give a URL, for example redis://127.0.0.1:6379');
  const secret = process.env.ROWMILL_QUEUE_SECRET ?? '';
  return { url, secret: secret === '' ? null : secret };
}
