// Volume mounts: sub-paths, file owners and modes, and the termination log.
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { PodSpec } from "../../../api/generated/types.ts";
import { instant } from "../../../api/meta.ts";
import { terminationLogMount } from "../../../kubelet/pod/pod-files.ts";
import { contentOf, type VolumeFile } from "../../../kubelet/volumes/content.ts";
import { containerDevices, containerMounts } from "../../../kubelet/volumes/container-mounts.ts";
import { unmountedSubPaths } from "../../suites/sub-paths.ts";
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
const at = () => ({
  ...{ stateDir: folder, lookup: nothing, recursiveReadOnlyMounts: false },
  subPaths: unmountedSubPaths,
});
const sourceOf = async (mount: object): Promise<string> => {
  const volumes = [{ name: "v", hostPath: { path: folder } }];
  const c = container("c", { volumeMounts: [{ name: "v", mountPath: "/v", ...mount }] });
  const [mounted] = await containerMounts(at(), pod({ spec: { volumes, containers: [c] } }), c, env);
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
  const device = { source: "/dev/sdz", target: "/dev/a", readOnly };
  expect(
    containerDevices({ ...at(), lookup: lookup as never }, pod({ spec: { volumes, containers: [c] } }), c),
  ).toEqual([device]);
});

test("folders of a sub-path have the mode of their volume", async () => {
  chmodSync(folder, 0o2770);
  await sourceOf({ subPath: "deep/er" });
  expect(["deep", "deep/er"].map((name) => statSync(join(folder, name)).mode & 0o7777)).toEqual([0o2770, 0o2770]);
});
const links: readonly (readonly [target: string, message: string])[] = [
  ["/bin", "failed to prepare subPath"],
  ["..", "failed to prepare subPath"],
  ["/bin/none", "failed to prepare subPath"],
  ["./none", "failed to prepare subPath"],
  ["link", "failed to prepare subPath"],
];
test.each(links)("a sub-path through a link to %s is refused, and nothing is made", async (target, message) => {
  rmSync(join(folder, "link"), { force: true });
  symlinkSync(target, join(folder, "link"));
  for (const subPath of ["link", "link/below"])
    await expect(sourceOf({ subPath })).rejects.toThrow(`${message} for volumeMount "v" of container "c"`);
  expect(existsSync("/bin/below")).toBe(false);
});
test("a sub-path may be a link inside of its volume, and a file", async () => {
  mkdirSync(join(folder, "real"), { recursive: true });
  writeFileSync(join(folder, "real/file"), "");
  symlinkSync("real", join(folder, "inner"));
  symlinkSync(join(folder, "real"), join(folder, "absolute"));
  symlinkSync("../inner/./file", join(folder, "real/back"));
  for (const subPath of ["inner/file", "absolute/file", "inner/back"])
    expect(await sourceOf({ subPath })).toBe("/real/file");
  await expect(sourceOf({ subPath: "inner/file/below" })).rejects.toThrow(
    'failed to create subPath directory for volumeMount "v" of container "c"',
  );
});

const recursions: readonly (readonly [mode: string | undefined, isSupported: boolean, is: true | undefined])[] = [
  [undefined, true, undefined],
  ["Disabled", true, undefined],
  ["IfPossible", true, true],
  ["IfPossible", false, undefined],
  ["Enabled", true, true],
];
const recursive = (recursiveReadOnly: string | undefined, recursiveReadOnlyMounts: boolean) => {
  const c = container("c", {
    volumeMounts: [{ name: "v", mountPath: "/v", readOnly: true, recursiveReadOnly: recursiveReadOnly as never }],
  });
  const volumes = [{ name: "v", hostPath: { path: folder } }];
  return containerMounts({ ...at(), recursiveReadOnlyMounts }, pod({ spec: { volumes, containers: [c] } }), c, env);
};
test.each(recursions)("recursive read-only mode %s (supported: %s)", async (mode, isSupported, is) => {
  expect((await recursive(mode, isSupported))[0]!.recursiveReadOnly).toBe(is);
});
test("recursive read-only mode that the engine lacks is refused", async () => {
  await expect(recursive("Enabled", false)).rejects.toThrow(
    'volume "v" requested recursive read-only mode, but it is not supported by the runtime',
  );
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
