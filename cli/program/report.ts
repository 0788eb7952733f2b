// How errors of commands are printed: the server's as kubectl prints them, all others after `error:`.
import { CommanderError } from "commander";
import { ApiError } from "../../api/errors.ts";
import { CliError } from "../cli-error.ts";

/** `The Pod "x" is invalid: spec.containers: Required value`, with a line for each of several causes. */
function invalid({ details, message }: ApiError): string {
  const causes = (details?.causes ?? []).map((c) => (c.field ? `${c.field}: ${c.message}` : (c.message ?? "")));
  if (causes.length === 0) return details?.kind ? message : `The request is invalid: ${message}`;
  const subject = details?.kind
    ? `The ${details.kind} ${JSON.stringify(details.name ?? "")} is invalid`
    : "The request is invalid";
  return causes.length === 1 ? `${subject}: ${causes[0]}` : `${subject}: \n${causes.map((c) => `* ${c}`).join("\n")}`;
}

/** The text of an error of the server. */
export const serverError = (error: ApiError): string =>
  error.reason === "Invalid"
    ? invalid(error)
    : `Error from server${error.reason === "Unknown" ? "" : ` (${error.reason})`}: ${error.message}`;

/** The lines of an error. Of several errors, each has its own. */
export function errorText(error: unknown): string {
  // As kubectl does, without `error:` before each.
  if (error instanceof AggregateError)
    return error.errors.map((each) => errorText(each).replace(/^error: /, "")).join("");
  // Commander words its messages itself.
  if (error instanceof CommanderError) return `${error.message}\n`;
  if (error instanceof ApiError) return `${serverError(error)}\n`;
  const message = error instanceof Error ? error.message : String(error);
  const advice = error instanceof CliError && error.advice !== undefined ? `${error.advice}\n` : "";
  return `${error instanceof CliError && error.isBare ? "" : "error: "}${message}\n${advice}`;
}

/** The exit code of a command that failed. */
export const exitCodeOf = (error: unknown): number =>
  error instanceof CliError || error instanceof CommanderError ? error.exitCode : 1;
