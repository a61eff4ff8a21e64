import type { KeptLine, Passage } from './figures.ts';
import type { Figure } from './line.ts';

/** How many times worse than the page a passage of the small size may be. */
const MOST_WORSE = 1.5;

/** Whether it is not what it must be. */
export function isMissed({ value, most, least }: Pick<Figure, 'value' | 'most' | 'least'>): boolean {
  return (most !== null && value > most) || (least !== undefined && value < least);
}

/** `at most 5`; empty where nothing is promised. */
export function sayBound({ most, least }: Pick<Figure, 'most' | 'least'>): string {
  return most !== null ? `at most ${most}` : least !== undefined ? `at least ${least}` : '';
}

/** What is over its limit in a passage of the full size. */
export function findBroken({ lines }: Passage): readonly string[] {
  return lines.flatMap(({ what, measured, against, mostRssMib, figures }) => [
    ...against
      .filter(({ cpu, mostCpu }) => mostCpu !== null && (cpu ?? 0) > mostCpu)
      .map((ratio) => `${what}: ${ratio.cpu} x the CPU of "${ratio.what}", at most ${ratio.mostCpu}`),
    ...(mostRssMib !== null && (measured?.peakRssMib ?? 0) > mostRssMib
      ? [`${what}: ${measured?.peakRssMib} MiB, at most ${mostRssMib}`]
      : []),
    ...figures.filter(isMissed).map((figure) => `${what}: ${figure.value} ${figure.of}, ${sayBound(figure)}`),
  ]);
}

/** What is much worse in a small passage than in the one on the page; lines that are not on the page are not compared. */
export function findWorse(passage: Passage, shown: Passage): readonly string[] {
  const linesShown = new Map<string, KeptLine>(shown.lines.map((line) => [line.what, line]));
  return passage.lines.flatMap(({ what, against }) =>
    against.flatMap(({ what: baseline, cpu }) => {
      const before = linesShown.get(what)?.against.find((ratio) => ratio.what === baseline)?.cpu ?? null;
      const isWorse = cpu !== null && before !== null && cpu > before * MOST_WORSE;
      return isWorse ? [`${what}: ${cpu} x the CPU of "${baseline}", where the page says ${before}`] : [];
    }),
  );
}
