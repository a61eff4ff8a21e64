import type { Dispatcher } from 'undici';

/**
 * Asks once the socket is ready, in the same turn in which the call is written to it: a process that was stopped before that may have lost the right to send.
 * Between that moment and the network nothing can be checked.
 * @param assertMaySpend an error it throws is the result of the call
 */
export function fenceCalls(pool: Dispatcher, assertMaySpend: () => void): Dispatcher {
  return pool.compose((dispatch) => (options, handler) => {
    const begin = handler.onRequestStart?.bind(handler);
    handler.onRequestStart = (...told) => {
      assertMaySpend();
      begin?.(...told);
    };
    return dispatch(options, handler);
  });
}
