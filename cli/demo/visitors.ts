// Visitors of the guestbook: they come to a port of the nodes, one after the other, and remember every answer.
import { request } from "node:http";
import type { Node } from "../../api/generated/types.ts";
import { nodes } from "../../api/core/nodes.ts";
import { services } from "../../api/core/services.ts";
import { key } from "../../api/meta.ts";
import { conditionOf } from "../../api/core/pod/status.ts";
import type { Clock } from "../../machinery/world.ts";
import { check, type Stage } from "./stage.ts";

/** What visitors were told, and what they were not. */
export interface Visits {
  /** How often each answer came. */
  readonly answers: ReadonlyMap<string, number>;
  readonly answered: number;
  readonly failures: readonly string[];
}

/** A busy machine answers late, and late is not lost: whoever asks a pod that is gone would wait for ever. */
const patienceMs = 15_000;

/** Asks once, over a connection of its own. */
export const visit = (url: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const call = request(url, { agent: false, timeout: patienceMs }, (response) => {
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

const isReady = (node: Node): boolean => conditionOf(node.status?.conditions, "Ready")?.status === "True";

/** The addresses at which a service is found from outside: its port on every node that is Ready. */
export async function addressesOf({ client, namespace }: Stage, service: string): Promise<readonly string[]> {
  const found = await client.get(services, key(namespace, service));
  const port = found.spec.ports?.[0]?.nodePort;
  check(port !== undefined, `the service ${service} has no port on the nodes`);
  const { items } = await client.list(nodes);
  return items.filter(isReady).flatMap((node) => {
    const ip = node.status?.addresses?.find((address) => address.type === "InternalIP")?.address;
    return ip === undefined ? [] : [`http://${ip}:${port}`];
  });
}

/** Visits all addresses in turn, steadily, until told to stop; every visit that was begun is counted. */
export async function keepVisiting(
  addresses: readonly string[],
  path: string,
  clock: Clock,
  signal: AbortSignal,
): Promise<Visits> {
  const answers = new Map<string, number>();
  const failures: string[] = [];
  let answered = 0;
  const visitor = async (first: number): Promise<void> => {
    for (let turn = first; !signal.aborted; turn++) {
      const address = addresses[turn % addresses.length]!;
      try {
        const answer = await visit(address + path);
        answers.set(answer, (answers.get(answer) ?? 0) + 1);
        answered++;
      } catch (error) {
        failures.push(`${address}: ${(error as Error).message}`);
      }
      await clock.sleep(20, signal).catch(() => {});
    }
  };
  await Promise.all([0, 1, 2].map(visitor));
  return { answers, answered, failures };
}

/** Keeps visitors coming while something happens, and hands back what they were told. */
export async function visitedDuring(stage: Stage, path: string, happening: () => Promise<void>): Promise<Visits> {
  const { clock } = stage.io;
  const enough = new AbortController();
  const visits = keepVisiting(
    await addressesOf(stage, "web"),
    path,
    clock,
    AbortSignal.any([enough.signal, stage.signal]),
  );
  try {
    await clock.sleep(500, stage.signal);
    await happening();
    await clock.sleep(500, stage.signal);
  } finally {
    enough.abort();
    await visits;
  }
  return visits;
}

/** Not one visitor may have gone away without an answer. */
export function checkNoneLost({ answered, failures }: Visits): void {
  const some = failures.slice(0, 3).join("; ");
  check(failures.length === 0, `${failures.length} of ${answered + failures.length} requests were lost: ${some}`);
}
