import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { parseEnv } from 'node:util';
import { AppError, EXIT, UsageError } from '../core/errors.ts';
import { DEFAULT_BASE_URL } from '../ledger/origin.ts';
import type { RedisLink } from '../live/redis/connection.ts';
import { hasBaseUrl, mayDoWithoutKey } from './base-url.ts';
import { rememberSecret } from './secrets.ts';

/** Only these are read from a `.env` file: a file found by chance may provide a key, never an address to send rows to. */
const FROM_ENV_FILE = ['OPENAI_API_KEY', 'OPENAI_API_KEY_FILE'] as const;

/** What the environment has from there. */
const fromEnvFile = new Set<string>();

/** Adds the `.env` of the working directory to the environment, which takes precedence. */
export function loadEnvFile(): void {
  const values = readEnvFile();
  for (const name of FROM_ENV_FILE) {
    const value = values[name];
    if (value === undefined || process.env[name] !== undefined) continue;
    process.env[name] = value;
    fromEnvFile.add(name);
  }
}

function readEnvFile(): NodeJS.Dict<string> {
  try {
    return parseEnv(readFileSync('.env', 'utf8'));
  } catch {
    return {};
  }
}

/** Sent as the key if there is none and the server most likely needs none. */
export const NO_KEY = 'none';

/** The files that may provide the environment, whether they exist or not: nothing may overwrite them. */
export function listEnvironmentFiles(): readonly string[] {
  const keyFile = process.env.OPENAI_API_KEY_FILE ?? '';
  return ['.env', ...(keyFile === '' ? [] : [keyFile])].map((file) => path.resolve(file));
}

/** A key, and where it came from, in words. */
export interface FoundKey {
  readonly apiKey: string;
  readonly keySource?: string;
}

/** The API key from `OPENAI_API_KEY`, else from the file named by `OPENAI_API_KEY_FILE`. @throws AppError exit 4 if one is needed and missing */
export function readApiKey(baseUrl: string): FoundKey {
  const key = process.env.OPENAI_API_KEY?.trim();
  if (key !== undefined && key !== '') return { apiKey: key, keySource: nameVariable('OPENAI_API_KEY') };
  const file = process.env.OPENAI_API_KEY_FILE;
  if (file !== undefined && file !== '')
    return { apiKey: readKeyFile(file), keySource: `${file} (${nameVariable('OPENAI_API_KEY_FILE')})` };
  if (mayDoWithoutKey(baseUrl)) return { apiKey: NO_KEY };
  throw new AppError('no API key: set OPENAI_API_KEY or OPENAI_API_KEY_FILE, or try it without one: --simulate', {
    code: 'no_api_key',
    exitCode: EXIT.refused,
  });
}

function nameVariable(name: (typeof FROM_ENV_FILE)[number]): string {
  return fromEnvFile.has(name) ? `${name} of .env` : name;
}

function readKeyFile(file: string): string {
  try {
    // Windows has no modes, and reports every file as readable by all.
    if (process.platform !== 'win32' && (statSync(file).mode & 0o077) !== 0)
      throw new UsageError(`OPENAI_API_KEY_FILE: other users can read ${file}; run: chmod 600 ${file}`);
    const key = readFileSync(file, 'utf8').trim();
    rememberSecret(key);
    if (key !== '') return key;
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new AppError(`OPENAI_API_KEY_FILE: ${file} cannot be read`, { code: 'no_api_key', exitCode: EXIT.refused, cause: error });
  }
  throw new AppError(`OPENAI_API_KEY_FILE: ${file} is empty`, { code: 'no_api_key', exitCode: EXIT.refused });
}

/** The warning about a `REDIS_URL` in `.env`, which is ignored: rows go only where the user said so. Null if there is none. */
export function findUnusedRedis(): string | null {
  if ((readEnvFile().REDIS_URL ?? '') === '') return null;
  return 'the REDIS_URL in .env is ignored, because rows would be sent to it: pass --redis URL, or export REDIS_URL=URL';
}

/** The same about a base URL, if none is given and rows go to OpenAI instead. */
export function findUnusedBaseUrl(flag: string | undefined): string | null {
  const values = readEnvFile();
  const name = ['ROWMILL_BASE_URL', 'OPENAI_BASE_URL'].find((word) => (values[word] ?? '') !== '');
  if (name === undefined || hasBaseUrl(flag)) return null;
  return `the ${name} in .env is ignored, because rows would be sent to it; they go to ${DEFAULT_BASE_URL}: pass --base-url URL, or export ${name}=URL`;
}

/** Redis as named by `--redis` or `REDIS_URL`; null without either: the run then makes its own calls. */
export function readRedisLink(flag: string | undefined): RedisLink | null {
  const url = flag ?? process.env.REDIS_URL ?? '';
  if (url === '') return null;
  if (!/^rediss?:\/\//.test(url)) throw new UsageError('--redis: give a URL, for example redis://127.0.0.1:6379');
  const secret = process.env.ROWMILL_QUEUE_SECRET ?? '';
  return { url, secret: secret === '' ? null : secret };
}
