// How the components of each node are: what the supervisors noted, read from inside the containers.
import type { Instant } from "../../api/meta.ts";
import { type NodeContainer, runIn } from "./containers.ts";

/** One component of one node. */
export interface ComponentState {
  readonly node: string;
  readonly name: string;
  readonly running: boolean;
  readonly restarts: number;
  /** When its present life began. */
  readonly since: Instant | undefined;
  /** How its last life ended. */
  readonly exitCode: number | undefined;
  readonly residentBytes: number | undefined;
  /** Whether it answers when spoken to; unknown for those that only the API server can vouch for. */
  readonly answers: boolean | undefined;
}

const numberOr = (text: string | undefined): number | undefined =>
  text === undefined || text === "-" || text === "" ? undefined : Number(text);

/** Reads the lines of images/node/components.sh: NAME PID SINCE RESTARTS EXIT RSS_KB ANSWERS. */
export const parseComponents = (node: string, text: string): readonly ComponentState[] =>
  text
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => {
      const [name, pid, since, restarts, exit, rss, answers] = line.trim().split(/\s+/);
      const [began, kilobytes] = [numberOr(since), numberOr(rss)];
      return {
        node,
        name: name!,
        running: pid !== "-",
        restarts: numberOr(restarts) ?? 0,
        since: began === undefined ? undefined : ((began * 1000) as Instant),
        exitCode: numberOr(exit),
        residentBytes: kilobytes === undefined ? undefined : kilobytes * 1024,
        answers: answers === "yes" ? true : answers === "no" ? false : undefined,
      };
    });

/** The components of one running node container. */
export const componentsOf = async (container: NodeContainer): Promise<readonly ComponentState[]> =>
  parseComponents(container.name, await runIn(container.name, ["components.sh"]));
