// Errors of commands, with advice for the user.

/** An error for users: printed without a stack, followed by its advice. */
export class CliError extends Error {
  readonly advice: string | undefined;
  readonly exitCode: number;
  /** Printed without `error:`, as kubectl prints a few of its errors. */
  readonly isBare: boolean;
  constructor(message: string, advice?: string, how: { readonly exitCode?: number; readonly isBare?: boolean } = {}) {
    super(message);
    this.name = "CliError";
    this.advice = advice;
    this.exitCode = how.exitCode ?? 1;
    this.isBare = how.isBare ?? false;
  }
}
