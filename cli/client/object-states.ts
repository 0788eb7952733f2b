// The states of an object as it changes, from a watch.
import type { Pod } from "../../api/generated/types.ts";
import { ApiError } from "../../api/errors.ts";
import type { ApiObject } from "../../api/meta.ts";
import { realWorld } from "../../machinery/real-world.ts";
import { CliError } from "../cli-error.ts";
import { type Connection, jsonLines } from "./connection.ts";
import { query } from "./resources.ts";

interface WatchEvent<T> {
  readonly type: string;
  readonly object: T;
}
/** How long states are read. */
export interface Limits {
  /** In milliseconds; 0 for no limit. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** Reads the states of an object of a list, the current one first; undefined when it is gone. Ends at the limit. */
export async function* objectStates<T extends ApiObject>(
  api: Connection,
  listPath: string,
  name: string,
  { timeoutMs, signal }: Limits,
): AsyncIterable<T | undefined> {
  const { clock } = realWorld(() => {});
  const limit = new AbortController();
  const ended = new AbortController();
  if (timeoutMs > 0)
    clock.sleep(timeoutMs, ended.signal).then(
      () => limit.abort(),
      () => {},
    );
  const path = listPath + query({ watch: true, fieldSelector: `metadata.name=${name}` });
  try {
    const events = api.stream({ path }, AbortSignal.any([signal, limit.signal]));
    for await (const { type, object } of jsonLines<WatchEvent<T>>(events))
      if (type === "DELETED") yield undefined;
      else if (type === "ADDED" || type === "MODIFIED") yield object;
  } finally {
    ended.abort();
  }
}

/** Waits for a state of a pod. Throws CliError when the time is over, ApiError when the pod is deleted. */
export async function podState(
  api: Connection,
  { namespace, name }: Pod["metadata"],
  isReached: (pod: Pod) => boolean,
  limits: Limits,
): Promise<Pod> {
  const list = `/api/v1/namespaces/${namespace}/pods`;
  for await (const pod of objectStates<Pod & ApiObject>(api, list, name!, limits)) {
    if (pod === undefined) throw new ApiError("NotFound", 'pods "" not found');
    if (isReached(pod)) return pod;
  }
  limits.signal.throwIfAborted();
  throw new CliError("timed out waiting for the condition");
}
