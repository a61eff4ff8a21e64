/** A status with which errors of a provider start; counts of rows look alike. */
const STATUS = /(: (?:[\w.-]+: )?[45]\d\d) (?!(?:of|rows?|requests?|calls?|answers?)\b).*$/s;
const REFUSED_SHARDS = /( were refused whole: [\w.-]+): .*$/s;

/** Why a run stopped, in our words and with the provider's code: the rest of a provider's or gateway's message may quote what it was sent. */
export function leaveOutSaid(why: string): string {
  return why.replace(STATUS, '$1').replace(REFUSED_SHARDS, '$1');
}
