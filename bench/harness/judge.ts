import type { KeptLine, Passage } from './figures.ts';

/** A passage of the small size may be so many times worse than the page's. */
const MOST_WORSE = 1.5;

/** What is over its limit in a passage of the full size. */
export function findBroken({ lines }: Passage): readonly string[] {
  return lines.flatMap(({ what, measured, against, mostRssMib, figures }) => [
    ...against
      .filter(({ cpu, mostCpu }) => mostCpu !== null && (cpu ?? 0) > mostCpu)
      .map((ratio) => `${what}: ${ratio.cpu} x the CPU of "${ratio.what}", at most ${ratio.mostCpu}`),
    ...(mostRssMib !== null && (measured?.peakRssMib ?? 0) > mostRssMib
      ? [`${what}: ${measured?.peakRssMib} MiB, at most ${mostRssMib}`]
      : []),
    ...figures
      .filter(({ value, most }) => most !== null && value > most)
      .map(({ value, of, most }) => `${what}: ${value} ${of}, at most ${most}`),
  ]);
}

/** What is much worse in a small passage than in the one the page shows; what the page does not show is not compared. */
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
