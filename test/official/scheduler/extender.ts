// An extender of kube-scheduler: it sees which nodes fit a pod, and which pods would have to leave which node for it, and
// makes kube-scheduler take the nodes that are preferred.
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { type Key, keyOf } from "../../../api/meta.ts";
import type { Followed } from "./outcomes.ts";
import { type Candidate, costOf } from "./verdict.ts";

interface MetaVictims {
  readonly Pods: readonly { readonly UID: string }[];
  readonly NumPDBViolations: number;
}
interface Arguments {
  readonly Pod: { readonly metadata: { readonly name: string; readonly namespace: string } };
  readonly NodeNames: readonly string[];
  readonly NodeNameToMetaVictims: Readonly<Record<string, MetaVictims>>;
}
type Candidates = Readonly<Record<string, Candidate>>;

/** By pod, until forgotten. */
export interface Extender {
  readonly port: number;
  /** The nodes that passed the filters last. */
  readonly fit: Map<Key, readonly string[]>;
  /** By node, when pods could be preempted; of the first time. */
  readonly candidates: Map<Key, Candidates>;
  readonly preferred: Map<Key, readonly (string | undefined)[]>;
  forget(): void;
  close(): void;
}

function candidateOf({ Pods, NumPDBViolations }: MetaVictims, followed: Followed): Candidate {
  const victims = Pods.flatMap(({ UID }) => followed.pod(UID) ?? []);
  return { victims: victims.map((pod) => keyOf(pod)).toSorted(), cost: costOf(victims, NumPDBViolations) };
}

/** Listens until it is closed. */
export async function extender(followed: Followed): Promise<Extender> {
  const fit: Extender["fit"] = new Map();
  const candidates: Extender["candidates"] = new Map();
  const preferred: Extender["preferred"] = new Map();
  const isPreferred = (key: Key, node: string): boolean => preferred.get(key)?.includes(node) === true;
  const verbs: Readonly<Record<string, (key: Key, args: Arguments) => object>> = {
    "/filter": (key, { NodeNames }) => {
      fit.set(key, NodeNames);
      return { NodeNames };
    },
    "/prioritize": (key, { NodeNames }) => NodeNames.map((Host) => ({ Host, Score: isPreferred(key, Host) ? 10 : 0 })),
    "/preempt": (key, { NodeNameToMetaVictims }) => {
      const all = Object.entries(NodeNameToMetaVictims);
      const seen = all.map(([node, victims]) => [node, candidateOf(victims, followed)] as const);
      if (!candidates.has(key)) candidates.set(key, Object.fromEntries(seen));
      const chosen = all.filter(([node]) => isPreferred(key, node));
      return { NodeNameToMetaVictims: Object.fromEntries(chosen.length > 0 ? chosen : all) };
    },
  };
  const server = createServer((request, response) => {
    json(request).then(
      (body) => {
        const args = body as Arguments;
        response.end(JSON.stringify(verbs[request.url!]!(keyOf(args.Pod as never), args)));
      },
      () => response.writeHead(400).end(),
    );
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    port,
    fit,
    candidates,
    preferred,
    forget() {
      for (const each of [fit, candidates, preferred]) each.clear();
    },
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
