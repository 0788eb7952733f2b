// What an error of the engine's client means for us: nobody there, refused, or not found.
import { RuntimeRefused, RuntimeUnavailable } from "../runtime.ts";

interface EngineError {
  readonly statusCode?: number;
  readonly json?: { readonly message?: string };
  readonly message?: string;
}
const asEngineError = (e: unknown): EngineError => (typeof e === "object" && e !== null ? e : { message: String(e) });

/** The engine's own words; its client's summary of a 404 would call a missing image "no such container". */
export function wordsOf(e: unknown): string {
  const { json, message = "unknown error" } = asEngineError(e);
  return json?.message ?? message.replace(/^\(HTTP code \d+\) [^-]* - /, "").trim();
}

/** Did the engine answer with this HTTP status? */
export const hasStatus = (e: unknown, ...codes: readonly number[]): boolean =>
  codes.includes(asEngineError(e).statusCode ?? 0);

/** An answer with a status is a refusal; everything else means that nobody answered. */
export function translated(e: unknown): Error {
  if (e instanceof RuntimeRefused || e instanceof RuntimeUnavailable) return e;
  if (e instanceof Error && e.name === "AbortError") return e;
  return asEngineError(e).statusCode === undefined
    ? new RuntimeUnavailable(`cannot reach the container engine: ${wordsOf(e)}`)
    : new RuntimeRefused(wordsOf(e));
}

/** Runs one engine call; the listed statuses count as an answer of `undefined`. */
export async function ask<T>(call: () => Promise<T>, ...harmless: readonly number[]): Promise<T | undefined> {
  try {
    return await call();
  } catch (e) {
    if (hasStatus(e, ...harmless)) return undefined;
    throw translated(e);
  }
}
