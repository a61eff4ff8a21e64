import type { Dispatcher } from 'undici';

/**
 * Asks once the socket is there, in the turn in which the call is written to it: whoever stood still before that may have lost the right to send. Between
 * that moment and the network nothing can be asked any more.
 * @param assertMaySpend what it throws is what the call comes to
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
