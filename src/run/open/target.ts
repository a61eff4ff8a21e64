import { join } from 'node:path';
import type { Job } from '../../core/job.ts';
import { DEFAULT_ORIGIN } from '../../ledger/origin.ts';
import type { Provider } from '../../openai/provider.ts';

/** The provider of a run. Answers belong to their provider, so each has its own state directory. */
export interface Target {
  /** `default` for the API itself, `simulator`, or the name of a base URL: recorded in the state directory. */
  readonly origin: string;
  /** The address to pass again; null for the default API and the built-in simulator. */
  readonly baseUrl: string | null;
  /** Opens the connection; the built-in simulator keeps its own files below the state directory. `assertMaySpend`
   * throws when nothing that costs may leave any more, and is asked just before it does. @throws AppError exit 4 without a key */
  connect(stateDirectory: string, assertMaySpend?: () => void): Promise<Connection>;
}

export interface Connection {
  readonly provider: Provider;
  close(): Promise<void>;
}

/** `.rowmill/<job>/` next to the job file for the default API, `.rowmill/<job>@<origin>/` for any other. `root` replaces `.rowmill`. */
export function locateStateDirectory(job: Pick<Job, 'name' | 'directory'>, origin: string, root: string | null): string {
  const name = origin === DEFAULT_ORIGIN ? job.name : `${job.name}@${origin}`;
  return join(root ?? join(job.directory, '.rowmill'), name);
}
