/** An error reply of Redis. */
export interface ErrorReply {
  /** Redis's error word, for example `OOM`. */
  readonly word: string;
  /** Whether the same step may succeed later without a restart. */
  readonly mayPass: boolean;
  /** What is wrong and what to do, to follow "Redis at …". */
  readonly sentence: string;
}

const CLUSTER = 'is one node of a cluster, and rowmill needs one server with all keys: use a Redis that is not a cluster';

/** Replies that pass after somebody acts, or by themselves. Everything else stops the work. */
const PASSING: Readonly<Record<string, string>> = {
  OOM: 'is full: remove other data from it, or type redis-cli CONFIG SET maxmemory with a larger size',
  READONLY: 'is a replica and accepts no writes: use the address of its primary',
  MISCONF: 'accepts no writes because it cannot save to its disk: make room there, or fix its setting "dir"; see its log',
  LOADING: 'is still reading its data: wait until it has',
  BUSY: "is busy with somebody's script: wait for its end, or type redis-cli SCRIPT KILL",
  MASTERDOWN: 'is a replica that has lost its primary: bring it back, or use the address of the new one',
  CLUSTERDOWN: 'belongs to a cluster that is down: repair it (redis-cli --cluster check), or use a Redis that is not a cluster',
  TRYAGAIN: 'belongs to a cluster that is moving keys: wait until it has',
  NOREPLICAS: 'takes no writes because too few replicas are in step: bring them back, or lower its setting "min-replicas-to-write"',
  UNBLOCKED: 'has just become a replica: wait, or use the address of its primary',
  NOSCRIPT: 'has forgotten a script; it is sent again',
};

const LASTING: Readonly<Record<string, string>> = {
  WRONGPASS: 'refuses the user or the password: give the right ones, redis://USER:PASSWORD@HOST:PORT',
  NOAUTH: 'asks for a password: give it in the URL, redis://:PASSWORD@HOST:PORT',
  MOVED: CLUSTER,
  ASK: CLUSTER,
  CROSSSLOT: CLUSTER,
  DENIED: 'accepts connections only from its own machine (protected mode): set a password there, and put it into the URL',
};

/** The reply of a full Redis to anyone who wants to add something. */
export const FULL: Error = Object.assign(new Error('OOM'), { name: 'ReplyError' });

const MOST_CHARACTERS = 160;

/** Reads an error as a reply of Redis; null if Redis did not answer at all, or it is not an error of Redis. */
export function readErrorReply(error: unknown): ErrorReply | null {
  const { name, message = '', previousErrors, command } = (error ?? {}) as PossibleReply;
  if (name !== 'ReplyError') return null;
  // A transaction only says that one of its commands was refused.
  if (previousErrors?.[0] !== undefined) return readErrorReply(previousErrors[0]);
  const word = /^[A-Z]+(?= |$)/.exec(message)?.[0] ?? 'ERR';
  const passing = PASSING[word];
  if (passing !== undefined) return { word, mayPass: true, sentence: `${passing} (${word})` };
  const lasting = LASTING[word];
  if (lasting !== undefined) return { word, mayPass: false, sentence: `${lasting} (${word})` };
  if (/max number of clients/.test(message)) {
    const sentence = 'takes no further connections: raise its setting "maxclients", or end other clients (max number of clients reached)';
    return { word, mayPass: true, sentence };
  }
  if (word === 'NOPERM' || /ACL failure|executing the script can't/.test(message)) return refusedRight(readRefusedRight(message));
  const unknown = /unknown (?:redis )?command(?:,? [`'"]([\w|-]{1,30}))?/i.exec(message);
  if (unknown !== null) return refusedCommand(unknown[1] ?? null);
  return { word, mayPass: false, sentence: `answers ${nameCommand(command?.name)} with an error: ${shorten(message)}` };
}

interface PossibleReply {
  readonly name?: string;
  readonly message?: string;
  readonly previousErrors?: readonly unknown[];
  readonly command?: { readonly name?: string };
}

/** Redis knows the user, but does not allow what we need: commands, or the keys. */
export function refusedRight(what: string): ErrorReply {
  const sentence = `does not allow its user ${what} (NOPERM): give it the rights that docs/redis-protocol.md lists, with redis-cli ACL SETUSER`;
  return { word: 'NOPERM', mayPass: false, sentence };
}

function readRefusedRight(message: string): string {
  const command = /'([\w|-]{1,40})' command/.exec(message)?.[1];
  if (command !== undefined) return `to run ${command.toUpperCase()}`;
  return /key/.test(message) ? 'to use keys that begin with "rowmill"' : 'to run a command of a script';
}

function refusedCommand(name: string | null): ErrorReply {
  const sentence = `does not know ${nameCommand(name)}: rowmill needs Redis 6.2 or newer, or Valkey, with its commands under their own names`;
  return { word: 'ERR', mayPass: false, sentence: `${sentence} (unknown command)` };
}

function nameCommand(name: string | null | undefined): string {
  return name === null || name === undefined ? 'a command' : name.toUpperCase();
}

/** The arguments of a command quoted by Redis may contain row text. */
function shorten(message: string): string {
  const quoted = message.replace(/,? with args beginning with.*$/s, '').replaceAll(/[^\x20-\x7e]/g, ' ');
  return quoted.length <= MOST_CHARACTERS ? quoted : `${quoted.slice(0, MOST_CHARACTERS - 1)}…`;
}
