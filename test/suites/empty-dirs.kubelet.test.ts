// emptyDirs in memory on a kubelet with a simulated engine, where root can mount them.
import { statfsSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { removePodFolder } from "../../kubelet/volumes/volumes.ts";
import { image, openStage, runForever, type Stage } from "./kubelet-stage.ts";

describe.runIf(process.getuid?.() === 0)("an emptyDir in memory", () => {
  let stage: Stage;
  beforeEach(async () => {
    stage = await openStage();
    stage.start();
  });
  afterEach(() => stage.close());

  test.each([
    ["of its pod", "8Mi", undefined],
    ["of its own, below that of its pod", "16Mi", "8Mi"],
    ["of its pod, below its own", "8Mi", "16Mi"],
  ])("has the limit %s, and the mode of a tmpfs", async (_, memory, sizeLimit) => {
    await stage.bind("web", {
      securityContext: { fsGroup: 7 },
      volumes: [{ name: "v", emptyDir: { medium: "Memory", ...(sizeLimit && { sizeLimit }) } }],
      containers: [
        {
          ...{ name: "c", image, command: runForever, resources: { limits: { memory } } },
          volumeMounts: [{ name: "v", mountPath: "/v" }],
        },
      ],
    });
    const { metadata } = await stage.ready("web");
    const path = join(stage.stateDir, "pods", metadata.uid, "volumes/kubernetes.io~empty-dir/v");
    const { blocks, bsize } = statfsSync(path);
    expect([blocks * bsize, statSync(path).mode & 0o7777, statSync(path).gid]).toEqual([8 * 2 ** 20, 0o3777, 7]);
    await stage.stop();
    await removePodFolder(stage.stateDir, metadata.uid);
  });
});
