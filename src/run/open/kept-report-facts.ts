import type { Ledger } from '../../ledger/ledger.ts';
import type { LeaveOut } from '../../ledger/runs.ts';
import type { ReportFacts, WarningFacts } from '../../output/report/facts.ts';

export const REPORT_FILE = 'report.json';

/** Stores the data with the run. */
export function keepReportFacts({ runFiles }: Ledger, run: string, facts: ReportFacts): void {
  runFiles.writeRunFile(run, REPORT_FILE, `${JSON.stringify(facts)}\n`);
}

/** What a run stored for its report; null if it stored nothing, or a newer version did: without a warning if the run's summary has one. */
export function readReportFacts(
  { runFiles }: Pick<Ledger, 'runFiles'>,
  run: string,
  leaveOut: LeaveOut | null = () => {},
): ReportFacts | null {
  const kept = runFiles.readRunObject(run, REPORT_FILE, leaveOut);
  if (kept === null) return null;
  // A version without stored warnings has none.
  return { warnings: NO_WARNINGS, ...(kept as Omit<ReportFacts, 'warnings'> & Partial<ReportFacts>) };
}

export const NO_WARNINGS: WarningFacts = { messages: [], more: 0 };
