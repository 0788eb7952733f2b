// Writes results to standard output.

/** Writes a line to standard output. */
export const printLine = (text: string): void => void process.stdout.write(`${text}\n`);

/** Writes a warning to standard error. */
export const warn = (text: string): void => void process.stderr.write(`Warning: ${text}\n`);
