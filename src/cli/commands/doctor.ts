import { rmSync } from 'node:fs';
import { makeTemporaryFolder } from '../../core/disk/make-temporary-folder.ts';
import { EXIT } from '../../core/errors.ts';
import { createWaitTeller } from '../../core/waiting/wait-teller.ts';
import { listEnvironmentFiles, loadEnvFile } from '../../host/environment.ts';
import { readNoticeAddress } from '../../host/notices/read-address.ts';
import { makeEffects } from '../../host/real-effects.ts';
import { examine } from '../../inspect/doctor/examine.ts';
import type { Finding } from '../../inspect/doctor/finding.ts';
import { escapeLineForTerminal } from '../../output/escape-for-terminal.ts';
import type { Target } from '../../run/open/target.ts';
import { watchProvider } from '../../run/send/watched-provider.ts';
import { makeCallTarget } from '../choose-provider.ts';
import type { JobFlags } from '../options/flags.ts';
import { createPaint } from '../render/paint.ts';
import { hasColour, print, printJson, say } from '../say.ts';

const PROVIDER_FINDINGS: ReadonlySet<Finding['name']> = new Set(['key', 'base url', 'models', 'model']);

/** `rowmill doctor`: one line per finding. Exit 4 if the key, the provider or the model is the problem, 2 for any other problem. */
export async function doctor(jobFile: string | undefined, flags: JobFlags): Promise<number> {
  loadEnvFile();
  const effects = makeEffects();
  const waits = createWaitTeller({ ...effects, warn: say });
  const watched = ({ connect, ...named }: Target): Target => ({
    ...named,
    async connect(...place) {
      const connection = await connect(...place);
      return { ...connection, provider: watchProvider(connection.provider, { ...effects, waits }) };
    },
  });
  const redisUrl = flags.simulate === true ? '' : (process.env.REDIS_URL ?? '');
  const temporaryDirectory = makeTemporaryFolder('rowmill-doctor-');
  try {
    const findings = await examine({
      jobFile: jobFile ?? null,
      input: flags.input ?? null,
      findNoticeProblem: (notify) => readNoticeAddress(notify, process.env, flags.simulate === true).problem,
      cwd: process.cwd(),
      stateRoot: flags.stateDir ?? null,
      environmentFiles: listEnvironmentFiles(),
      target: watched(makeCallTarget(flags, effects)),
      keyless: watched(makeCallTarget(flags, effects, { isKeyless: true })),
      ...(redisUrl === '' ? {} : { redisUrl }),
      temporaryDirectory,
      nodeVersion: process.versions.node,
      effects,
      signal: new AbortController().signal,
    });
    const problems = findings.filter(({ status }) => status === 'problem');
    if (flags.json === true) printJson({ schema: 'rowmill.doctor/1', ok: problems.length === 0, findings });
    else for (const finding of findings) print(renderFinding(finding));
    if (problems.length === 0) return EXIT.done;
    return problems.some(({ name }) => PROVIDER_FINDINGS.has(name)) ? EXIT.refused : EXIT.usage;
  } finally {
    rmSync(temporaryDirectory, { recursive: true, force: true });
  }
}

function renderFinding({ name, status, message }: Finding): string {
  const paint = createPaint(hasColour(process.stdout));
  const style = status === 'ok' ? 'green' : status === 'warning' ? 'yellow' : 'red';
  return `${paint(style, status.padEnd(8))} ${name.padEnd(9)} ${escapeLineForTerminal(message)}`;
}
