// A process that can be killed at each of its writes and calls: before the step, or after its effect.
import type { Client } from "../../../machinery/client.ts";

export type Moment = "before" | "after";
export interface Process {
  readonly signal: AbortSignal;
  /** Counts a step. What a killed process had begun never returns to it. */
  step<T>(effect: () => Promise<T>): Promise<T>;
  /** The client, each of whose writes is a step. */
  client(client: Client): Client;
  /** Kills at the step with this number, counted from now. */
  killAt(step: number, moment: Moment): void;
  kill(): void;
  /** Starts it anew. */
  restart(): void;
}

export function killable(): Process {
  let process = new AbortController();
  let left = Infinity;
  let moment: Moment = "before";
  const kill = (): void => {
    left = Infinity;
    process.abort(new Error("killed"));
  };
  const never = <T>(): Promise<T> => new Promise(() => {});
  const step = async <T>(effect: () => Promise<T>): Promise<T> => {
    const own = process;
    if (own.signal.aborted) return never();
    const isLast = --left === 0;
    if (isLast && moment === "before") kill();
    if (own.signal.aborted) return never();
    const result = await effect();
    if (isLast) kill();
    return own.signal.aborted ? never() : result;
  };
  const killable = (client: Client): Client => ({
    ...client,
    asController: (account) => killable(client.asController(account)),
    create: (r, draft) => step(() => client.create(r, draft)),
    update: (r, object, subresource) => step(() => client.update(r, object, subresource)),
    patch: (r, k, patch, subresource) => step(() => client.patch(r, k, patch, subresource)),
    delete: (r, k, options) => step(() => client.delete(r, k, options)),
  });
  return {
    get signal() {
      return process.signal;
    },
    step,
    client: killable,
    killAt(at, when) {
      [left, moment] = [at, when];
    },
    kill,
    restart() {
      process = new AbortController();
    },
  };
}
