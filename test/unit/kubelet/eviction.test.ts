// Evictions for local storage, and their messages.
import { expect, test } from "vitest";
import { evictionMessage } from "../../../kubelet/eviction.ts";
import { container, pod } from "./samples.ts";

const mebi = 2 ** 20;
const limited = (name: string, limit?: string) =>
  container(name, limit === undefined ? {} : { resources: { limits: { "ephemeral-storage": limit } } });
type Row = readonly [what: string, containers: readonly number[], emptyDir: number, message: string | undefined];
const rows: readonly Row[] = [
  ["within all limits", [5 * mebi, 3 * mebi], mebi, undefined],
  ["above the limit of a volume", [0, 0], 3 * mebi, 'Usage of EmptyDir volume "v" exceeds the limit "2Mi". '],
  [
    "above the limit of the pod",
    [5 * mebi, 6 * mebi],
    0,
    "Pod ephemeral local storage usage exceeds the total limit of containers 9Mi. ",
  ],
  [
    "above the limit of a container",
    [6 * mebi, 0],
    0,
    'Container a exceeded its local ephemeral storage limit "5Mi". ',
  ],
];
test.each(rows)("a pod %s", (_, [a = 0, b = 0], emptyDir, message) => {
  const volumes = [{ name: "v", emptyDir: { sizeLimit: "2Mi" } }];
  const limits = pod({ spec: { volumes, containers: [limited("a", "5Mi"), limited("b", "4Mi")] } });
  const usage = { emptyDirs: new Map([["v", emptyDir]]), containers: new Map(Object.entries({ a, b })) };
  expect(evictionMessage(limits, usage)).toBe(message);
  expect(evictionMessage(pod({ spec: { containers: [limited("a")] } }), usage)).toBeUndefined();
});
