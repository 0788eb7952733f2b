// The cluster autoscaler over time, with a scheduler beside it, under loads drawn at random: it stays within its bounds,
// moves no pod that has no other place, and once the load is constant adds nothing after it has removed something.
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Node, Pod } from "../../../api/generated/types.ts";
import { type Instant, instant, keyOf, timestamp } from "../../../api/meta.ts";
import { schedulingSimulation } from "../../../cli/simulation.ts";
import { decide } from "../../../controllers/clusterautoscaler/decide.ts";
import { type History, noHistory } from "../../../controllers/clusterautoscaler/observed.ts";
import { defaultSettings, type Settings } from "../../../controllers/clusterautoscaler/ports.ts";
import type { Step } from "../../../controllers/clusterautoscaler/removal.ts";
import { asStored, carryOut, now as beginning } from "./world.ts";

const simulation = schedulingSimulation({ packing: "MostAllocated" });
const size = { cpu: "1", memory: "1Gi", pods: "110" };
const conditions = [{ type: "Ready", status: "True" }];
const nodeAt = (name: string, at: Instant): Node =>
  asStored<Node>({
    kind: "Node",
    metadata: { name, creationTimestamp: timestamp(at) },
    spec: {},
    status: { allocatable: size, capacity: size, conditions },
  });
const times = { scanMs: 1_000, unneededMs: 4_000, delayAfterAddMs: 4_000, taintDelayMs: 1_000, drainMs: 30_000 };
const bootMs = 3_000;

/** A cluster in one object: what a scheduler, controllers of pods and a provider make of the autoscaler's steps. */
class Cluster {
  readonly settings: Settings;
  now = beginning;
  nodes: readonly Node[] = [];
  pods: readonly Pod[] = [];
  readonly machines = new Map<string, Instant>();
  history: History = noHistory;
  added = 0;
  removed = 0;
  homeless: string[] = [];
  #serial = 0;

  constructor(fixed: number, maxNodes: number) {
    this.settings = { ...defaultSettings, ...times, group: "g", maxNodes, template: nodeAt("t", beginning) };
    this.nodes = Array.from({ length: fixed }, (_, i) => nodeAt(`n${i}`, beginning));
    for (const { metadata } of this.nodes) this.machines.set(metadata.name, beginning);
  }
  create(cpu: number): void {
    const requests = { cpu: `${cpu}m` };
    const ownerReferences = [{ kind: "ReplicaSet", name: "o", uid: "o", controller: true }];
    const metadata = {
      name: `p${this.#serial++}`,
      namespace: "default",
      ownerReferences,
      labels: { cpu: String(cpu) },
    };
    const pod = { kind: "Pod", metadata, spec: { containers: [{ name: "c", resources: { requests } }] }, status: {} };
    this.pods = [...this.pods, asStored<Pod>(pod)];
  }
  delete(index: number): void {
    this.pods = this.pods.filter((_, i) => i !== index % this.pods.length);
  }
  #schedule(): void {
    const placements = simulation.place(this, this.pending.toReversed());
    const found = new Map(placements.map(({ pod, nodeName }) => [keyOf(pod), nodeName]));
    const unschedulable = { conditions: [{ type: "PodScheduled", status: "False", reason: "Unschedulable" }] };
    this.pods = this.pods.map((p) => {
      if (p.spec.nodeName !== undefined) return p;
      const nodeName = found.get(keyOf(p));
      return (nodeName ? { ...p, spec: { ...p.spec, nodeName }, status: {} } : { ...p, status: unschedulable }) as Pod;
    });
  }
  #carryOut(step: Step): void {
    if (step.do === "add") {
      for (let i = 0; i < step.count; i++) this.machines.set(`more-${this.#serial++}`, this.now);
      this.added += step.count;
    } else if (step.do === "remove") {
      this.homeless.push(...this.pods.filter((p) => p.spec.nodeName === step.name).map(keyOf));
      this.machines.delete(step.name);
      this.nodes = this.nodes.filter(({ metadata }) => metadata.name !== step.name);
      this.removed++;
    } else if (step.action.do === "evict") {
      const { metadata } = step.action.object;
      this.pods = this.pods.filter((p) => p.metadata.uid !== metadata.uid);
      this.create(Number(metadata.labels?.["cpu"]));
    } else this.nodes = carryOut([step.action], this.nodes) as readonly Node[];
  }
  tick(): void {
    this.now = instant(this.now + 1_000);
    for (const [name, since] of this.machines)
      if (this.now - since >= bootMs && !this.nodes.some(({ metadata }) => metadata.name === name))
        this.nodes = [...this.nodes, nodeAt(name, this.now)];
    this.#schedule();
    const provided = [...this.machines.keys()].map((name) => ({ name, added: name.startsWith("more") }));
    const { pods, nodes, history, now } = this;
    const observed = { pods, nodes, history, provided, budgets: [], daemonSets: [], volumes: [], status: nodes[0]! };
    const decision = decide(observed, simulation, this.settings, now);
    this.history = decision.history;
    for (const step of decision.steps) this.#carryOut(step);
  }
  get pending(): readonly Pod[] {
    return this.pods.filter((p) => p.spec.nodeName === undefined);
  }
}

const cpu = fc.constantFrom(100, 200, 300, 400, 600, 900);
const change = fc.oneof(fc.record({ create: cpu }), fc.record({ delete: fc.nat(50) }), fc.record({ wait: fc.nat(8) }));
type Change = { readonly create: number } | { readonly delete: number } | { readonly wait: number };
const load = fc.record({
  fixed: fc.integer({ min: 1, max: 2 }),
  max: fc.integer({ min: 2, max: 5 }),
  creations: fc.array(cpu, { minLength: 4, maxLength: 16 }),
  changes: fc.array(change as fc.Arbitrary<Change>, { maxLength: 16 }),
  /** Of how many pods one remains at the end. */
  divisor: fc.integer({ min: 1, max: 4 }),
});

function apply(cluster: Cluster, step: Change): void {
  if ("create" in step) cluster.create(step.create);
  else if ("delete" in step) cluster.pods.length > 0 && cluster.delete(step.delete);
  else for (let i = 0; i < step.wait; i++) cluster.tick();
}

test("bounded, no pod loses its place, and no flapping", () => {
  let removals = 0;
  fc.assert(
    fc.property(load, ({ fixed, max, creations, changes, divisor }) => {
      const cluster = new Cluster(fixed, max);
      const created = creations.map((create): Change => ({ create }));
      for (const step of [...created, { wait: 8 }, ...changes]) {
        apply(cluster, step);
        expect(cluster.machines.size).toBeLessThanOrEqual(Math.max(fixed, max));
      }
      cluster.pods = cluster.pods.filter((_, i) => i % divisor === 0);
      // The load is constant from here on.
      const { removed: before } = cluster;
      let addedAfterRemoval = 0;
      for (let i = 0; i < 90; i++) {
        const { added, removed } = cluster;
        cluster.tick();
        if (removed > before) addedAfterRemoval += cluster.added - added;
        expect(cluster.machines.size).toBeLessThanOrEqual(Math.max(fixed, max));
      }
      removals += cluster.removed;
      expect({ addedAfterRemoval, homeless: cluster.homeless }).toEqual({ addedAfterRemoval: 0, homeless: [] });
      if (cluster.machines.size < max) expect(cluster.pending).toEqual([]);
    }),
    { seed: 1, numRuns: 60 },
  );
  expect(removals).toBeGreaterThan(30);
});
