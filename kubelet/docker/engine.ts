// The Docker client without its gRPC and SSH libraries, which only builds and remote engines need and which would cost
// each node's agent more than ten megabytes each; and its errors: unavailable, refused, or an expected status.
import { createRequire, registerHooks } from "node:module";
import type Docker from "dockerode";
import { RuntimeRefused, RuntimeUnavailable } from "../runtime.ts";

const unused = new Set(["@grpc/grpc-js", "@grpc/proto-loader", "ssh2"]);
const emptyModule = "node:timers";

function load(): typeof Docker {
  const hooks = registerHooks({
    resolve: (specifier, context, next) =>
      unused.has(specifier) ? { url: emptyModule, format: "builtin", shortCircuit: true } : next(specifier, context),
  });
  try {
    return createRequire(import.meta.url)("dockerode") as typeof Docker;
  } finally {
    hooks.deregister();
  }
}

const Engine = load();

/** A client of the engine at this Unix socket. */
export const engineClient = (socketPath: string): Docker => new Engine({ socketPath });

interface EngineError {
  readonly statusCode?: number;
  readonly json?: { readonly message?: string };
  readonly message?: string;
}
const asEngineError = (e: unknown): EngineError => (typeof e === "object" && e !== null ? e : { message: String(e) });

/** The engine's message. The client's summary of a 404 would call a missing image "no such container". */
function messageOf(e: unknown): string {
  const { json, message = "unknown error" } = asEngineError(e);
  return json?.message ?? message.replace(/^\(HTTP code \d+\) [^-]* - /, "").trim();
}

/** Whether the engine responded with one of these HTTP statuses. */
export const hasStatus = (e: unknown, ...codes: readonly number[]): boolean =>
  codes.includes(asEngineError(e).statusCode ?? 0);

/** An error with an HTTP status is a refusal; any other means that the engine is unavailable. */
export function asRuntimeError(e: unknown): Error {
  if (e instanceof RuntimeRefused || e instanceof RuntimeUnavailable) return e;
  if (e instanceof Error && e.name === "AbortError") return e;
  return asEngineError(e).statusCode === undefined
    ? new RuntimeUnavailable(`cannot reach the container engine: ${messageOf(e)}`)
    : new RuntimeRefused(messageOf(e));
}

/** Runs one engine call; resolves with undefined for the statuses in `harmless`. */
export async function engineCall<T>(call: () => Promise<T>, ...harmless: readonly number[]): Promise<T | undefined> {
  try {
    return await call();
  } catch (e) {
    if (hasStatus(e, ...harmless)) return undefined;
    throw asRuntimeError(e);
  }
}
