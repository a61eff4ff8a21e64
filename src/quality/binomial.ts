/**
 * Tests whether a rare event became more or less frequent: the chance that its occurrences fell like this, given how many cases either
 * side had (the conditional test of two rates, Przyborowski and Wilenski 1940). Exact for rare events, however few; two-sided.
 */
export function testRates(found: number, cases: number, foundBefore: number, casesBefore: number): number {
  const all = found + foundBefore;
  const share = cases / (cases + casesBefore);
  if (all === 0 || share === 0 || share === 1) return 1;
  const isMore = found > all * share;
  const tail = isMore ? sumTail(all, all - found, 1 - share) : sumTail(all, found, share);
  return Math.min(1, 2 * tail);
}

/** The chance of at most `most` successes in `tries`, each with this probability. */
function sumTail(tries: number, most: number, probability: number): number {
  let logWays = 0;
  for (let k = 1; k <= most; k += 1) logWays += Math.log((tries - k + 1) / k);
  let term = Math.exp(logWays + most * Math.log(probability) + (tries - most) * Math.log1p(-probability));
  let sum = 0;
  for (let k = most; k >= 0 && term > sum * 1e-17; k -= 1) {
    sum += term;
    term *= (k / (tries - k + 1)) * ((1 - probability) / probability);
  }
  return sum;
}
