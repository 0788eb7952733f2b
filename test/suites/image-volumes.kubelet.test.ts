// Volumes with the files of images, on a kubelet with a simulated engine.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Container, Volume } from "../../api/generated/types.ts";
import { pods } from "../../api/core/pods.ts";
import { key } from "../../api/meta.ts";
import { image, openStage, runForever, sh, type Stage, until } from "./kubelet-stage.ts";

let stage: Stage;
beforeEach(async () => {
  stage = await openStage();
  stage.start();
});
afterEach(() => stage.close());

const container = (name: string, more: Partial<Container> = {}): Container => ({
  ...{ name, image, command: runForever, volumeMounts: [{ name: "v", mountPath: "/v" }] },
  ...more,
});
const volume = (reference: string, pullPolicy: "Always" | "IfNotPresent" | "Never" = "Always"): Volume => ({
  name: "v",
  image: { reference, pullPolicy },
});
const folderOf = (uid: string): string => join(stage.stateDir, "pods", uid, "volumes/kubernetes.io~image/v");
const mountsOf = async (uid: string): Promise<readonly (readonly [string, string, boolean])[]> => {
  const { containers } = await stage.runtime.list(uid, new AbortController().signal);
  return containers.flatMap(({ id }) =>
    stage.runtime
      .specOf(id)
      .mounts.flatMap((m) => (m.target === "/v" ? [[m.source, m.target, m.readOnly] as const] : [])),
  );
};
const waitingOf = (name: string) =>
  until(
    async () => (await stage.find(name))?.status?.containerStatuses?.[0]?.state?.waiting,
    (waiting) => waiting?.reason?.startsWith("ErrImage") === true,
  );

test("containers read the files of an image, and share them; the pod takes them with it", async () => {
  await stage.bind("web", { volumes: [volume(image)], containers: [container("a"), container("b")] });
  const { metadata } = await stage.ready("web");
  const folder = folderOf(metadata.uid);
  expect(readFileSync(join(folder, "image"), "utf8")).toBe(image);
  expect(await mountsOf(metadata.uid)).toEqual([
    [folder, "/v", true],
    [folder, "/v", true],
  ]);
  expect((await stage.eventsOf("web")).map(({ message }) => message)).toContain(`Pulling image "${image}"`);
  await stage.client.delete(pods, key("default", "web"), { gracePeriodSeconds: 1 });
  await until(
    () => Promise.resolve(existsSync(folder)),
    (isThere) => !isThere,
  );
});

test.each([
  ["cannot be pulled", "Always", "ErrImagePull", "manifest for sim/none:1 not found"],
  [
    ...(["is not there and is never pulled", "Never", "ErrImageNeverPull"] as const),
    'Container image "sim/none:1" is not present with pull policy of Never',
  ],
] as const)("a container waits for the image of its volume that %s", async (_, policy, reason, message) => {
  await stage.bind("web", { volumes: [volume("sim/none:1", policy)], containers: [container("c")] });
  expect(await waitingOf("web")).toEqual({ reason, message });
});

test("a container whose volume cannot be mounted is not created, for another reason than a failed pull", async () => {
  stage.runtime.refuseMounts("this engine keeps images in another form");
  await stage.bind("web", { volumes: [volume(image)], containers: [container("c")] });
  const waiting = await until(
    async () => (await stage.find("web"))?.status?.containerStatuses?.[0]?.state?.waiting,
    (now) => now?.reason !== undefined && now.reason !== "ContainerCreating",
  );
  expect(waiting).toEqual({ reason: "CreateContainerError", message: "this engine keeps images in another form" });
});

test("a container that does not mount the volume does not wait for its image", async () => {
  const other = container("c", { volumeMounts: [] });
  await stage.bind("web", { volumes: [volume("sim/none:1")], containers: [other] });
  await stage.ready("web");
});

test("a kubelet that is restarted shows the image to the next run as well", async () => {
  await stage.bind("web", { volumes: [volume(image)], containers: [container("c", { command: sh("sleep 1") })] });
  const { metadata } = await stage.ready("web");
  await stage.stop();
  stage.start();
  const restarted = await until(
    () => stage.find("web"),
    (pod) => (pod?.status?.containerStatuses?.[0]?.restartCount ?? 0) > 0,
  );
  expect(restarted?.metadata.uid).toBe(metadata.uid);
  expect(await mountsOf(metadata.uid)).toContainEqual([folderOf(metadata.uid), "/v", true]);
});
