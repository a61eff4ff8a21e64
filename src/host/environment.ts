import { readFileSync, statSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { AppError, EXIT, UsageError } from '../core/errors.ts';
import type { RedisLink } from '../live/redis/connection.ts';
import { DEFAULT_BASE_URL } from '../run/open/target.ts';
import { rememberSecret } from './secrets.ts';

/** Only these are taken from a `.env` file: a file found by chance may give a key, never an address rows are sent to. */
const FROM_ENV_FILE = ['OPENAI_API_KEY', 'OPENAI_API_KEY_FILE', 'REDIS_URL'] as const;

/** Adds what `.env` in the working directory holds to the environment, where the environment does not say otherwise. */
export function loadEnvFile(): void {
  let text: string;
  try {
    text = readFileSync('.env', 'utf8');
  } catch {
    return;
  }
  const values = parseEnv(text);
  for (const name of FROM_ENV_FILE) {
    const value = values[name];
    if (value !== undefined) process.env[name] ??= value;
  }
}

/** The API key from `OPENAI_API_KEY`, else from the file `OPENAI_API_KEY_FILE` names. @throws AppError exit 4 without one */
export function readApiKey(): string {
  const key = process.env.OPENAI_API_KEY?.trim();
  if (key !== undefined && key !== '') return key;
  const file = process.env.OPENAI_API_KEY_FILE;
  if (file !== undefined && file !== '') return readKeyFile(file);
  throw new AppError('no API key: set OPENAI_API_KEY or OPENAI_API_KEY_FILE, or try it without one: --simulate', {
    code: 'no_api_key',
    exitCode: EXIT.refused,
  });
}

function readKeyFile(file: string): string {
  try {
    if ((statSync(file).mode & 0o077) !== 0) throw new UsageError(`OPENAI_API_KEY_FILE: others may read ${file}; type: chmod 600 ${file}`);
    const key = readFileSync(file, 'utf8').trim();
    rememberSecret(key);
    if (key !== '') return key;
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new AppError(`OPENAI_API_KEY_FILE: ${file} cannot be read`, { code: 'no_api_key', exitCode: EXIT.refused, cause: error });
  }
  throw new AppError(`OPENAI_API_KEY_FILE: ${file} is empty`, { code: 'no_api_key', exitCode: EXIT.refused });
}

/** `--base-url`, `ROWMILL_BASE_URL`, `OPENAI_BASE_URL`, the default: in this order. @throws UsageError for anything but https, or http on this machine */
export function chooseBaseUrl(flag: string | undefined): string {
  const chosen = [flag, process.env.ROWMILL_BASE_URL, process.env.OPENAI_BASE_URL].find((value) => value !== undefined && value !== '');
  if (chosen === undefined) return DEFAULT_BASE_URL;
  let url: URL;
  try {
    url = new URL(chosen);
  } catch {
    throw new UsageError(`base URL ${JSON.stringify(chosen)} is no URL; type for example --base-url http://127.0.0.1:8080/v1`);
  }
  const isLoopback = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopback)) {
    throw new UsageError(`base URL ${url.origin}: rows and key go over https only, except on this machine`);
  }
  if (url.username !== '' || url.password !== '')
    throw new UsageError(`base URL ${url.host}: a key does not belong in the URL; set OPENAI_API_KEY`);
  return chosen.replace(/\/+$/, '');
}

/** Whether a base URL was given for this command, by flag or environment. */
export function hasBaseUrl(flag: string | undefined): boolean {
  return [flag, process.env.ROWMILL_BASE_URL, process.env.OPENAI_BASE_URL].some((value) => value !== undefined && value !== '');
}

/** Redis as `--redis` or `REDIS_URL` name it; null without either: calls are then made in the run's own process. */
export function readRedisLink(flag: string | undefined): RedisLink | null {
  const url = flag ?? process.env.REDIS_URL ?? '';
  if (url === '') return null;
  if (!/^rediss?:\/\//.test(url)) throw new UsageError('--redis: give a URL, for example redis://127.0.0.1:6379');
  const secret = process.env.ROWMILL_QUEUE_SECRET ?? '';
  return { url, secret: secret === '' ? null : secret };
}
