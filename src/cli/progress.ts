import { escapeLineForTerminal } from '../output/escape-for-terminal.ts';
import { formatSpent } from '../output/format-numbers.ts';
import type { RunView } from '../run/send/run-view.ts';
import { renderProgress } from './render/render-progress.ts';
import { hasColour } from './say.ts';

/**
 * Repaints on a terminal, ten times a second at most. Elsewhere a plain line: when a tenth more is answered, five seconds after anything has come
 * into another phase, and every thirty.
 */
const REPAINT_MS = 100;
const NEWS_MS = 5_000;
const PLAIN_LINE_MS = 30_000;
const PLAIN_LINES = 10;

/** A run's progress on a stream. */
export interface Progress {
  /** Takes what is painted off the screen, so that a message can be written; the next repaint comes below it. */
  clear(): void;
  stop(): void;
}

/** Shows a run's progress until it is stopped. */
export function startProgress(
  view: RunView,
  how: 'auto' | 'plain' | 'none',
  stream: NodeJS.WriteStream,
  monotonicMs = () => performance.now(),
): Progress {
  if (how === 'none') return { clear() {}, stop() {} };
  const isTerminal = how === 'auto' && stream.isTTY === true;
  return isTerminal ? paint(view, stream) : writeLines(view, stream, monotonicMs);
}

function paint(view: RunView, stream: NodeJS.WriteStream): Progress {
  let paintedLines = 0;
  const erase = () => {
    if (paintedLines > 0) stream.write(`\u001b[${paintedLines}A\u001b[J`);
    paintedLines = 0;
  };
  const repaint = () => {
    const lines = renderProgress(view, { now: new Date(), columns: stream.columns ?? 100, colour: hasColour(stream) });
    erase();
    stream.write(`${lines.join('\n')}\n`);
    paintedLines = lines.length;
  };
  repaint();
  const timer = setInterval(repaint, REPAINT_MS);
  return {
    clear: erase,
    stop() {
      clearInterval(timer);
      erase();
    },
  };
}

function writeLines(view: RunView, stream: NodeJS.WriteStream, monotonicMs: () => number): Progress {
  let dueMs = Number.POSITIVE_INFINITY;
  let knownPhases: string | null = null;
  let writtenTenths = 0;
  const look = () => {
    const tenths = view.rowsAsked === 0 ? 0 : Math.floor((view.okRows / view.rowsAsked) * PLAIN_LINES);
    const phases = view.underWay.map(({ shard, phase, batch }) => `shard ${shard ?? '?'} ${batch?.status ?? phase}`);
    const flight = describeFlight(view);
    const nowMs = monotonicMs();
    const phasesNow = [...phases, flight.length > 0].join();
    if (phasesNow !== knownPhases) dueMs = Math.min(dueMs, nowMs + NEWS_MS);
    knownPhases = phasesNow;
    if (tenths <= writtenTenths && nowMs < dueMs) return;
    writtenTenths = tenths;
    dueMs = nowMs + PLAIN_LINE_MS;
    const spent = formatSpent(view.spentNanoUsd, view.unpricedAttempts);
    const what = [...phases.slice(0, 3), ...flight, ...view.waits.slice(0, 3)];
    const line = `${view.okRows} of ${view.rowsAsked} answered, ${spent}${what.length > 0 ? `; ${what.join(', ')}` : ''}`;
    stream.write(`${escapeLineForTerminal(line)}\n`);
  };
  const timer = setInterval(look, REPAINT_MS);
  return {
    clear() {},
    stop() {
      clearInterval(timer);
    },
  };
}

/** Live calls; nothing where none is made or waits. */
function describeFlight({ calls }: RunView): readonly string[] {
  if (calls === null || calls.inFlight + calls.waiting === 0) return [];
  return [`${calls.inFlight} calls in flight, ${calls.waiting} waiting`];
}
