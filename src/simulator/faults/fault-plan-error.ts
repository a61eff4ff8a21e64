/** What is wrong with a fault plan, and where. */
export class FaultPlanError extends Error {
  /** A word that is none of the allowed ones; null if something else is wrong. */
  readonly slip: { readonly word: string; readonly allowed: readonly string[] } | null;

  constructor(message: string, slip: FaultPlanError['slip'] = null) {
    super(message);
    this.slip = slip;
  }
}
