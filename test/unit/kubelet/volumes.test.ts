// What containers see of volumes: mounts with their sub-paths, owners and modes of files, the termination log.
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { PodSpec } from "../../../api/generated/types.ts";
import { instant } from "../../../api/meta.ts";
import { terminationLogMount } from "../../../kubelet/pod/pod-files.ts";
import { contentOf, type VolumeFile } from "../../../kubelet/volumes/content.ts";
import { containerMounts } from "../../../kubelet/volumes/volumes.ts";
import { container, identity, now, pod } from "./samples.ts";

let folder: string;
let umask: number;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "orrery-volumes-"));
  umask = process.umask(0o022);
});
afterAll(() => {
  process.umask(umask);
  rmSync(folder, { recursive: true });
});

const env = new Map([
  ["NAME", "web"],
  ["ROOT", "/tmp"],
  ["UP", "a/../../b"],
]);
const sourceOf = async (mount: object): Promise<string> => {
  const volumes = [{ name: "v", hostPath: { path: folder } }];
  const c = container("c", { volumeMounts: [{ name: "v", mountPath: "/v", ...mount }] });
  const [mounted] = await containerMounts(folder, pod({ spec: { volumes, containers: [c] } }), c, env);
  return mounted!.source.slice(folder.length);
};
test("a sub-path is expanded from the environment and made inside its volume", async () => {
  expect(await sourceOf({ subPathExpr: "logs/$(NAME)" })).toBe("/logs/web");
  expect(await sourceOf({})).toBe("");
});
const refused: readonly (readonly [expr: string, message: string])[] = [
  ["$(ROOT)", "error SubPath `/tmp` must not be an absolute path"],
  ["$(UP)", "unable to provision SubPath `a/../../b`: must not contain '..'"],
  ["$(NAME)/$(NONE)", "missing value for NONE"],
];
test.each(refused)("a container with the sub-path %s is not made", async (subPathExpr, message) => {
  await expect(sourceOf({ subPathExpr })).rejects.toThrow(message);
});

test("every user may write the termination log", async () => {
  const { source } = await terminationLogMount(folder, container("c"), { pod: identity, name: "c", attempt: 0 });
  expect(statSync(source).mode & 0o777).toBe(0o666);
});

type Row = readonly [what: string, spec: Partial<PodSpec>, token: Partial<VolumeFile>];
const runAs = (runAsUser: number) => ({ securityContext: { runAsUser } });
const rows: readonly Row[] = [
  ["of its users", {}, { mode: 0o644, owner: undefined }],
  ["of the user of all its containers", runAs(1000), { mode: 0o600, owner: 1000 }],
  [
    "of nobody in particular when containers differ",
    { containers: [container("c", runAs(1)), container("d")] },
    { mode: 0o644, owner: undefined },
  ],
  ["of the pod's group", { securityContext: { fsGroup: 10 } }, { mode: 0o600, owner: undefined }],
  ["of the user and the group", { securityContext: { runAsUser: 1000, fsGroup: 10 } }, { mode: 0o600, owner: 1000 }],
];
test.each(rows)("a pod's token is readable: that %s", (_, spec, token) => {
  const projection = { path: "token", expirationSeconds: 600 };
  const volume = { name: "v", projected: { sources: [{ serviceAccountToken: projection }] } };
  const later = instant(now + 1_000);
  const tokens = new Map([["600 ", { token: "t", expiresAt: later, renewAt: later }]]);
  const files = contentOf(volume, { pod: pod({ spec }), tokens, facts: {} as never, lookup: {} as never });
  expect(files?.["token"]).toMatchObject(token);
});
