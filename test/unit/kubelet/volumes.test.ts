// Volume mounts: sub-paths, file owners and modes, and the termination log.
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { PodSpec } from "../../../api/generated/types.ts";
import { instant } from "../../../api/meta.ts";
import { terminationLogMount } from "../../../kubelet/pod/pod-files.ts";
import { contentOf, type VolumeFile } from "../../../kubelet/volumes/content.ts";
import { containerDevices, containerMounts } from "../../../kubelet/volumes/container-mounts.ts";
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

const nothing = {
  configMap: () => undefined,
  secret: () => undefined,
  claim: () => undefined,
  persistentVolume: () => undefined,
  attachment: () => undefined,
};
const env = new Map([
  ["NAME", "web"],
  ["ROOT", "/tmp"],
  ["UP", "a/../../b"],
]);
const sourceOf = async (mount: object): Promise<string> => {
  const volumes = [{ name: "v", hostPath: { path: folder } }];
  const c = container("c", { volumeMounts: [{ name: "v", mountPath: "/v", ...mount }] });
  const [mounted] = await containerMounts(
    { stateDir: folder, lookup: nothing },
    pod({ spec: { volumes, containers: [c] } }),
    c,
    env,
  );
  return mounted!.source.slice(folder.length);
};
test("a sub-path is expanded from the environment and created in its volume", async () => {
  expect(await sourceOf({ subPathExpr: "logs/$(NAME)" })).toBe("/logs/web");
  expect(await sourceOf({})).toBe("");
});
const refused: readonly (readonly [expr: string, message: string])[] = [
  ["$(ROOT)", "error SubPath `/tmp` must not be an absolute path"],
  ["$(UP)", "unable to provision SubPath `a/../../b`: must not contain '..'"],
  ["$(NAME)/$(NONE)", "missing value for NONE"],
];
test.each(refused)("the sub-path %s is refused", async (subPathExpr, message) => {
  await expect(sourceOf({ subPathExpr })).rejects.toThrow(message);
});

test.each([
  ["writable", false],
  ["read-only", true],
])("a container gets the device of a volume, %s", (_, readOnly) => {
  const claim = { metadata: { uid: "c" }, spec: { volumeName: "pv" }, status: { phase: "Bound" } };
  const spec = { volumeMode: "Block", claimRef: { uid: "c" }, local: { path: "/dev/sdz" } };
  const lookup = { ...nothing, claim: () => claim, persistentVolume: () => ({ metadata: { name: "pv" }, spec }) };
  const volumes = [{ name: "v", persistentVolumeClaim: { claimName: "data", readOnly } }];
  const c = container("c", { volumeDevices: [{ name: "v", devicePath: "/dev/a" }] });
  const at = { stateDir: folder, lookup: lookup as never };
  const device = { source: "/dev/sdz", target: "/dev/a", readOnly };
  expect(containerDevices(at, pod({ spec: { volumes, containers: [c] } }), c)).toEqual([device]);
});

test("the termination log is writable by every user", async () => {
  const { source } = await terminationLogMount(folder, container("c"), { pod: identity, name: "c", attempt: 0 });
  expect(statSync(source).mode & 0o777).toBe(0o666);
});

type Row = readonly [what: string, spec: Partial<PodSpec>, token: Partial<VolumeFile>];
const runAs = (runAsUser: number) => ({ securityContext: { runAsUser } });
const rows: readonly Row[] = [
  ["by all users", {}, { mode: 0o644, owner: undefined }],
  ["by the user of all containers", runAs(1000), { mode: 0o600, owner: 1000 }],
  [
    "by all users when containers have different users",
    { containers: [container("c", runAs(1)), container("d")] },
    { mode: 0o644, owner: undefined },
  ],
  ["by the group", { securityContext: { fsGroup: 10 } }, { mode: 0o600, owner: undefined }],
  ["by user and group", { securityContext: { runAsUser: 1000, fsGroup: 10 } }, { mode: 0o600, owner: 1000 }],
];
test.each(rows)("a token is readable: %s", (_, spec, token) => {
  const projection = { path: "token", expirationSeconds: 600 };
  const volume = { name: "v", projected: { sources: [{ serviceAccountToken: projection }] } };
  const later = instant(now + 1_000);
  const tokens = new Map([["600 ", { token: "t", expiresAt: later, renewAt: later }]]);
  const files = contentOf(volume, { pod: pod({ spec }), tokens, facts: {} as never, lookup: {} as never });
  expect(files?.["token"]).toMatchObject(token);
});
