// What the outages of a workload can do to the nodes of a simulated cluster.
import type { World } from "../../machinery/world.ts";
import type { Network } from "./network.ts";
import { beginning } from "./virtual-clock.ts";
import type { NodeControls } from "./workloads/workload.ts";

interface Agent {
  readonly network: Network;
  restart(awayMs: number): Promise<void>;
}
interface ControlledNodes extends Pick<NodeControls, "user" | "nodeNames" | "declareGone"> {
  readonly world: World;
  /** The processes of the nodes, in the order of their names. */
  readonly agents: readonly Agent[];
  /** When peace begins. */
  readonly minutes: number;
}

export function nodeControls(
  { user, world, nodeNames, declareGone, agents, minutes }: ControlledNodes,
  signal: AbortSignal,
): NodeControls {
  const agentOf = (name: string): Agent => agents[nodeNames.indexOf(name)]!;
  return {
    ...{ user, world, nodeNames, declareGone, leftMs: () => beginning + minutes * 60_000 - world.clock.now() },
    powerOff: (name, awayMs) => agentOf(name).restart(awayMs),
    async cutOff(name, awayMs) {
      const { network } = agentOf(name);
      network.down = true;
      await world.clock.sleep(awayMs, signal);
      network.down = false;
    },
  };
}
