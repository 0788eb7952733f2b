// Clients of the guestbook: send requests to its node port and count the responses.
import { request } from "node:http";
import type { Node } from "../../api/generated/types.ts";
import { nodes } from "../../api/core/nodes.ts";
import { services } from "../../api/core/services.ts";
import { key } from "../../api/meta.ts";
import { conditionOf } from "../../api/core/pod/status.ts";
import type { Clock } from "../../machinery/world.ts";
import { check, type Stage } from "./stage.ts";

/** The outcomes of requests. */
export interface Visits {
  /** The number of responses by body. */
  readonly responses: ReadonlyMap<string, number>;
  readonly succeeded: number;
  readonly failures: readonly string[];
}

/** Long enough for a busy machine; a request to a pod that is gone would never be answered. */
const timeoutMs = 15_000;

/** Sends a GET request over its own connection and resolves with the body. */
export const visit = (url: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const call = request(url, { agent: false, timeout: timeoutMs }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (text: string) => {
        body += text;
      });
      response.on("error", reject).on("end", () => {
        if (response.statusCode === 200) resolve(body.trim());
        else reject(new Error(`status ${response.statusCode}`));
      });
    });
    call.on("timeout", () => call.destroy(new Error("no answer in time")));
    call.on("error", reject).end();
  });

export const isNodeReady = (node: Node): boolean => conditionOf(node.status?.conditions, "Ready")?.status === "True";

/** The URLs of a service from outside: its node port on all Ready nodes. */
export async function addressesOf({ client, namespace }: Stage, service: string): Promise<readonly string[]> {
  const found = await client.get(services, key(namespace, service));
  const port = found.spec.ports?.[0]?.nodePort;
  check(port !== undefined, `the service ${service} has no port on the nodes`);
  const { items } = await client.list(nodes);
  return items.filter(isNodeReady).flatMap((node) => {
    const ip = node.status?.addresses?.find((address) => address.type === "InternalIP")?.address;
    return ip === undefined ? [] : [`http://${ip}:${port}`];
  });
}

/** Sends requests to all addresses in turn until the signal aborts, and waits for the last ones. */
async function keepVisiting(
  addresses: readonly string[],
  path: string,
  clock: Clock,
  signal: AbortSignal,
): Promise<Visits> {
  const responses = new Map<string, number>();
  const failures: string[] = [];
  let succeeded = 0;
  const visitor = async (first: number): Promise<void> => {
    for (let turn = first; !signal.aborted; turn++) {
      const address = addresses[turn % addresses.length]!;
      try {
        const response = await visit(address + path);
        responses.set(response, (responses.get(response) ?? 0) + 1);
        succeeded++;
      } catch (error) {
        failures.push(`${address}: ${(error as Error).message}`);
      }
      await clock.sleep(20, signal).catch(() => {});
    }
  };
  await Promise.all([0, 1, 2].map(visitor));
  return { responses, succeeded, failures };
}

/** Sends requests while `action` runs and returns their outcomes. */
export async function visitedDuring(stage: Stage, path: string, action: () => Promise<void>): Promise<Visits> {
  const { clock } = stage.io;
  const stop = new AbortController();
  const visits = keepVisiting(
    await addressesOf(stage, "web"),
    path,
    clock,
    AbortSignal.any([stop.signal, stage.signal]),
  );
  try {
    await clock.sleep(500, stage.signal);
    await action();
    await clock.sleep(500, stage.signal);
  } finally {
    stop.abort();
    await visits;
  }
  return visits;
}

/** Throws CliError when a request failed. */
export function checkNoneLost({ succeeded, failures }: Visits): void {
  const some = failures.slice(0, 3).join("; ");
  check(failures.length === 0, `${failures.length} of ${succeeded + failures.length} requests were lost: ${some}`);
}
