import { type AttackContext, type Attacked, type AttackResult, continueAndCheck, inArena, takeTurn } from '../attack.ts';
import type { Dice } from '../dice.ts';
import { type LaneName, ORDINARY_ROWS } from '../table.ts';

/** One way in which answers can go wrong in transit. */
export interface Trouble {
  readonly faults: readonly unknown[];
  /** Calls that may be paid a second time because of it, if that is reported. */
  readonly secondPayments: number;
  /** Additional flags of the command. */
  readonly flags?: readonly string[];
}

/** @param key of a row without a fault of its own */
type MakeTrouble = (dice: Dice, key: string) => Trouble;

/** The variants for each lane. */
type Troubles = Readonly<Record<LaneName, readonly MakeTrouble[]>>;

const CREATE = { method: 'POST', path: '/v1/batches' };
const UPLOAD = { method: 'POST', path: '/v1/files' };
const CALL = { method: 'POST', path: '/v1/chat/completions' };
const DOWNLOAD = { path: '/v1/files/*/content' };
const POLL = { method: 'GET', path: '/v1/batches/*' };

/** On a slow machine a lagging list is read late; batches missing from the last read are created again. */
const PATIENT_LOOKS = ['--looks', '0.05,0.4,1.5,10'];

const free = (...faults: readonly unknown[]): Trouble => ({ faults, secondPayments: 0 });
const once = (...faults: readonly unknown[]): Trouble => ({ faults, secondPayments: 1 });
/** The two batches of the small run, or one of its first calls. */
const eitherOf = (match: object, dice: Dice) => ({ ...match, nth: dice.between(1, 2) });
const oneOf = (match: object, dice: Dice) => ({ ...match, nth: dice.between(1, 8) });
const ofRow = (customId: string, line: string): unknown => ({ match: { custom_id: customId }, times: 1, do: { line } });

const LOST: Troubles = {
  batch: [
    (dice) => free({ match: eitherOf(CREATE, dice), do: { drop: 'after' } }),
    (dice) => ({
      ...free({ match: eitherOf(CREATE, dice), do: { drop: 'after' } }, { match: {}, do: { listLagMs: 1_000 } }),
      flags: PATIENT_LOOKS,
    }),
    (dice) => free({ match: eitherOf(CREATE, dice), do: { drop: 'after' } }, { match: {}, do: { dropMetadata: true } }),
    (dice) => free({ match: eitherOf(CREATE, dice), do: { html: 502, processed: true } }),
    (dice) => free({ match: eitherOf(CREATE, dice), do: { drop: 'before' } }),
    (dice) => free({ match: eitherOf(UPLOAD, dice), do: { drop: 'after' } }),
    (dice) => free({ match: eitherOf(DOWNLOAD, dice), do: { cutAtByte: dice.between(0, 900), close: true } }),
    (dice) => free({ match: eitherOf(POLL, dice), do: { drop: 'before' } }),
  ],
  live: [
    (dice) => once({ match: oneOf(CALL, dice), do: { drop: 'after' } }),
    (dice) => once({ match: oneOf(CALL, dice), do: { html: 502, processed: true } }),
    (dice) => once({ match: oneOf(CALL, dice), do: { cutAtByte: dice.between(1, 300), close: true } }),
    (dice) => free({ match: oneOf(CALL, dice), do: { drop: 'before' } }),
  ],
};

const LATE: Troubles = {
  batch: [
    (dice) => free({ match: eitherOf(CREATE, dice), do: { delayMs: 300 } }),
    (dice) => free({ match: eitherOf(DOWNLOAD, dice), do: { dripBytes: 700, everyMs: 10 } }),
    () => free({ match: {}, do: { outputFileId: 'late', lateMs: 150 } }),
    () => free({ match: { batch: 1 }, do: { goBack: 2 } }),
    (dice) => free({ match: eitherOf(POLL, dice), do: { delayMs: 300 } }),
  ],
  live: [
    (dice) => free({ match: oneOf(CALL, dice), do: { delayMs: 400 } }),
    (dice) => free({ match: oneOf(CALL, dice), do: { dripBytes: 60, everyMs: 10 } }),
    (dice) => free({ match: oneOf(CALL, dice), do: { error: 'rate_limit_exceeded', headers: { 'retry-after-ms': '50' } } }),
  ],
};

