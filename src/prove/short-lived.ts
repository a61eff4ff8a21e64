/** Node flags for a command that lives for a second: optimizing its code and frequent garbage collection would cost more than they save. */
export const SHORT_LIVED = ['--no-opt', '--v8-pool-size=0', '--min-semi-space-size=16', '--max-semi-space-size=32'];
