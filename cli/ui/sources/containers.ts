// Reads the containers of a pod and their states.
import type { ContainerStatus, Pod } from "../../../api/generated/types.ts";
import { type Instant, instantOf } from "../../../api/meta.ts";
import { age } from "../../../api/age.ts";
import { printable } from "../cells.ts";
import type { Column, Row } from "../list.ts";
import type { ObjectRef } from "../state.ts";
import { type Reading, refPath } from "./source.ts";

const columns: readonly Column[] = ["NAME", "KIND", "READY", "STATUS", "RESTARTS", "SINCE", "IMAGE"].map((title) => ({
  title,
}));

/** The state of a container in one word, and since when it lasts. */
function stateOf(status: ContainerStatus | undefined): readonly [string, string | undefined] {
  const { running, terminated, waiting } = status?.state ?? {};
  if (running) return ["Running", running.startedAt];
  if (terminated) return [terminated.reason ?? `exit ${terminated.exitCode}`, terminated.finishedAt];
  return [waiting?.reason ?? "Waiting", undefined];
}

/** The rows of a pod's containers: init containers, containers, ephemeral containers. */
export function containerRows({ spec, status }: Pod, now: Instant): readonly Row[] {
  const rows = (
    kind: string,
    containers: readonly { readonly name: string; readonly image?: string }[] = [],
    statuses: readonly ContainerStatus[] = [],
  ): readonly Row[] =>
    containers.map(({ name, image = "" }) => {
      const own = statuses.find((each) => each.name === name);
      const [state, time] = stateOf(own);
      const since = time === undefined ? "" : age(instantOf(time), now);
      const cells = [name, kind, String(own?.ready ?? false), state, String(own?.restartCount ?? 0), since, image];
      return { id: name, name, cells: cells.map(printable) };
    });
  return [
    ...rows("init", spec.initContainers, status?.initContainerStatuses),
    ...rows("container", spec.containers, status?.containerStatuses),
    ...rows("ephemeral", spec.ephemeralContainers, status?.ephemeralContainerStatuses),
  ];
}

/** Publishes the containers of a pod. Throws ApiError or CliError. */
export async function readContainers(of: ObjectRef, { session, clock, publish }: Reading): Promise<void> {
  const pod = await session.api.get<Pod>(refPath(of));
  publish({ type: "rows", update: { columns, changes: containerRows(pod, clock.now()), replaces: true } });
}
