// What a kind of workload adds to the lives of a cluster: objects, what users do to them, and what must be true of them.
import type { ResourceDefinition } from "../../../api/kinds.ts";
import type { Client } from "../../../machinery/client.ts";
import type { DecisionLog } from "../../../machinery/decisions.ts";
import type { Clock, Random, World } from "../../../machinery/world.ts";
import type { Committed, Rule } from "../judge.ts";
import type { StorageSystem } from "../storage-system.ts";

/** What a component of a workload runs on. */
export interface ComponentGround {
  readonly world: World;
  /** Nodes that exist from the beginning. */
  readonly nodeNames: readonly string[];
  /** Starts one more node, which fails as the others do; returns what removes its machine. */
  readonly startNode: (name: string) => () => void;
  /** Whether the trouble is over. */
  readonly isPeaceful: () => boolean;
  readonly accuse: (rule: string, what: string) => void;
  readonly decided: DecisionLog["record"] | undefined;
  readonly storage: StorageSystem;
}
/** What users and outages have power over. */
export interface NodeControls {
  readonly world: World;
  readonly user: Client;
  readonly nodeNames: readonly string[];
  /** Until when nothing may happen any more, in milliseconds from now. */
  readonly leftMs: () => number;
  /** A node loses its power for some time, with everything that runs on it. */
  readonly powerOff: (nodeName: string, awayMs: number) => Promise<void>;
  /** A user deletes a node whose pods still run, so that others may take their names. */
  readonly declareGone: (nodeName: string) => void;
  /** A node is cut off, and everything on it runs on. */
  readonly cutOff: (nodeName: string, awayMs: number) => Promise<void>;
}
/** A process beside those of every cluster, which is killed and started again as they are. */
export type ComponentOf = (ground: ComponentGround) => (client: Client, signal: AbortSignal) => Promise<void>;

export interface Workload {
  /** Kinds whose objects are kept for the rules, beside those the rules are about. */
  readonly kinds: readonly ResourceDefinition<any>[];
  readonly component?: ComponentOf;
  /** Names of the rules that the component checks. */
  readonly accusations?: readonly string[];
  /** What exists from the beginning. */
  readonly begin: (user: Client, random: Random) => Promise<unknown>;
  /** One thing that a user does, drawn at random. */
  readonly meddle: (user: Client, random: Random, clock: Clock) => Promise<unknown>;
  /** What happens in its own time, until the signal aborts. */
  readonly outages?: (controls: NodeControls, signal: AbortSignal) => Promise<void>;
  /** Drivers that attach volumes to nodes. */
  readonly drivers?: readonly string[];
  /** Ends what would keep the cluster from settling. */
  readonly heal?: (user: Client) => Promise<unknown>;
  /** The rules of one life. */
  readonly rules: (storage: StorageSystem) => readonly Rule[];
  /** Objects that are not as desired after two minutes of peace, and how they are. */
  readonly unsettled: (committed: Committed, storage: StorageSystem) => readonly string[];
}

/** One of several at random; none of none. */
export const oneOf = <T>(all: readonly T[], random: Random): T | undefined =>
  all[Math.floor(random.next() * all.length)];
