// How a command says that it cannot go on: what happened, and what the user can do about it.

/** An error for people: printed without a stack, with its advice on a line of its own, and exit code 1. */
export class CliError extends Error {
  readonly advice: string | undefined;
  constructor(message: string, advice?: string) {
    super(message);
    this.name = "CliError";
    this.advice = advice;
  }
}
