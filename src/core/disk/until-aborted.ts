/** The chunks of a stream; where the signal is aborted its reason is thrown, which a stream would say in words of its own. */
export async function* untilAborted<Chunk>(open: () => AsyncIterable<Chunk>, signal: AbortSignal): AsyncGenerator<Chunk> {
  // A stream that is opened too late fails where nobody listens.
  signal.throwIfAborted();
  try {
    yield* open();
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}
