// Watches of lists: the changes after a revision, as objects or as tables.
import { ApiError, type ErrorReason } from "../../api/errors.ts";
import { type Connection, jsonLines } from "./connection.ts";
import { requestPath } from "./lists.ts";
import type { Target } from "./targets.ts";

export interface WatchEvent<T> {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
  readonly object: T;
}
interface Failure {
  readonly reason?: string;
  readonly message?: string;
}
/** How a list is watched. */
export interface WatchOptions {
  readonly parameters: Readonly<Record<string, string | number | undefined>>;
  readonly accept: string;
  /** How long the connection may be idle; unlimited by default. */
  readonly timeoutMs?: number;
}

/** The changes of a list, without bookmarks. Throws ApiError when the server ends the watch with an error. */
export async function* changesOf<T>(
  api: Connection,
  target: Target,
  { parameters, accept, timeoutMs }: WatchOptions,
  signal: AbortSignal,
): AsyncIterable<WatchEvent<T>> {
  const path = requestPath(target, { ...parameters, watch: true });
  for await (const event of jsonLines<WatchEvent<T>>(api.stream({ path, accept, timeoutMs }, signal))) {
    if (event.type === "ERROR") {
      const { reason, message } = event.object as Failure;
      throw new ApiError((reason ?? "InternalError") as ErrorReason, message ?? "the watch failed");
    }
    if (event.type !== "BOOKMARK") yield event;
  }
}
