/** Flags of Node for a command that lives for a second: optimizing its code, and collecting its garbage often, would cost more than it saves. */
export const SHORT_LIVED = ['--no-opt', '--v8-pool-size=0', '--min-semi-space-size=16', '--max-semi-space-size=32'];
