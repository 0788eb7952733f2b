// Reads the log of a container.
import type { Connection } from "./connection.ts";
import { query } from "./resources.ts";

export interface LogSource {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
}

/** The chunks of a log, until it ends or the signal aborts. */
export const logOf = (
  api: Connection,
  { namespace, pod, container }: LogSource,
  parameters: Parameters<typeof query>[0],
  signal: AbortSignal,
): AsyncIterable<Buffer> => {
  const path = `/api/v1/namespaces/${namespace}/pods/${pod}/log${query({ container, ...parameters })}`;
  return api.stream({ path, accept: "*/*" }, signal);
};

/** Prints what a container has written so far. */
export async function printLog(api: Connection, source: LogSource, signal: AbortSignal): Promise<void> {
  for await (const chunk of logOf(api, source, {}, signal)) process.stdout.write(chunk);
}
