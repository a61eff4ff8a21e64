import { clip } from '../../core/bounds/clip.ts';
import type { WarningFacts } from '../../output/report/facts.ts';

/** Reports warnings, and keeps them for the report. */
export interface WarningLog {
  tell(message: string): void;
  /** All warnings so far, after those of `earlier` invocations of the run: a repeated one counts once. */
  read(earlier: WarningFacts): WarningFacts;
}

/** A run that warns more often than this has said what there is to say. */
const MAX_WARNINGS = 30;
/** Some quote a provider or a Redis, which may send anything. */
const MAX_CHARACTERS = 300;

/** Remembers warnings, in bounded memory. */
export function createWarningLog(warn: (message: string) => void): WarningLog {
  const messages = new Set<string>();
  let more = 0;
  return {
    tell(message) {
      warn(message);
      const kept = clip(message, MAX_CHARACTERS);
      if (messages.size < MAX_WARNINGS) messages.add(kept);
      else if (!messages.has(kept)) more += 1;
    },
    read(earlier) {
      const all = [...new Set([...earlier.messages, ...messages])];
      return { messages: all.slice(0, MAX_WARNINGS), more: earlier.more + more + Math.max(0, all.length - MAX_WARNINGS) };
    },
  };
}
