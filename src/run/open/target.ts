import { join } from 'node:path';
import type { Job } from '../../core/job.ts';
import type { Provider } from '../../openai/provider.ts';

/** Whom a run talks to. Answers belong to who gave them, so each target has a state directory of its own. */
export interface Target {
  /** `default` for the API itself, `simulator`, or `<host>` / `<host>-<port>`: what the state directory records. */
  readonly origin: string;
  /** The address to give again; null for the default API and the built-in simulator. */
  readonly baseUrl: string | null;
  /** Opens the connection; the built-in simulator keeps its own files below the state directory. `assertMaySpend`
   * throws when nothing that costs may leave any more, and is asked just before it does. @throws AppError exit 4 without a key */
  connect(stateDirectory: string, assertMaySpend?: () => void): Promise<Connection>;
}

export interface Connection {
  readonly provider: Provider;
  close(): Promise<void>;
}

/** `.rowmill/<job>/` beside the job file for the default API, `.rowmill/<job>@<origin>/` for any other. `root` stands for `.rowmill`. */
export function locateStateDirectory(job: Pick<Job, 'name' | 'directory'>, origin: string, root: string | null): string {
  const name = origin === DEFAULT_ORIGIN ? job.name : `${job.name}@${origin}`;
  return join(root ?? join(job.directory, '.rowmill'), name);
}

export const DEFAULT_ORIGIN = 'default';
/** The built-in simulator's. */
export const SIMULATOR_ORIGIN = 'simulator';
export const DEFAULT_BASE_URL = 'https://api.openai.com/v1';

/** The origin of a base URL: host, and port when one is given. */
export function originOf(baseUrl: string): string {
  if (new URL(baseUrl).href.replace(/\/$/, '') === DEFAULT_BASE_URL) return DEFAULT_ORIGIN;
  const { hostname, port } = new URL(baseUrl);
  const host = hostname.replaceAll(/[^A-Za-z0-9.]/g, '_');
  return port === '' ? host : `${host}-${port}`;
}

/** The host of an origin, with its port where there is one; null for the default API and the built-in simulator. */
export function hostOfOrigin(origin: string): string | null {
  if (origin === DEFAULT_ORIGIN || origin === SIMULATOR_ORIGIN) return null;
  const [host = '', port] = origin.split('-');
  return host.replaceAll('_', '-') + (port === undefined ? '' : `:${port}`);
}