/** Only a file can contain a line twice. */
const DOUBLED: readonly MakeTrouble[] = [
  (_, key) => free(ofRow(key, 'duplicate')),
  (_, key) => once(ofRow(key, 'duplicate_new_id')),
  (_, key) => free(ofRow(key, 'foreign')),
  (_, key) => once(ofRow(key, 'two_objects')),
  (_, key) => free(ofRow(key, 'blank')),
];

const GARBLED: Troubles = {
  batch: [
    () => free({ match: {}, do: { bom: true } }),
    (_, key) => once(ofRow(key, 'lost')),
    (_, key) => free(ofRow(key, 'expired')),
    ...['broken', 'null_body', 'no_custom_id', 'response_and_error', 'bad_utf8', 'status_0'].map(
      (kind): MakeTrouble =>
        (_, key) =>
          once(ofRow(key, kind)),
    ),
    ...['missing', 'crlf'].map(
      (kind): MakeTrouble =>
        (_, key) =>
          free(ofRow(key, kind)),
    ),
    () => free({ match: { batch: 1 }, do: { expire: 0.5 } }),
  ],
  live: [
    (dice) => once({ match: oneOf(CALL, dice), do: { html: 200, processed: true } }),
    (dice) => once({ match: oneOf(CALL, dice), do: { empty: 200, processed: true } }),
    (_, key) => once({ match: { custom_id: key }, times: 1, do: { answer: 'usage_missing' } }),
  ],
};

async function meet(context: AttackContext, trouble: Trouble): Promise<AttackResult> {
  return inArena(context, { faults: trouble.faults }, async (arena) => {
    const broken = await continueAndCheck(context, arena, trouble.secondPayments, { flags: trouble.flags ?? [] });
    const fired = arena.simulator.faultsFired().filter((fault) => fault.name !== 'row' && fault.fired > 0);
    return { fired: fired.map(({ name }) => name), broken };
  });
}

function chooseKey({ dice, reference }: AttackContext): string {
  return reference.undisturbed.batch.evidence.rowKeys[dice.pick(ORDINARY_ROWS)] as string;
}

/** A few of all troubles of this lane, drawn at random. */
export function drawTroubles(context: AttackContext, count: number): readonly Trouble[] {
  const { dice, lane } = context;
  const all = [LOST, LATE, { batch: DOUBLED, live: [] }, GARBLED].flatMap((troubles) => troubles[lane]);
  return Array.from({ length: count }, () => dice.pick(all)(dice, chooseKey(context)));
}

/** This many in the first minute; the others follow if there is time. */
const FIRST_TURNS = 4;

/** Alternates between the lanes as long as both have some left. */
function makeAttack(troubles: Troubles): Pick<Attacked, 'minimum' | 'attack'> {
  const { batch, live } = troubles;
  const longest = batch.length > live.length ? batch : live;
  const all = longest.flatMap((_, index) => [
    ...batch.slice(index, index + 1).map((make) => ({ lane: 'batch' as const, make })),
    ...live.slice(index, index + 1).map((make) => ({ lane: 'live' as const, make })),
  ]);
  return {
    minimum: Math.min(all.length, FIRST_TURNS),
    attack(context) {
      const { lane, make } = takeTurn(context, all);
      return meet({ ...context, lane }, make(context.dice, chooseKey(context)));
    },
  };
}

export const ANSWERS: readonly Attacked[] = [
  {
    name: 'lost',
    says: 'After a lost answer the provider is searched before anything is sent again; for a live call, where no search is possible, the loss is reported',
    attackedBy:
      'connections dropped before or after the request took effect, error pages of gateways, truncated downloads, lists that lag or carry no metadata',
    ...makeAttack(LOST),
  },
  {
    name: 'late',
    says: 'Anything that arrives late is waited for and paid once',
    attackedBy: 'slow creates, polls, calls and downloads, late file ids, statuses that go back, rate limits',
    ...makeAttack(LATE),
  },
  {
    name: 'doubled',
    says: 'A repeated line is one answer: the first one counts, and a second call is booked',
    attackedBy: 'result files with repeated lines, under the same or another id, and with foreign lines',
    ...makeAttack({ batch: DOUBLED, live: [] }),
  },
  {
    name: 'garbled',
    says: 'After a broken answer the row is sent once more, and the possible cost is reported',
    attackedBy:
      'lines that are lost, torn, without body, id or usage, in the wrong file or not UTF-8; calls answered by an HTML page, by nothing, or without usage',
    ...makeAttack(GARBLED),
  },
];
