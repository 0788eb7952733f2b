// Runs all controllers against an in-process server, under a virtual clock.
import { expect } from "vitest";
import { namespaces } from "../../../api/core/namespaces.ts";
import { clusterRegistry } from "../../../apiserver/cluster-registry.ts";
import { inProcessClient } from "../../../apiserver/registry/in-process.ts";
import { defaultAccess } from "../../../apiserver/bootstrap/access.ts";
import type { AccessRow } from "../../../apiserver/bootstrap/roles/text.ts";
import { memoryStorage } from "../../../apiserver/storage/log.ts";
import { type ControllerOptions, runControllers } from "../../../controllers/controllers.ts";
import type { Client } from "../../../machinery/client.ts";
import type { KindRegistry } from "../../../machinery/kind-registry.ts";
import type { World } from "../../../machinery/world.ts";
import { type Authorized, grantsOf, identityOf, requestText } from "../../sim/identities.ts";
import { beginning, seeded, type VirtualClock, virtualClock } from "../../sim/virtual-clock.ts";

export interface Running {
  readonly client: Client;
  readonly clock: VirtualClock;
  readonly world: World;
  /** Advances the clock by seconds. */
  pass(seconds: number): Promise<void>;
  /** The client of the controllers, with the rights of the default roles and of these. */
  manager(refused: (request: string) => void, roles?: readonly AccessRow[]): Client;
  /** Controllers to run instead of the default ones, and their roles. */
  readonly runControllers?: typeof runControllers;
  readonly roles?: readonly AccessRow[];
}

/** A server with the namespace "default" and the built-in or given kinds. */
export async function server(kinds?: KindRegistry): Promise<Running> {
  const clock = virtualClock();
  const world: World = { clock, random: seeded(7), log: () => {} };
  const ranges = { serviceCidr: "10.96.0.0/16", nodePorts: { from: 30_000, to: 32_767 } };
  const registry = clusterRegistry(memoryStorage(), world, { ...ranges, ...(kinds && { kinds }) });
  const client = inProcessClient(registry);
  const manager: Running["manager"] = (refused, roles = []) => {
    const authorized: Authorized = (request, { allowed }) => allowed || refused(requestText(request));
    const all = grantsOf([...defaultAccess, ...roles]);
    return inProcessClient(registry, { identity: identityOf("kube-controller-manager", authorized, all) });
  };
  await client.create(namespaces, { kind: "Namespace", metadata: { name: "default" } } as never);
  let passed = 0;
  const pass = async (seconds: number): Promise<void> => {
    passed += seconds * 1000;
    await clock.run(beginning + passed);
  };
  return { client, manager, clock, world, pass };
}

/** Runs the body beside the controllers. Fails when they try what they have no right for. */
export async function whileControlled(
  running: Running,
  options: Partial<ControllerOptions>,
  body: () => Promise<void>,
): Promise<void> {
  const stop = new AbortController();
  const all = {
    ...{ rootCa: "the certificate of the authority", clusterCidr: "10.244.0.0/16", nodeGraceMs: 50_000 },
    autoscaler: { periodMs: 15_000, shrinkWindowSeconds: 300 },
    ...options,
  };
  const run = running.runControllers ?? runControllers;
  const refusals = new Set<string>();
  const manager = running.manager((request) => refusals.add(request), running.roles);
  const done = run(manager, running.world, all, stop.signal).catch(() => {});
  try {
    await running.pass(1);
    await body();
  } finally {
    stop.abort(new Error("enough"));
    await done;
  }
  expect([...refusals]).toEqual([]);
}
