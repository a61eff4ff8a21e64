/** A status as errors of a provider begin; counts of rows look alike. */
const STATUS = /(: (?:[\w.-]+: )?[45]\d\d) (?!(?:of|rows?|requests?|calls?|answers?)\b).*$/s;
const REFUSED_SHARDS = /( were refused whole: [\w.-]+): .*$/s;

/** Why a run stopped, by our words and the provider's code: what else a provider or gateway said may quote what it was sent. */
export function leaveOutSaid(why: string): string {
  return why.replace(STATUS, '$1').replace(REFUSED_SHARDS, '$1');
}
