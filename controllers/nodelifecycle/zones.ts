// Zones of nodes: the more nodes of a zone are lost at once, the likelier the fault lies elsewhere, and the slower are
// pods evicted. Source: "Nodes", rate limits on eviction.
import { conditionOf } from "../../api/core/pod/status.ts";
import type { Node } from "../../api/generated/types.ts";
import { sameJson } from "../../api/hash.ts";
import { instant, type Instant } from "../../api/meta.ts";

type ZoneState = "Normal" | "PartialDisruption" | "FullDisruption";
interface Counts {
  readonly ready: number;
  readonly lost: number;
}

/** Time between two nodes of a zone whose pods are evicted, in milliseconds. Kubernetes: 0.1 a second. */
const normalIntervalMs = 10_000;
/** The same in a large zone of which most nodes are lost. Kubernetes: 0.01 a second. */
const reducedIntervalMs = 100_000;
/** A zone with more nodes than this is large. In a smaller one of which most nodes are lost nothing is evicted. */
const largeZone = 50;
/** The part of the nodes of a zone that is lost in a partial disruption. */
const unhealthyThreshold = 0.55;
/** So few lost nodes are no disruption of their zone, unless they are all of it. */
const fewNodes = 2;

/** The state of a zone. One without nodes is normal. */
export function stateOf({ ready, lost }: Counts): ZoneState {
  if (ready === 0 && lost > 0) return "FullDisruption";
  return lost > fewNodes && lost / (ready + lost) >= unhealthyThreshold ? "PartialDisruption" : "Normal";
}

/** Milliseconds between two evicted nodes of a zone; undefined where none may be. */
export function intervalOf(counts: Counts): number | undefined {
  if (stateOf(counts) !== "PartialDisruption") return normalIntervalMs;
  return counts.ready + counts.lost > largeZone ? reducedIntervalMs : undefined;
}

const excludedLabel = "node.kubernetes.io/exclude-disruption";

/** The zone of a node, which is a zone of a region; empty for a node without labels. */
export function zoneOf({ metadata: { labels = {} } }: Node): string {
  const [region = "", zone = ""] = ["region", "zone"].map((name) => labels[`topology.kubernetes.io/${name}`]);
  return region === "" && zone === "" ? "" : `${region}:${zone}`;
}

interface Zone {
  ready: number;
  lost: number;
  interval: number | undefined;
  /** From when on the next node may have its turn. */
  freeAt: Instant;
  /** Since when no node has a turn, while there is no interval. */
  stoppedAt: Instant;
  /** The nodes that wait, and when each has its turn. */
  readonly turns: Map<string, Instant>;
}
interface Known {
  readonly zone: string;
  readonly isReady: boolean;
  readonly isCounted: boolean;
}

/** The zones of a cluster, which is a memory of the controller. */
export interface EvictionZones {
  /** Counts a node as it is now. True when the rate of any zone changed, so that waiting nodes have another turn. */
  update(node: Node, now: Instant): boolean;
  /** Counts a node no more. */
  remove(name: string, now: Instant): boolean;
  /** Every node of every zone is lost: it is more likely that this controller is cut off than that they failed. */
  readonly allLost: boolean;
  /** When the pods of a lost node may be evicted. Undefined while they may not at all. */
  turnOf(node: Node, now: Instant): Instant | undefined;
  /** Ends the wait of a node that had its turn, or has returned. */
  release(name: string): void;
}

const isReady = (node: Node): boolean => conditionOf(node.status?.conditions, "Ready")?.status === "True";

/**
 * Changes the rate of a zone: waiting nodes get new turns, and after a stop the first one waits as well. A zone that is
 * stopped and resumed at the same moment was only counted incompletely.
 */
function setRate(zone: Zone, interval: number | undefined, now: Instant): void {
  if (zone.interval === interval) return;
  const mustWait = zone.interval === undefined ? now > zone.stoppedAt : zone.freeAt > now;
  zone.interval = interval;
  zone.turns.clear();
  if (interval === undefined) zone.stoppedAt = now;
  else if (mustWait) zone.freeAt = instant(now + interval);
}

function areAllLost(zones: readonly Zone[]): boolean {
  const used = zones.filter(({ ready, lost }) => ready + lost > 0);
  return used.length > 0 && used.every((zone) => stateOf(zone) === "FullDisruption");
}

export function evictionZones(): EvictionZones {
  const zones = new Map<string, Zone>();
  const nodes = new Map<string, Known>();
  let allLost = false;
  const zoneNamed = (name: string): Zone => {
    const found = zones.get(name);
    if (found) return found;
    const fresh = {
      ready: 0,
      lost: 0,
      interval: normalIntervalMs,
      freeAt: instant(0),
      stoppedAt: instant(0),
      turns: new Map(),
    };
    zones.set(name, fresh);
    return fresh;
  };
  const count = ({ zone, isReady: ready, isCounted }: Known, by: 1 | -1): void => {
    if (isCounted) zoneNamed(zone)[ready ? "ready" : "lost"] += by;
  };
  const release = (name: string): void => {
    for (const { turns } of zones.values()) turns.delete(name);
  };
  /** Sets the rates by the counts. */
  const adjust = (now: Instant): boolean => {
    allLost = areAllLost([...zones.values()]);
    let isChanged = false;
    for (const zone of zones.values()) {
      const interval = allLost ? undefined : intervalOf(zone);
      isChanged ||= interval !== zone.interval;
      setRate(zone, interval, now);
    }
    return isChanged;
  };
  return {
    get allLost() {
      return allLost;
    },
    update(node, now) {
      const { name, labels } = node.metadata;
      const before = nodes.get(name);
      const known = { zone: zoneOf(node), isReady: isReady(node), isCounted: labels?.[excludedLabel] === undefined };
      if (before && sameJson(before, known)) return false;
      if (before) count(before, -1);
      if (before && before.zone !== known.zone) release(name);
      nodes.set(name, known);
      count(known, 1);
      return adjust(now);
    },
    remove(name, now) {
      const before = nodes.get(name);
      if (!before) return false;
      count(before, -1);
      nodes.delete(name);
      release(name);
      return adjust(now);
    },
    turnOf(node, now) {
      const zone = zoneNamed(zoneOf(node));
      if (zone.interval === undefined) return undefined;
      const { name } = node.metadata;
      const turn = zone.turns.get(name) ?? instant(Math.max(now, zone.freeAt));
      if (!zone.turns.has(name)) zone.freeAt = instant(turn + zone.interval);
      zone.turns.set(name, turn);
      return turn;
    },
    release,
  };
}
