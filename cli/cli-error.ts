// Errors of commands, with advice for the user.

/** An error for users: printed without a stack, followed by its advice; exit code 1. */
export class CliError extends Error {
  readonly advice: string | undefined;
  constructor(message: string, advice?: string) {
    super(message);
    this.name = "CliError";
    this.advice = advice;
  }
}
